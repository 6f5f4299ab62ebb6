"""Files are written whole or not at all, and say where they come from."""

import errno
import json
import math
import os
import pathlib
import stat

import jax
import pytest

from ascentfail.core import files


@pytest.fixture
def compile_cache_restored():
    names = (
        "jax_compilation_cache_dir",
        "jax_persistent_cache_min_compile_time_secs",
        "jax_persistent_cache_min_entry_size_bytes",
    )
    before = {name: getattr(jax.config, name) for name in names}
    yield
    for name, value in before.items():
        jax.config.update(name, value)


@pytest.mark.parametrize("content", ["text, Unicode: ∇λ ≥ 0\n", b"\x00\xff bytes", "", b""])
def test_content_arrives_whole(tmp_path, content):
    path = tmp_path / "deep" / "er" / "file.txt"
    files.write_atomic(path, content)
    assert path.read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert [p.name for p in path.parent.iterdir()] == ["file.txt"]
    assert stat.S_IMODE(path.stat().st_mode) & 0o600 == 0o600
    files.write_atomic(path, "again")
    assert path.read_text() == "again"


class FullDisk:
    """A file on a full disk: half of the bytes, then an error."""

    def __init__(self, handle):
        self.handle = handle

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.handle)

    def write(self, content):
        os.write(self.handle, content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("existing", [None, "what was there"])
@pytest.mark.parametrize("when", ["write", "replace"])
def test_a_full_disk_leaves_nothing_behind(tmp_path, monkeypatch, when, existing):
    path = tmp_path / "result.json"
    if existing:
        path.write_text(existing)

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        if when == "write":
            patched.setattr(files.os, "fdopen", lambda handle, mode: FullDisk(handle))
        else:
            patched.setattr(files.os, "replace", full)
        with pytest.raises(OSError, match="No space"):
            files.write_atomic(path, "new content")
    assert [p.name for p in tmp_path.iterdir()] == (["result.json"] if existing else [])
    assert not existing or path.read_text() == existing


def test_an_interruption_leaves_nothing_behind(tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(files.os, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt):
            files.write_atomic(tmp_path / "result.json", "new content")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("below", ["file", "file/deeper"])
def test_a_folder_that_is_a_file_is_an_error(tmp_path, below):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError) as caught:
        files.write_atomic(tmp_path / below / "result.json", "content")
    assert caught.value.filename
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_target_that_is_a_folder_is_an_error(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError):
        files.write_atomic(tmp_path / "folder", "content")
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_json_refuses_what_json_has_not(tmp_path, bad):
    with pytest.raises(ValueError, match="JSON"):
        files.write_json(tmp_path / "x.json", {"a": [1.0, {"b": bad}]})
    with pytest.raises(TypeError):
        files.write_json(tmp_path / "x.json", {"a": object()})
    assert list(tmp_path.iterdir()) == []


def test_json_keeps_floats_exactly(tmp_path):
    data = {"a": [0.1, 1e-300, 1 / 3, 5e-324, -0.0], "b": None, "c": {"d": "é"}}
    files.write_json(tmp_path / "x.json", data)
    assert json.loads((tmp_path / "x.json").read_text()) == data


def test_versions_name_what_computes():
    found = files.versions()
    assert {"python", "ascentfail", "jax", "jaxlib", "numpy", "mpmath", "matplotlib"} <= set(found)
    assert all(isinstance(version, str) and version for version in found.values())


def test_a_missing_package_has_no_version(monkeypatch):
    monkeypatch.setattr(files, "_NAMED", ("jax", "no-such-package-anywhere"))
    assert set(files.versions()) == {"python", "jax"}


def test_the_cache_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("ASCENTFAIL_CACHE", str(tmp_path / "own"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert files.cache_folder() == tmp_path / "own"
    monkeypatch.delenv("ASCENTFAIL_CACHE")
    assert files.cache_folder() == tmp_path / "xdg" / "ascentfail"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert files.cache_folder() == tmp_path / ".cache" / "ascentfail"


def test_the_compile_cache_is_set(monkeypatch, tmp_path, compile_cache_restored):
    monkeypatch.setenv("ASCENTFAIL_CACHE", str(tmp_path / "cache"))
    files.enable_compile_cache()
    assert jax.config.jax_compilation_cache_dir == str(tmp_path / "cache" / "compiled")
    assert (tmp_path / "cache" / "compiled").is_dir()


def test_an_unwritable_cache_is_no_error(monkeypatch, tmp_path, compile_cache_restored, capsys):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("ASCENTFAIL_CACHE", str(tmp_path / "file" / "cache"))
    before = jax.config.jax_compilation_cache_dir
    files.enable_compile_cache()
    assert jax.config.jax_compilation_cache_dir == before
    assert capsys.readouterr() == ("", "")


def test_the_fingerprint_follows_the_sources():
    folder = pathlib.Path(files.__file__).parent
    found = files.fingerprint(folder)
    assert len(found) == 16 and int(found, 16) >= 0 and found == files.fingerprint(folder)
    assert found != files.fingerprint(folder.parent / "tests")


# --- found by trying ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("named", [True, False])
def test_no_home_is_no_error(monkeypatch, tmp_path, compile_cache_restored, named):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(pathlib.Path, "home", homeless)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("ASCENTFAIL_CACHE", raising=False)
    if named:
        monkeypatch.setenv("ASCENTFAIL_CACHE", str(tmp_path / "own"))
    files.enable_compile_cache()


def test_a_link_is_written_through(tmp_path):
    (tmp_path / "real.json").write_text("old")
    (tmp_path / "link.json").symlink_to(tmp_path / "real.json")
    files.write_atomic(tmp_path / "link.json", "new")
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "real.json").read_text() == "new"


def test_what_is_no_regular_file_is_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        files.write_atomic(pipe, "new")
    except OSError:
        pass
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_the_error_names_the_target(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError) as caught:
        files.write_atomic(tmp_path / "folder", "content")
    assert str(caught.value.filename) == str(tmp_path / "folder")


@pytest.mark.parametrize(
    ("name", "below"), [("ASCENTFAIL_CACHE", "own"), ("XDG_CACHE_HOME", ".cache/ascentfail")]
)
def test_a_tilde_in_the_environment_makes_no_folder_of_that_name(
    monkeypatch, tmp_path, name, below
):
    """No shell expands it there; XDG's folders must be absolute and do not count otherwise."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for known in ("ASCENTFAIL_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(known, raising=False)
    monkeypatch.setenv(name, "~/own")
    assert files.cache_folder() == tmp_path / below


def test_a_home_that_is_not_there_is_no_error(monkeypatch, tmp_path, compile_cache_restored):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASCENTFAIL_CACHE", "~no-such-user-anywhere/x")
    files.enable_compile_cache()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("length", [251, 255])
def test_a_name_as_long_as_names_may_be(tmp_path, length):
    path = tmp_path / ("x" * (length - 5) + ".json")
    files.write_json(path, 1)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "write", [files.check_writable, lambda path: files.write_atomic(path, "content")]
)
def test_what_cannot_be_written_is_said_before_and_after_in_the_same_way(tmp_path, write):
    (tmp_path / "file").write_text("in the way")
    for path in (
        tmp_path,
        tmp_path / "file" / "v.json",
        tmp_path / "file" / "deep" / "v.json",
        tmp_path / ("x" * 300),
    ):
        with pytest.raises(OSError) as caught:
            write(path)
        assert str(caught.value.filename) in str(path)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_folder_may_be_new_and_may_not_be_a_file(tmp_path):
    files.check_writable(tmp_path / "a" / "b", folder=True)
    files.check_writable(tmp_path, folder=True)
    (tmp_path / "file").write_text("in the way")
    for path in (tmp_path / "file", tmp_path / "file" / "b"):
        with pytest.raises(NotADirectoryError):
            files.check_writable(path, folder=True)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_an_unwritable_folder_is_said_before(tmp_path, monkeypatch):
    monkeypatch.setattr(files.os, "access", lambda *_: False)  # root may write everywhere
    with pytest.raises(PermissionError):
        files.check_writable(tmp_path / "v.json")
