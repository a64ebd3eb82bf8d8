"""The engine under Numba: threads, chunks, processors, its cache, what it says where Numba is missing.

That it is right at all, test_parity.py shows.
"""

import os
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba", reason="the engine under Numba is not installed")

import reference
from reference.common import extras
from reference.compiled import gru, jit, lstm, rnn, threads

from ..helpers import assert_equal, draw
from ..judge.cases import KINDS, table
from ..judge.implementations import BUILTIN
from ..judge.suite import run_case

ROOT = Path(__file__).parents[2]
LAYERS = pytest.mark.parametrize(
    ("name", "options"),
    [("RNN", {}), ("LSTM", {}), ("LSTM", {"proj_size": 5}), ("GRU", {}), ("GRU", {"reset_after": False})],
)


class ForwardOnly:
    """A layer's inference, to be judged as a forward."""

    def __init__(self, layer):
        self.forward = layer.infer


def everything(layer, x):
    """y, state, gradients of a forward and backward"""
    y, state, pull = layer.vjp(x)
    grads, dx, dstate = pull(np.cos(y))
    flat = [v for s in (state, dstate) for v in (s if isinstance(s, tuple) else (s,))]
    return [y, dx, *flat, *grads.values(), layer.infer(x)[0]]


def made(name, H=20, **options):
    return getattr(reference, name)(13, H, bidirectional=True, engine="compiled", rng=np.random.default_rng(0), **options)


def some(kind, dtype):
    """Every fifth of the named cases: enough for what is about the engine, and not about the cell"""
    cases = [case for case in table((dtype,)) if case.spec.kind == kind and not case.contract][::5]
    assert len(cases) > 15
    return cases


@pytest.mark.parametrize("kind", KINDS)
def test_results_do_not_depend_on_the_size_of_a_chunk(kind, monkeypatch):
    """The named cases are so small that one chunk holds them; here each has several, the last one shorter."""
    for room in (rnn, lstm, gru):
        monkeypatch.setattr(room, "AT_ONCE", 48)
        monkeypatch.setattr(room, "KEPT", 144)
    for case in some(kind, "float64"):
        result = run_case(BUILTIN["numba"], case)
        assert result.ok, (case.name, result.wrong)


@pytest.mark.parametrize("kind", KINDS)
def test_inference_is_the_forward(kind):
    whole = BUILTIN["numba"]
    alone = replace(whole, load=lambda spec, weights: ForwardOnly(whole.load(spec, weights)))
    for case in some(kind, "float32"):
        result = run_case(alone, case)
        assert result.ok, (case.name, result.wrong)


@LAYERS
@pytest.mark.parametrize("T", [1, 9])
def test_no_digit_depends_on_how_many_threads_share_the_work(name, options, T, monkeypatch):
    layer, x = made(name, **options), draw(1, T, 11, 13, dtype="float32")
    monkeypatch.setattr(threads, "PAYS", -1)
    results = {}
    for count in (1, 2, 3, 20):
        monkeypatch.setattr(threads.THREADS, "allowed", lambda count=count: count)
        results[count] = everything(layer, x)
    for count, result in results.items():
        for got, right in zip(result, results[1], strict=True):
            assert_equal(got, right, f"{count} threads")


@LAYERS
def test_threads_of_the_callers_own_do_not_disturb_each_other(name, options, monkeypatch):
    monkeypatch.setattr(threads, "PAYS", -1)
    monkeypatch.setattr(threads.THREADS, "allowed", lambda: 3)
    layer = made(name, **options)
    inputs = [draw(seed, 7, 5, 13, dtype="float32") for seed in range(8)]
    alone = [everything(layer, x) for x in inputs]
    with ThreadPoolExecutor(4) as pool:
        for result, right in zip(pool.map(lambda x: everything(layer, x), inputs), alone, strict=True):
            for got, expected in zip(result, right, strict=True):
                assert_equal(got, expected)


