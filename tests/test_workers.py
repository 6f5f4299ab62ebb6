"""Work in several processes: however the one that started them ends, none is left, and no file is half-written."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from ascentfail.core import workers

PROC = Path("/proc")
linux = pytest.mark.skipif(
    not (PROC / "self" / "stat").exists(), reason="children are looked up in /proc"
)
SOON = 30.0  # seconds, on a machine that has much else to do

MODULE = """
import ctypes, os, pathlib, signal, time
from ascentfail.core import files

def begin():
    pathlib.Path(f"begun-{os.getpid()}").touch()

def rest(seconds):
    begin()
    time.sleep(seconds)

def write(name):
    replace = os.replace
    def slow(*names):
        begin()
        time.sleep(0.5)
        replace(*names)
    os.replace = slow
    while True:
        files.write_atomic(pathlib.Path(name), "x" * 100_000)

def deaf(seconds):
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # another thread gets the signal, this one sleeps on
    begin()
    ctypes.CDLL(None).sleep(seconds)

def end(name):
    os._exit(3)
"""
PROGRAM = """
import sys
import work
from ascentfail.core import workers

if __name__ == "__main__":
    with workers.stoppable():
        list(workers.results([{task}], {jobs}))
"""
# a shell ignores Ctrl-C for what it runs in the background, nohup a hang-up, and so would all that the tests start then
INTERRUPTIBLE = """
import os, signal, sys
for number in (signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])
"""


def stat(pid):
    """State and parent of a process, None of one that is gone."""
    try:
        state, parent = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[:2]
    except OSError:
        return None
    return state, int(parent)


def runs(pid):
    return (stat(pid) or "Z")[0] != "Z"


def below(pid):
    """All processes that a process started, and that these did."""
    children = [
        int(p.name)
        for p in PROC.iterdir()
        if p.name.isdigit() and (stat(p.name) or (0, 0))[1] == pid
    ]
    return children + [grandchild for child in children for grandchild in below(child)]


def until(true):
    end = time.monotonic() + SOON
    while not true() and time.monotonic() < end:
        time.sleep(0.02)
    assert true()


def started(command, folder, begun, **environment):
    """The process once it has begun as many tasks, and all that it started."""
    command = [sys.executable, "-c", INTERRUPTIBLE, *command]
    with (folder / "stderr").open("w") as stderr:
        streams = {"stdout": subprocess.DEVNULL, "stderr": stderr}
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **environment},
            start_new_session=True,
            **streams,
        )
    until(lambda: begun(process) or process.poll() is not None)
    return process, below(process.pid)


@pytest.fixture
def program(tmp_path):
    """Starts the program on a task; everything that is left at the end of the test is killed."""
    (tmp_path / "work.py").write_text(MODULE)
    left = []

    def start(task, jobs=2):
        (tmp_path / "program.py").write_text(textwrap.dedent(PROGRAM.format(task=task, jobs=jobs)))
        command = [sys.executable, "program.py"]
        process, others = started(
            command, tmp_path, lambda _: len(list(tmp_path.glob("begun-*"))) >= jobs
        )
        left.extend([process.pid, *others])
        assert process.poll() is None, (tmp_path / "stderr").read_text()
        return process, others

    yield start
    for pid in filter(runs, left):
        os.kill(pid, signal.SIGKILL)


ENDS = {
    "terminated": ([signal.SIGTERM], False, 143),
    "hung up": ([signal.SIGHUP], True, 129),
    "Ctrl-C": ([signal.SIGINT], True, 130),
    "Ctrl-C twice": ([signal.SIGINT, signal.SIGINT], True, 130),
    "all terminated": ([signal.SIGTERM], True, 143),
    "killed": ([signal.SIGKILL], False, -9),
}


@linux
@pytest.mark.parametrize(("signals", "group", "code"), ENDS.values(), ids=ENDS)
def test_no_process_is_left(program, tmp_path, signals, group, code):
    process, others = program("*[(work.rest, 600)] * 4")
    assert len(others) >= 2
    for number in signals:
        (os.killpg if group else os.kill)(process.pid, number)
    assert process.wait(SOON) == code
    until(lambda: not any(map(runs, others)))
    assert "Traceback" not in (tmp_path / "stderr").read_text()


@linux
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_file_is_finished_before_the_end(program, tmp_path, number):
    """Each worker is stopped while it is about to rename what it wrote."""
    process, others = program("(work.write, 'a'), (work.write, 'b')")
    os.kill(process.pid, number)
    process.wait(SOON)
    until(lambda: not any(map(runs, others)))
    assert not [p.name for p in tmp_path.iterdir() if p.name.startswith(".")]
    assert {len((tmp_path / name).read_text()) for name in "ab" if (tmp_path / name).exists()} <= {
        100_000
    }


@linux
def test_the_end_comes_while_the_main_process_is_deaf(program):
    """Compiled code that does not return: no handler runs, and the process ends all the same."""
    process, _ = program("(work.deaf, 600)", jobs=1)
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(SOON) == 143


@linux
def test_a_lost_worker_is_said(program, tmp_path):
    (tmp_path / "lost.py").write_text(
        "import work\nfrom ascentfail.core import workers\n"
        "if __name__ == '__main__':\n"
        "    try:\n        list(workers.results([(work.end, 'a'), (work.rest, 600)], 2))\n"
        "    except workers.WorkerLostError:\n        print('lost')\n"
    )
    done = subprocess.run(
        [sys.executable, "lost.py"], cwd=tmp_path, capture_output=True, text=True, timeout=SOON
    )
    assert (done.returncode, done.stdout) == (0, "lost\n"), done.stderr


def test_results_come_with_their_index():
    tasks = [(pow, 2, 3), (pow, 3, 2), (len, "four")]
    assert (
        dict(workers.results(tasks, 1)) == dict(workers.results(tasks, 1000)) == {0: 8, 1: 9, 2: 4}
    )
    assert list(workers.results([], 2)) == []


def test_what_a_task_raises_is_raised_here():
    for jobs in (1, 2):
        with pytest.raises(TypeError):
            list(workers.results([(len, 3), (len, "four")], jobs))


def test_handlers_are_put_back():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with workers.stoppable():
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] != before
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
