"""What a person sees of a run: a moving status line on a terminal, plain lines elsewhere."""

from types import TracebackType
from typing import Self

from rich.console import Console


class Speaker:
    """Says finished things in lines, and what is under way on a terminal only."""

    def __init__(self, quiet: bool = False) -> None:
        self._console = Console(stderr=True, quiet=quiet, soft_wrap=True, highlight=False)
        self._status = self._console.status("starting") if self._console.is_terminal and not quiet else None

    def __enter__(self) -> Self:
        if self._status:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status:
            self._status.stop()

    def say(self, line: str) -> None:
        """One finished line."""
        self._console.print(line, markup=False)

    def under_way(self, text: str) -> None:
        """What is being done now."""
        if self._status:
            self._status.update(text)