def test_what_a_thread_raises_is_raised(monkeypatch):
    monkeypatch.setattr(threads.THREADS, "allowed", lambda: 2)

    def call(start, stop):
        if start:
            raise ValueError("in the other thread")

    with pytest.raises(ValueError, match="in the other thread"):
        threads.share(call, 2, np.inf)


def test_where_no_thread_can_be_started_the_caller_does_it_all(monkeypatch):
    """As when Python is about to end."""
    monkeypatch.setattr(threads.THREADS, "allowed", lambda: 3)
    monkeypatch.setattr(threads.THREADS, "submit", lambda *work: None)
    done = []
    threads.share(lambda start, stop: done.append((start, stop)), 10, np.inf)
    assert sorted(done) == [(0, 3), (3, 6), (6, 10)]


@LAYERS
def test_weights_in_another_layout(name, options):
    """What has as many columns as a vector is written a vector at a time: it must lie in rows, whatever its weight does."""
    layer, x = made(name, H=40, **options), draw(1, 5, 9, 13, dtype="float32")
    right = everything(layer, x)
    layer.params = {key: np.asfortranarray(value) for key, value in layer.params.items()}
    for got, expected in zip(everything(layer, x), right, strict=True):
        assert_equal(got, expected)


def python(code, **environment):
    """What a new process prints"""
    kept = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    given = {**kept, "PYTHONPATH": str(ROOT), **environment}
    ran = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], env=given, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.split()


ALLOWED = "import reference; reference.RNN(2, 3, engine='compiled'); from reference.compiled.threads import THREADS as t; "


@pytest.mark.parametrize("variable", ["NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"])
def test_a_number_of_threads_in_the_environment_is_kept(variable):
    assert python(f"{ALLOWED} print(t.allowed())", **{variable: "1"}) == ["1"]


def test_a_number_of_threads_that_a_library_was_told_is_kept():
    code = f"import torch, numpy; torch.set_num_threads(1); {ALLOWED} print(t.allowed())"
    assert python(code) == ["1"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_that_was_forked_has_threads_of_its_own():
    code = """
        import os, warnings
        warnings.simplefilter("ignore")
        from reference.compiled import threads
        threads.THREADS.allowed = lambda: 2
        def work():
            done = []
            threads.share(lambda start, stop: done.append(stop - start), 2, float("inf"))
            return sum(done)
        assert work() == 2
        child = os.fork()
        if not child:
            threads.THREADS.allowed = lambda: 2
            os._exit(work())
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    assert python(code) == ["2"]


def test_without_numba_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == "numba" else True)
    says = "engine 'compiled': numba is needed and not installed; the extra 'compiled' brings what is missing: pip install"
    with pytest.raises(ValueError, match=says):
        reference.LSTM(3, 4, engine="compiled")
    case = next(iter(table()))
    assert "numba is needed" in BUILTIN["numba"].reason_to_decline(case.spec)


def test_reference_alone_does_not_load_numba():
    assert python("import sys, reference; print('numba' in sys.modules)") == ["False"]


def test_without_compilation_it_is_python():
    code = """
        import numpy as np, reference
        results = []
        for engine in ("definition", "compiled"):
            layer = reference.LSTM(3, 4, proj_size=2, dtype=np.float64, rng=np.random.default_rng(0), engine=engine)
            y, _ = layer(np.ones((3, 2, 3)))
            results.append([y, layer.backward(y)[0], *layer.grads.values()])
        from reference.compiled import lstm
        print(type(lstm.activate).__name__, max(abs(a - b).max() for a, b in zip(*results)) < 1e-15)
    """
    assert python(code, NUMBA_DISABLE_JIT="1") == ["function", "True"]


SMALL = """
    import sys
    sys.path.insert(0, sys.argv[1] if len(sys.argv) > 1 else {folder!r})
    from package.one import f
    print(f(2.0), *f.stats.cache_hits.values())
"""


@pytest.fixture
def package(tmp_path):
    """A package with this project's jit.py, and a function in one file that calls one of another"""
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "jit.py").write_bytes(Path(jit.__file__).read_bytes())
    (folder / "two.py").write_text("from .jit import compiled\n\n@compiled\ndef g(x):\n    return x + 1\n")
    (folder / "one.py").write_text("from .jit import compiled\nfrom .two import g\n\n@compiled\ndef f(x):\n    return 2 * g(x)\n")
    return folder


