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
from pathlib import Path
from typing import Any

_NAMED = ("ascentfail", "jax", "jaxlib", "numpy", "mpmath", "matplotlib", "python-flint", "sympy")


def write_atomic(path: Path, content: str | bytes) -> None:
    """Writes a file whole or not at all: to a neighbour first, then renamed into place.

    Args:
        path: target; its folder is created.
        content: text (UTF-8) or bytes.

    Raises:
        OSError: the folder cannot be written or the disk is full; nothing half-written stays behind.
    """
    target = Path(os.path.realpath(path))  # a link is written through, not replaced
    if target.exists() and not target.is_file():
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        os.chmod(name, 0o644)
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_json(path: Path, data: Any) -> None:
    """Writes plain data as JSON, atomically; NaN and infinity are refused. Raises: OSError, ValueError."""
    write_atomic(path, json.dumps(data, indent=1, allow_nan=False) + "\n")


def cache_folder() -> Path:
    """The one cache: $ASCENTFAIL_CACHE, else $XDG_CACHE_HOME/ascentfail, else ~/.cache/ascentfail."""
    named = os.environ.get("ASCENTFAIL_CACHE")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "ascentfail"


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
            ["git", "-C", str(home), "rev-parse", "HEAD"], capture_output=True, text=True, timeout=10, check=True
        ).stdout.strip()
        tracked = subprocess.run(
            ["git", "-C", str(home), "ls-files", "--error-unmatch", __file__], capture_output=True, timeout=10
        )
        changed = subprocess.run(
            ["git", "-C", str(home), "status", "--porcelain"], capture_output=True, text=True, timeout=10, check=True
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
    return None if tracked.returncode else head + ("+" if changed else "")


def fingerprint(*folders: Path) -> str:
    """Hash of the Python sources below some folders: results of another version are never taken for this one's."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]
