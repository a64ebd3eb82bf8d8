"""The trace runs the room's own lines, names them as the note does, and tells where a changed line departs from autograd."""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

import reference
from parity_tests.mutation.catalogue import catalogue
from parity_tests.mutation.command import with_fault

from . import ROOMS, BrokenLineError, problem, ran, text, trace
from .__main__ import main, verdict
from .by_torch import values

ROOT = Path(__file__).parent.parent.parent
# Options of the room, and P, the width of a projection, which is a size.
KINDS = [
    ("rnn", {"nonlinearity": "tanh"}),
    ("rnn", {"nonlinearity": "relu"}),
    ("lstm", {}),
    ("lstm", {"P": 3}),
    ("gru", {"reset_after": True}),
    ("gru", {"reset_after": False}),
]
IDS = ["rnn", "rnn-relu", "lstm", "lstm-proj", "gru", "gru-before"]
kinds = pytest.mark.parametrize(("cell", "options"), KINDS, ids=IDS)


@kinds
def test_what_is_traced_is_what_the_room_computes(cell, options):
    room = getattr(reference, cell)
    q = problem(room, T=4, B=3, I=2, H=5, seed=7, **options)
    quantities = trace(room, q)
    y, _, k = room.forward(q.p, q.x, q.s, **q.options)
    dp, dx, ds_0 = room.backward(q.dy, q.ds, k)
    h = {one.t: one.value for one in quantities if one.verb == "step_forward" and one.name == "h"}
    assert np.array_equal([h[t] for t in range(4)], y)
    last = {one.name: one.value for one in quantities if one.verb == "backward"}
    for name, v in (dp._asdict() | {"x": dx} | {f"{f}_0": v for f, v in ds_0._asdict().items()}).items():
        assert v is None or np.array_equal(last[f"d{name}"], v), name


@kinds
def test_every_quantity_has_a_counterpart_by_autograd_and_is_equal(cell, options):
    room = getattr(reference, cell)
    q = problem(room, T=4, B=3, I=2, H=5, seed=7, **options)
    run, others = ran(room, q), values(cell, q)
    assert {one.key for one in (*run.quantities, *run.handed)} == others.keys()
    assert not [one.key for one in (*run.quantities, *run.handed) if text.differs(one, others)]
    assert text.complete(run.quantities, run.handed, others) == run.quantities


@kinds
def test_every_label_of_the_trace_is_in_the_note_and_every_equation_in_the_docstring_is_traced(cell, options):
    room, note = getattr(reference, cell), (ROOT / "notes" / "cells" / f"{cell}.md").read_text(encoding="utf-8")
    traced = {label for one in trace(room, problem(room, **{"H": 5} | options)) for label in one.labels}
    defined = set(re.findall(r"^\*\*`?\(([A-Z]\d\*?)\)`?\*\*", note, flags=re.M))
    assert traced <= defined
    assert {label for label in defined if "5" not in label or "P" in options} == traced  # L5 is the projection
    assert set(text.equations(room)) == {label for label in defined if not label.endswith("*")}


@kinds
def test_the_line_that_a_quantity_points_to_is_the_line_that_computes_it(cell, options):
    room = getattr(reference, cell)
    lines = (ROOT / "reference" / "cells" / f"{cell}.py").read_text(encoding="utf-8").splitlines()
    for one in trace(room, problem(room, **{"H": 5} | options)):
        assert all(label in "\n".join(lines[one.line - 1 : one.line + 1]) for label in one.labels), one.key


ROOM_FAULTS = [f for f in catalogue() if f.equation and f.room in ("cells/rnn", "cells/lstm", "cells/gru")]


@cache
def by_torch(kind):
    cell, options = dict(zip(IDS, KINDS, strict=True))[kind]
    return values(cell, problem(getattr(reference, cell), T=4, B=3, I=2, H=5, seed=7, **options))