def ran(package, **environment):
    return python(SMALL.format(folder=str(package.parent)), **{"NUMBA_CACHE_DIR": "", **environment})


def test_what_was_compiled_is_kept_until_any_file_of_the_folder_changes(package):
    assert ran(package) == ["6.0"]
    assert ran(package) == ["6.0", "1"]
    two = package / "two.py"
    two.write_text(two.read_text().replace("x + 1", "x + 2"))
    assert ran(package) == ["8.0"]


def test_a_folder_that_cannot_be_written_is_no_error(package, tmp_path):
    file = tmp_path / "a_file"
    file.touch()
    assert ran(package, NUMBA_CACHE_DIR=str(file / "below")) == ["6.0"]


def test_a_process_never_takes_what_another_has_not_written_yet(tmp_path, monkeypatch):
    """While one saves float64, an older source's float32 lies there; Numba's own index would give that to the other."""
    one, other = (jit.Files(str(tmp_path), "f", jit.SOURCES) for _ in range(2))
    one.save(("float32",), "old")
    monkeypatch.setattr(jit, "SOURCES", "new")
    monkeypatch.setattr(other, "_source_stamp", "new")
    assert other.load(("float32",)) is None
    seen, write = [], one._save_data

    def slow(name, data):
        try:
            seen.append(other.load(("float64",)))
        except OSError:  # no such file: load_overload takes it as nothing kept
            seen.append(None)
        write(name, data)

    monkeypatch.setattr(one, "_save_data", slow)
    one.save(("float64",), "new")
    assert (seen, other.load(("float64",))) == ([None], "new")


def test_no_folder_for_a_cache_is_no_error(monkeypatch):
    def nowhere(function):
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(jit, "Cache", nowhere)
    assert jit.compiled(lambda x: x + 1)(1) == 2


def test_a_cache_that_breaks_is_no_error(monkeypatch):
    """A full disk, say."""

    def broken(self, *given):
        raise OSError("no space left on device")

    for name in ("load_overload", "save_overload"):
        monkeypatch.setattr(jit.FunctionCache, name, broken)
    assert jit.compiled(lambda x: x + 1)(1) == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("processor", "features", "registers"),
    [("haswell", "+avx2,+avx,+fma,+bmi,+bmi2,+sse4.2,-avx512f", "(32, 4)"), ("x86-64", "-avx,-avx2,-avx512f,+sse2", "(16, 4)")],
)
def test_a_processor_without_wide_vectors(processor, features, registers, tmp_path):
    """Compiled for an older processor, which this one is, too: everything that the suite has of one size."""
    if "avx512" not in Path("/proc/cpuinfo").read_text(encoding="utf-8"):
        pytest.skip("this processor has none itself, so the other tests show it")
    code = """
        from reference.compiled.vectors import BYTES, ROWS
        print((BYTES, ROWS))
        from parity_tests.judge.cases import table
        from parity_tests.judge.implementations import BUILTIN
        from parity_tests.judge.suite import run_case
        cases = [c for c in table() if c.name.endswith("T5B4I3H6") or c.lengths]
        assert len(cases) > 50 and all(run_case(BUILTIN["numba"], c).ok for c in cases)
    """
    given = {"NUMBA_CPU_NAME": processor, "NUMBA_CPU_FEATURES": features, "NUMBA_CACHE_DIR": str(tmp_path)}
    assert " ".join(python(code, **given)) == registers
