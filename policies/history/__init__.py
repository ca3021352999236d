"""Older versions of rules, byte for byte as they judged: `<file>_v<version>.py`."""
