"""What every command has, and how it names people: by the caller's ids, turned to handles later."""

from typing import Annotated

from msgspec import Meta, Struct

from domain.values import Code, Position, Time

_ID = r"^[!-.0-~]{1,128}(?!\n)$"

# An id of someone already registered: either the caller's own or the ledger's handle.
PersonRef = Annotated[
    str,
    Meta(pattern=_ID, description="A person: your id or a handle.", extra={"refers": "person"}),
]
CandidateRef = Annotated[
    str,
    Meta(
        pattern=_ID, description="A candidate: your id or a handle.", extra={"refers": "candidate"}
    ),
]
SubjectRef = Annotated[
    str,
    Meta(
        pattern=_ID,
        description="A candidate, or an imported case: your id or a handle.",
        extra={"refers": "candidate", "or": "loop"},
    ),
]
LoopRef = Annotated[
    str, Meta(pattern=_ID, description="A loop: your id or a handle.", extra={"refers": "loop"})
]
# An id that this command may make known; the ledger gives it a random handle.
NewPerson = Annotated[
    str, Meta(pattern=_ID, description="Your id for the person.", extra={"makes": "person"})
]
NewLoop = Annotated[
    str, Meta(pattern=_ID, description="Your id for the loop.", extra={"makes": "loop"})
]
SomeCandidate = Annotated[
    str,
    Meta(
        pattern=_ID,
        description="Your id for the candidate; made known if it is new.",
        extra={"makes": "candidate"},
    ),
]
Citations = Annotated[tuple[Position, ...], Meta(max_length=100)]


class Body(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A piece of a command."""


class SourceRef(Body, frozen=True, kw_only=True):
    """The object in your system that this was copied from."""

    system: Code
    object: Code
    id: Annotated[str, Meta(min_length=1, max_length=256)]
    revision: Code | None = None


class Command(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something a person asks the ledger to record, or wants to do."""

    at: Annotated[Time, Meta(description="When it happened; default: its arrival.")] | None = None
    source: SourceRef | None = None


class LoopCommand(Command, frozen=True, kw_only=True):
    """A command about one loop."""

    loop: LoopRef


class SessionCommand(LoopCommand, frozen=True, kw_only=True):
    """A command about one session of a loop's plan."""

    session: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,63}(?!\n)$")]