@pytest.mark.parametrize("fault", ROOM_FAULTS, ids=lambda f: f.name)
def test_a_broken_line_shows(fault):
    """Every fault of the catalogue that sits in a room changes some quantity of the trace."""
    cell, seen = fault.room.partition("/")[2], []
    for kind in fault.kinds:
        options = dict(zip(IDS, KINDS, strict=True))[kind][1]
        room = getattr(with_fault(fault), cell)
        q = problem(room, T=4, B=3, I=2, H=5, seed=7, **options)
        seen += [one for one in trace(room, q) if text.differs(one, by_torch(kind))]
    assert seen


LOOPS = [
    ("rnn", "dh[t + 1] += dy[t]", "dh[t + 1] = dy[t]", "dh[3], backward, t = 2, which no line computes"),
    ("lstm", "dh[t + 1] += dy[t]", "dh[t + 1] = dy[t]", "dh[3], backward, t = 2, which no line computes"),
    ("gru", "dh[-1] = ds.h", "dh[-1] = 0", "dh[3], backward, t = 2, line"),
    ("rnn", "h[0] = s.h", "h[0] = 0", "h entering, forward, t = 0, line"),
    ("gru", "h[0] = s.h", "h[0] = 0", "h entering, forward, t = 0, line"),
    ("lstm", "h[0], c[0] = s", "h[0], c[0] = s.h, 0", "c entering, forward, t = 0, line"),
    ("gru", "k.q[t], k.h[t], k", "k.q[t], k.h[t + 1], k", "h_prev entering, backward, t = 2, line"),
    ("lstm", "dc[t + 1], k.gates[t], k.c[t],", "dc[t + 1], k.gates[t], k.c[t + 1],", "c_prev entering, backward, t = 2, line"),
    ("lstm", "return h, c, join(i, f, g, o)", "return h, c, join(f, i, g, o)", "gates leaving, forward, t = 0, line"),
    ("gru", "return join(da_rz, da_n), join", "return join(da_rz, dq), join", "da_x leaving, backward, t = 2, line"),
    ("rnn", "return h[1:], State", "return h[:-1], State", "y leaving, forward, all steps at once, line"),
    ("rnn", "return da, da @ p.W_hh  ", "return da, da @ p.W_ih  ", "dh_prev, backward, t = 2, line"),
    ("gru", "dh[t] = step_backward(k.p, dh[t + 1]", "dh[t] = step_backward(k.p, dh[-1]", "dh entering, backward, t = 1, line"),
]


@pytest.mark.parametrize(("cell", "line", "broken", "said"), LOOPS, ids=[f"{cell}-{broken}" for cell, _, broken, _ in LOOPS])
def test_a_broken_loop_is_named_and_no_equation_is_blamed_for_it(cell, line, broken, said):
    """What a line no longer computes is shown; what enters a step is held against autograd's as well."""
    room = with_line(getattr(reference, cell), line, broken)
    q = problem(room)
    run = ran(room, q)
    quantities = text.complete(run.quantities, run.handed, values(cell, q))
    wrong = [one for one in quantities if text.differs(one, values(cell, q))]
    assert f"the first is {said}" in verdict(quantities, values(cell, q), wrong)


@pytest.mark.parametrize(
    ("cell", "line", "broken", "said"),
    [
        ("rnn", "h @ p.W_hh.T + p.b_hh", "h @ p.W_hh.T + p.b", r"rnn\w*\.py, line 44, R1: AttributeError: .*'b'"),
        ("gru", "    da_n = dn * (1 - n**2)  ", "    a_n = dn * (1 - n**2)  ", r"gru\w*\.py, line 67, G3\*: NameError: .*'da_n'"),
        ("lstm", "    c = f * c + i * g ", "    raise ValueError('mine') ", r"lstm\w*\.py, line 53, L3: ValueError: mine"),
        ("rnn", "for t in range(T):", "while True:", r"line 60: the trace cannot run a statement of the kind 'while'"),
    ],
)
def test_a_line_that_cannot_be_run_is_named(cell, line, broken, said):
    room = with_line(getattr(reference, cell), line, broken)
    with pytest.raises(BrokenLineError, match=said):
        ran(room, problem(room))


