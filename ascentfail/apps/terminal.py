"""What every command does: say why it stops, show progress, begin, and work in several processes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from rich.console import Console


def stop(message: str) -> NoReturn:
    """Ends the command with one line and exit code 2."""
    print(f"ascentfail: {message}", file=sys.stderr)
    sys.exit(2)


def unknown(what: str, name: str, groups: dict[str, list[str]]) -> NoReturn:
    """Ends the command: there is no figure or explorer of that name, but these, by group."""
    from ascentfail.claims.registry import suggest

    known = "; ".join(f"{group}: {', '.join(names)}" for group, names in groups.items())
    stop(
        f"{suggest(what, name, [name for names in groups.values() for name in names])}. All of them: {known}"
    )


def console(stderr: bool = False) -> Console:
    """The terminal, or whatever stands for it, as rich prints on it."""
    from rich.console import Console

    screen = Console(stderr=stderr, highlight=False)
    if (
        screen.width < 1
    ):  # COLUMNS=0, as some shells and schedulers set it, says nothing of the width
        screen.width = 80
    return screen


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[str], None]]:
    """A progress bar with count and estimate on a terminal, and silence elsewhere; yields "one more done"."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    screen = console(stderr=True)
    if not screen.is_terminal:  # a bar that is merely disabled ends in an empty line with rich 13
        yield lambda name: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=screen, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda name: bar.update(task, advance=1, description=f"{what}: {name}")


def start() -> None:
    """Sets what every computing command needs: float64, the cache of compiled programs, pictures without a window."""
    os.environ["MPLBACKEND"] = (
        "agg"  # files are drawn, no window; and the one that is set need not be installed
    )
    from ascentfail.core.files import enable_compile_cache
    from ascentfail.core.precision import enable_x64

    enable_x64()
    enable_compile_cache()


def check_outputs(file: Path | None = None, folder: Path | None = None) -> None:
    """What cannot be written is said before the work, not after it."""
    from ascentfail.core.files import check_writable

    if file:
        check_writable(file)
    if folder:
        check_writable(folder, folder=True)


def work(what: str, tasks: Sequence[tuple[Any, ...]], jobs: int) -> Iterator[tuple[str, Any]]:
    """Runs (function, name, arguments ...) in this process or in several; yields (name, result) as they end."""
    from ascentfail.core.workers import results

    with progress(what, len(tasks)) as done:
        for i, result in results(tasks, jobs, start):
            done(tasks[i][1])
            yield tasks[i][1], result
