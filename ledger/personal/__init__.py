"""Personal values: sealed under the key of whom they are about, told to few, erased with it.

The keys that never enter the database, the keys of each subject, the values, and the callers' ids.
"""
