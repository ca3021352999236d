"""A PostgreSQL server of our own in the data directory, for who has none: started, shared, ended.

`server.Embedded` is the way in. Nothing here knows what a ledger is.
"""
