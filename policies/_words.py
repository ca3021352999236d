"""A small lint of English words: does a text say anything but how someone seemed?

It knows only common evaluative adjectives and the words around them, so that a text in another
language, or one with a single observed thing in it, passes. It is advice, never a measure.
"""

import re

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")

_ADJECTIVE_LIST = """
    able amazing ambitious amiable analytical arrogant articulate average awesome awful awkward bad
    best better boring bright brilliant calm capable careful careless charismatic charming clever
    competent confident creative curious decent difficult diligent dull dynamic eager energetic
    engaging enthusiastic excellent exceptional experienced fantastic fine friendly genius gifted
    good great hardworking helpful hesitant humble impressive inexperienced insightful intelligent
    interesting junior keen kind knowledgeable lazy likeable lovely mature mediocre modest motivated
    nervous nice outstanding passionate passive personable pleasant polished polite poor positive
    professional promising proactive quick quiet reliable rude senior sharp shy skilled slick slow
    smart smooth solid stellar strong stubborn stupid superb talented terrible thoughtful
    top unconvincing uncertain unimpressive unprofessional unsure vague warm weak witty wonderful
    worse worst
"""
_AROUND_LIST = """
    a about above absolutely all also always am an and appeared are as at be been being both but
    came candidate clearly comes culture culturally did engineer enough extremely far feel feels
    felt find fit for found from generally gut had has have he her here him hire his honestly i
    impression in interview is it itself just kind know liked looked looks me more most much my no
    not of off on one our out overall pretty person quite rather really say seem seemed seems she
    simply so some somehow somewhat sort such than that the their them they think this to too us
    very vibe was we were who whole with would yes you
"""
ADJECTIVES = frozenset(_ADJECTIVE_LIST.split())
_AROUND = frozenset(_AROUND_LIST.split())


def only_adjectives(text: str) -> bool:
    """Whether the text judges in adjectives and reports nothing that was seen or done."""
    found = [w.lower() for w in _WORD.findall(text)]
    said = [w for w in found if w not in _AROUND]
    return bool(said) and all(w in ADJECTIVES for w in said)
