"""Files: atomic writing, the cache folder, and what a result must say about where it came from."""

from __future__ import annotations

import errno
import hashlib
import importlib.metadata
import json
import os
import platform
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Any

WRITING = (
    threading.Lock()
)  # held while a file is written: who ends the process at once waits for it
_NAMED = ("ascentfail", "jax", "jaxlib", "numpy", "mpmath", "matplotlib", "python-flint", "sympy")


def write_atomic(path: Path, content: str | bytes) -> None:
    """Writes a file whole or not at all: to a neighbour first, then renamed into place.

    Args:
        path: target; its folder is created.
        content: text (UTF-8) or bytes.

    Raises:
        OSError: the folder cannot be written or the disk is full; nothing half-written stays behind.
    """
    try:
        with WRITING:
            _write(
                Path(os.path.realpath(path)),
                content.encode() if isinstance(content, str) else content,
            )
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(
            error.errno, error.strerror, str(path)
        ) from None  # the name that was given, not the neighbour's


def _write(
    target: Path, content: bytes
) -> None:  # the end of a link: it is written through, not replaced
    _check_kind(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(
        dir=target.parent, prefix=f".{target.name[:40]}."
    )  # names end at 255 bytes
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(name, 0o644)
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _check_kind(target: Path) -> None:
    if target.is_dir():
        raise OSError(errno.EISDIR, "is a folder", str(target))
    if target.exists() and not target.is_file():
        raise OSError(errno.EINVAL, "not a regular file", str(target))


def check_writable(path: Path, folder: bool = False) -> None:
    """Refuses before the work what could not be written after it; writes nothing.

    Args:
        path: the file, or the folder, that is to be written.
        folder: whether it is a folder.

    Raises:
        OSError: it is of another kind, or its folder is a file or may not be written.
    """
    target = Path(os.path.realpath(path))
    if not folder:
        _check_kind(target)
    there = next(
        place for place in (target if folder else target.parent, *target.parents) if place.exists()
    )
    if not there.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(there))
    if not os.access(there, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(there))


def write_json(path: Path, data: Any) -> None:
    """Writes plain data as JSON, atomically; NaN and infinity are refused. Raises: OSError, ValueError."""
    write_atomic(path, json.dumps(data, indent=1, allow_nan=False) + "\n")


def cache_folder() -> Path:
    """The one cache: $ASCENTFAIL_CACHE, else $XDG_CACHE_HOME/ascentfail, else ~/.cache/ascentfail."""
    named = os.environ.get("ASCENTFAIL_CACHE")
    if named:
        return Path(named).expanduser()  # no shell expands what is quoted or set in a file
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (
        Path(base) if os.path.isabs(base) else Path.home() / ".cache"
    ) / "ascentfail"  # XDG: a relative one does not count


def enable_compile_cache() -> None:
    """Keeps compiled programs in the cache folder, so that a second run starts warm; a read-only home is no error."""
    import jax

    try:
        folder = cache_folder() / "compiled"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # not writable, or no home at all
        return
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)


def versions() -> dict[str, str]:
    """Versions of Python, of this package and of what it computes with, as far as installed."""
    found = {"python": platform.python_version()}
    for name in _NAMED:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def git_revision() -> str | None:
    """The commit of the checkout this package runs from, with "+" where it was changed; None outside a checkout."""
    home = Path(__file__).parent
    try:
        head = subprocess.run(
            ["git", "-C", str(home), "rev-parse", "HEAD"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        ).stdout.strip()
        tracked = subprocess.run(
            ["git", "-C", str(home), "ls-files", "--error-unmatch", __file__],
            capture_output=True,
            timeout=10,
        )
        changed = subprocess.run(
            ["git", "-C", str(home), "status", "--porcelain"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
    return None if tracked.returncode else head + ("+" if changed else "")


def fingerprint(*places: Path) -> str:
    """Hash of Python sources, files or all below a folder: results of another version are never taken for this one's."""
    digest = hashlib.sha256()
    for place in places:
        for path in [place] if place.is_file() else sorted(place.rglob("*.py")):
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]
