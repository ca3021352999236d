"""Why a command was not accepted: one root, each reason its own type, no input echoed."""

from domain.findings import Finding

LOOP_STATE = "loop-state"
"""What stands where a rule's id would: the state itself did not allow it."""


class Refusal(Exception):
    """A command that was not accepted; nothing was recorded unless `position` says where."""

    code = "refused"

    def __init__(self, detail: str, *, pointer: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.pointer = pointer


class Forbidden(Refusal):
    """The person asking may not do this."""

    code = "forbidden"


class FeedbackOwed(Forbidden):
    """Who asks has to write before knowing, or going by, what others wrote."""

    code = "feedback-owed"


class Missing(Refusal):
    """What the command is about does not exist, or may not be known to the person asking."""

    code = "not-found"


class Exists(Refusal):
    """The id is taken."""

    code = "exists"


class Meaningless(Refusal):
    """Well formed, but it cannot be true or cannot be meant: the pointer says which field."""

    code = "meaningless"


class RefusedByRule(Refusal):
    """An intent that policies, or the state of the loop, do not allow: all findings at once."""

    code = "refused"

    def __init__(self, detail: str, findings: tuple[Finding, ...]) -> None:
        super().__init__(detail)
        self.findings = findings


def wrong_state(message: str, cure: str, *positions: int) -> RefusedByRule:
    """A refusal by the state itself, under the id `LOOP_STATE`."""
    return _refused(LOOP_STATE, message, cure, *positions)


def held(holds: str, *positions: int) -> RefusedByRule:
    """A refusal to erase while these legal holds stand, under the id `legal-hold`."""
    said = f"a legal hold stands over this person: {holds}"
    return _refused("legal-hold", said, "release each hold once its matter is over", *positions)


def _refused(policy: str, message: str, cure: str, *positions: int) -> RefusedByRule:
    finding = Finding(
        policy=policy,
        version=1,
        enforcement="block",
        message=message,
        cure=cure,
        positions=positions[:40],
    )
    return RefusedByRule(message, (finding,))
