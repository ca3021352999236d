"""What the ledger notes by itself when someone reads: never sent by a caller."""

from typing import Annotated

from msgspec import Meta

from domain.commands.base import Command, LoopCommand
from domain.facts import ReadingOf
from domain.values import LoopHandle, Position, SubjectHandle


class NoteFeedbackViewed(LoopCommand, frozen=True, kw_only=True):
    """Someone is about to see other people's feedback on a candidate."""

    viewed: Annotated[tuple[Position, ...], Meta(min_length=1, max_length=1000)]


class NoteRecordViewed(Command, frozen=True, kw_only=True):
    """Someone with an audit role is about to see the record."""

    what: ReadingOf
    loop: Annotated[str, Meta(extra={"refers": "loop"})] | None = None
    candidate: SubjectHandle | None = None
    loops: Annotated[tuple[LoopHandle, ...], Meta(max_length=1000)] = ()
    first: Position | None = None
    last: Position | None = None
