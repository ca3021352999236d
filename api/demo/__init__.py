"""A sample hiring season: invented people, recorded through the ledger's own HTTP API.

`starter.json` is the starter rubric, free to be taken as one's own: four competencies with anchors,
probes and observation codes, prompts, posting. `stories.py` tells each kind of loop in steps of
`steps.py`; `season.py` says how many of each there are, and when.
"""
