"""The root of what ends a command with exit code 1: something did not come out as it must."""


class Failed(Exception):
    """A check failed, or a part of the process ended; the message says which, and what to do."""
