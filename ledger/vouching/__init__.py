"""Others who vouch for the log: witnesses that cosign its checkpoints, authorities that date them.

Our side of both, and a witness for the logs of others.
"""
