"""Commands in processes of their own: streams that fail or were closed before Python began, encodings, Ctrl-C, a terminal."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .commands import DOORS, ROOT
from .test_commands import NOT_WHOLE, WIDE, filled, places, too_long

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/dev/full, /proc and pseudoterminals are those of Linux")
__all__ = ["places"]
SOON = {module: (door.says or ["--help"])[0] for module, door in DOORS.items()}
FEW = ("notes.trace",)  # that are asked in the suite which is run always
STREAMS = {
    "a full disk": ("> /dev/full", {}, 2),
    "closed": (">&- 2>&- <&-", {}, 0),
    "no errors, no input": ("2> /dev/full <&-", {}, 0),
    "nobody reads": ("| head -0; exit ${PIPESTATUS[0]}", {}, 0),
    "ascii": ("", {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, 0),
}
FIRST = "/__init__.py", "torch_impl/early.py", "reference/common/extras.py"  # until these are loaded
SECONDS = 0.05, 0.3, 1.0, 3.0


def most(values, few):
    """All, of which only a few are not slow."""
    return [pytest.param(v, marks=[] if v in few else pytest.mark.slow) for v in values]


@pytest.fixture
def start(request, tmp_path):
    """Start a command, in an empty folder."""
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}

    def start(module, words, redirect="", **options):
        line = shlex.join([sys.executable, "-m", module, *filled(words, request).split()])
        environment = {k: v for k, v in os.environ.items() if k != "COLUMNS"} | one_thread | options.pop("env", {})
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "errors": "replace"} | options
        shell = ["bash", "-c", f"{'' if '|' in redirect else 'exec '}{line} {redirect}"]
        return subprocess.Popen(shell, cwd=tmp_path, env=environment, start_new_session=True, **pipes)

    # Where the tests run behind a shell, Ctrl-C is ignored, and so it would be in what they start.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield start
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("module", most(DOORS, FEW))
@pytest.mark.parametrize("streams", STREAMS)
def test_streams_that_fail(module, streams, start):
    redirect, environment, wanted = STREAMS[streams]
    process = start(module, SOON[module], redirect, env=environment)
    out, err = process.communicate()
    assert (process.returncode, "Traceback" in out + err) == (wanted, False), err
    assert "Exception ignored" not in err
    if wanted:
        assert err.endswith(NOT_WHOLE)
    if environment:
        assert out.isascii() and out


@pytest.mark.parametrize("module", most(DOORS, FEW))
def test_a_narrow_terminal_without_colours(module, start):
    out, status = on_a_terminal(start, module, SOON[module], NO_COLOR="1", TERM="xterm")
    assert status == 0
    assert re.findall(r"\x1b\[[\d;]*3\d[\d;]*m", out) == []
    assert too_long(re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", out)) == []


def on_a_terminal(start, module, words, **environment):
    """What a command prints on a terminal that is so wide, and its exit status."""
    import fcntl
    import pty
    import struct
    import termios

    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, WIDE, 0, 0))
    process = start(module, words, stdin=its, stdout=its, stderr=its, env=environment)
    os.close(its)
    text = b""
    try:
        while part := os.read(ours, 4096):
            text += part
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    return text.decode().replace("\r\n", "\n"), process.wait()


@pytest.mark.parametrize("module", most(DOORS, FEW))
@pytest.mark.parametrize("seconds", most(SECONDS, SECONDS[1:2]))
def test_ctrl_c_is_a_word_at_any_moment(module, seconds, start):
    """Before our first lines Python says what it says."""
    process = start(module, DOORS[module].long or SOON[module])
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=120)
    early = "Traceback" in err  # in site, or in the first few lines of ours
    assert process.returncode in ((1, -signal.SIGINT) if early else (0, 130, -signal.SIGINT)), err
    files = set(re.findall(rf'File "{ROOT}/(.*?)"', err))
    assert all(file.endswith(FIRST) for file in files) and "Exception ignored" not in err, err
    if process.returncode == 130:
        assert err.rpartition("\r")[2].lstrip().splitlines()[-1].startswith(("interrupted", "stopped after")), err


@pytest.mark.parametrize("module", most(DOORS, FEW))
def test_ctrl_c_while_modules_are_loaded(module, start, tmp_path):
    """As the first of what is not ours begins to load."""
    code = "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n"
    Path(tmp_path / "numpy.py").write_text(code, encoding="utf-8")
    process = start(module, "", env={"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])})
    out, err = process.communicate()
    assert (process.returncode, out, err) == (130, "", "interrupted\n")