def test_the_command_says_in_one_sentence_which_line_cannot_be_run(capsys, monkeypatch):
    monkeypatch.setitem(ROOMS, "rnn", with_line(reference.rnn, "np.tanh(a)", "np.tahn(a)"))
    assert main(["rnn"]) == 1
    assert re.fullmatch(r"error: reference/cells/rnn\w*\.py, line 45, R2: AttributeError: .*\n", capsys.readouterr().err)


@pytest.mark.parametrize(
    "same",
    [
        "a: Array = a_x + h @ p.W_hh.T + p.b_hh",
        "a = a_x\n    a = a + h @ p.W_hh.T + p.b_hh",
        "a = a_x.copy()\n    a += h @ p.W_hh.T + p.b_hh",
        "if True:\n        a = a_x + h @ p.W_hh.T + p.b_hh  # R1\n        return np.tanh(a)  # R2\n    ",
    ],
)
def test_the_same_written_otherwise_is_traced_as_well(same):
    room = with_line(reference.rnn, "a = a_x + h @ p.W_hh.T + p.b_hh", same)
    q = problem(room)
    run, others = ran(room, q), values("rnn", q)
    assert {one.key for one in (*run.quantities, *run.handed)} == others.keys()
    assert not [one.key for one in text.complete(run.quantities, run.handed, others) if text.differs(one, others)]


def with_line(room, line, broken):
    """The room with one line of its file changed."""
    source = room.__loader__.get_source(room.__name__)
    assert source.count(line) == 1
    changed = source.replace(line, broken)
    module = ModuleType(room.__name__ + "_broken")
    module.__loader__ = SimpleNamespace(get_source=lambda _: changed)
    module.__package__ = room.__package__
    sys.modules[module.__name__] = module
    exec(compile(changed, room.__file__, "exec"), vars(module))
    return module


def test_the_command(capsys, tmp_path):
    assert main(["gru", "--reset", "before", "--html", str(tmp_path / "t.html")]) == 0
    out = capsys.readouterr().out
    assert "(r * h) @ p.W_hh[2 * H :]" in out
    assert "all equal to torch autograd's" in out
    page = (tmp_path / "t.html").read_text(encoding="utf-8")
    assert "✓" in page
    assert "http" not in page
    assert main(["lstm", "--proj-size", "1", "--html", str(tmp_path / "t.html")]) == 0
    assert "h @ p.W_hr.T" in (tmp_path / "t.html").read_text(encoding="utf-8")
    assert main(["rnn", "--nonlinearity", "relu"]) == 0
    assert "relu(a)" in capsys.readouterr().out
    assert main(["rnn", "--html", str(tmp_path / "t.html" / "no")]) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert main(["lstm", "--autograd", "no", "--color", "always"]) == 0
    assert "torch  " not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["lstm", "--proj-size", "2"], "--proj-size must be below --H, which is 2; got 2"),
        (["gru", "--proj-size", "1"], "--proj-size is for lstm only; got it for gru"),
        (["lstm", "--nonlinearity", "relu"], "--nonlinearity is for rnn only; got it for lstm"),
        (["lstm", "--seed", "-1"], "--seed: must be a whole number, 0 or more; got -1"),
        (["lstm", "--H", "two"], "--H: must be a whole number, 1 or more; got two"),
    ],
)
def test_an_option_that_cannot_be_is_refused(given, said, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(given)
    assert said in capsys.readouterr().err


def test_the_trace_does_not_load_torch_until_it_compares():
    code = "import sys, notes.trace.__main__ as m; m.main(['rnn', '--autograd', 'no']); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False).returncode == 0
