"""Statements of the debrief in which a rule had found something when they were made."""

from domain.state import Loop


def unsettled(loop: Loop, policy: str) -> tuple[int, ...]:
    """Positions of statements that the rule flagged and whose author has not said it better since.

    What was found is stored on the statement, so that nothing need be read again.
    """
    flagged = [s for s in loop.statements if any(x.policy == policy for x in s.fact.findings)]
    bad = {statement.position for statement in flagged}
    return tuple(
        s.position
        for s in flagged
        if not any(
            later.position > s.position
            and later.position not in bad
            and later.fact.author == s.fact.author
            for later in loop.statements
        )
    )
