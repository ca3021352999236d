"""A progress bar on standard error, where somebody watches; silent in a pipe."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn


class Bar:
    """Shows how far one piece of work is."""

    def __init__(self, title: str, total: int | None = None) -> None:
        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[said]}"),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task(title, total=total, said="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def at(self, done: int, said: str, total: int | None = None) -> None:
        """So much is done, of `total` if that is known by now."""
        self._progress.update(self._task, completed=done, said=said, total=total)

    def on(self, more: int) -> None:
        """So much more is done."""
        self._progress.advance(self._task, more)
