"""Standard output and error of a command: a reader may leave, and any letter may be written."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any


class _Unread:
    """A stream whose reader may leave (`| head`): what comes after is not wanted any more, and that is no error."""

    def __init__(self, stream: Any):
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        with self._dropping():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._dropping():
            self._stream.flush()

    @contextmanager
    def _dropping(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            self._drop()
        except OSError:  # a full disk: said once, not again at the end
            self._drop()
            raise

    def _drop(self) -> None:
        """Sends to nowhere what is still held, which the interpreter would try to write at its end."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)


@contextmanager
def patient() -> Iterator[None]:
    """Within, a closed pipe is no error, and letters that the stream's encoding lacks are written as escapes."""
    streams = [
        stream for stream in (sys.stdout, sys.stderr) if stream is not None
    ]  # None where the shell closed it
    errors: dict[Any, Any] = {
        stream: stream.errors for stream in streams if hasattr(stream, "reconfigure")
    }
    for stream in errors:
        stream.reconfigure(errors="backslashreplace")
    try:
        with (
            redirect_stdout(sys.stdout and _Unread(sys.stdout)),
            redirect_stderr(sys.stderr and _Unread(sys.stderr)),
        ):
            try:
                yield
            finally:
                for stream in (sys.stdout, sys.stderr):
                    if stream is not None:
                        stream.flush()
    finally:
        for stream, before in errors.items():
            stream.reconfigure(errors=before)
