"""The command line, one module a command.

JAX and the other rooms are imported when a command needs them, so that --help answers at once.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ascentfail.apps.draw import figures
from ascentfail.apps.explain import explain
from ascentfail.apps.explore import explore
from ascentfail.apps.list_known import list_known
from ascentfail.apps.reproduce import reproduce
from ascentfail.apps.terminal import stop
from ascentfail.apps.verify import verify

app = typer.Typer(
    name="ascentfail",
    help="Checks the theory of 'Ascent Fails to Forget' and draws its figures.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _say_version(wanted: bool) -> None:
    if wanted:
        from ascentfail import __version__

        print(f"ascentfail {__version__}")
        raise typer.Exit


@app.callback()
def _every(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_say_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Checks the theory of 'Ascent Fails to Forget' and draws its figures."""


app.command()(verify)
app.command()(explain)
app.command("list")(list_known)
app.command()(figures)
app.command()(explore)
app.command()(reproduce)


def main() -> None:
    """Entry point: every expected trouble ends in one line and exit code 2, a signal in 128 and its number."""
    from ascentfail.core.errors import MissingExtraError
    from ascentfail.core.streams import patient
    from ascentfail.core.workers import Stopped, WorkerLostError, stoppable

    try:
        with patient(), stoppable():
            app()
    except Stopped:
        print("ascentfail: stopped", file=sys.stderr)
        raise
    except MissingExtraError as error:
        stop(str(error))
    except WorkerLostError:
        stop("a process was ended from outside, perhaps for want of memory; try --jobs 1")
    except MemoryError:
        stop("not enough memory; ask for fewer --samples, or --jobs 1")
    except OSError as error:
        if error.filename is None and error.errno is None:
            raise
        stop(f"cannot write {error.filename or 'the output'}: {error.strerror or error}")
