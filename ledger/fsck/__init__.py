"""`hireledger fsck`: everything recomputed from the rows, to find what nobody should have changed.

Read `check.py` first: it is the main flow. What each part looks at stands in the file of its name;
`basis.py` is the monitor of what decisions rested on. Nothing here writes to the database.
"""
