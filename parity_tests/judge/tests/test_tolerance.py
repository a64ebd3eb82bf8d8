"""The rule accepts what it should and rejects what is one rounding too large."""

import numpy as np
import pytest

from ..arithmetic import PRECISIONS
from ..cases import KINDS, Case, Spec
from ..implementations import BUILTIN
from ..oracle import jitter, truth
from ..suite import run_case
from ..tolerance import BASELINE_FACTOR, FLOOR_EPS, LIBM_FACTOR, LIBM_ULP, Verdict, allowed, judge

ORACLE = np.array([[1.0, -2.0], [0.5, 4.0]])


def test_the_rule_is_the_rule():
    """4 times the largest baseline error plus 16 eps of the largest value, to the last bit."""
    for dtype in ("float32", "float64"):
        baselines = [ORACLE + 1e-4, ORACLE - 3e-4]
        noise = np.abs(baselines[1] - ORACLE).max()
        expected = 4 * noise + 16 * np.finfo(dtype).eps * 4.0
        assert allowed(baselines, ORACLE, dtype).largest == pytest.approx(expected, rel=1e-15, abs=0)
    assert (BASELINE_FACTOR, FLOOR_EPS) == (4, 16)


def test_what_a_library_may_do_is_allowed_twice_where_that_is_more():
    """2 times the largest error of what elementary functions that are wrong by 4 ulp make, and nothing added to it."""
    baselines, moved = [ORACLE + 1e-4], [ORACLE + 5e-4, ORACLE - 7e-4]
    assert allowed(baselines, ORACLE, "float64", moved).largest == pytest.approx(2 * 7e-4, rel=1e-12, abs=0)
    assert allowed(baselines, ORACLE, "float64", [ORACLE + 1e-4]) == allowed(baselines, ORACLE, "float64")
    assert (LIBM_FACTOR, LIBM_ULP) == (2, 4)


@pytest.mark.parametrize("precision", ["bfloat16", "float16", "tf32"])
def test_a_factor_is_allowed_four_times_that_of_the_baselines_and_half_an_eps(precision):
    oracle, eps = np.random.default_rng(0).standard_normal((20, 20)), PRECISIONS[precision].eps
    limit = allowed([oracle * (1 + eps), oracle * (1 - eps / 2)], oracle, precision)
    assert limit.factor == pytest.approx(4.5 * eps)
    assert limit.largest == pytest.approx((4 + 2) * eps * np.abs(oracle).max())
    few = oracle[0, :4]
    assert allowed([few], few, precision).factor == pytest.approx(eps)
    assert judge("y", oracle * (1 + 0.49 * eps), [oracle], oracle, precision).ok
    verdict = judge("y", oracle * (1 + 0.51 * eps), [oracle], oracle, precision)
    assert not verdict.ok and verdict.ratio == pytest.approx(1.02) and "factor" in verdict.detail
    assert allowed([oracle], oracle, "float32").factor == np.inf


def test_moved_baselines_are_made_only_for_what_is_refused_without():
    asked = []

    def moved():
        asked.append(1)
        return [ORACLE + 1]

    assert judge("y", ORACLE, [ORACLE], ORACLE, "float64", moved=moved).ok and not asked
    assert judge("y", ORACLE + 2, [ORACLE], ORACLE, "float64", moved=moved).ok and asked
    assert not judge("y", ORACLE + 2.1, [ORACLE], ORACLE, "float64", moved=moved).ok


@pytest.mark.parametrize("name", [n for n in BUILTIN if n != "numpy"])
def test_where_all_baselines_round_alike(name):
    """Two units, one of them saturated, one step: each baseline of T2 rounds h² alike, and errors cancel in all of them."""
    case = Case(Spec("rnn", 7, 2, batch_first=True, bidirectional=True, dtype="float32"), T=1, B=1, gain=2.0)
    assert run_case(BUILTIN[name], case).ok


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_at_the_limit_yes_one_rounding_beyond_it_no(dtype):
    """An error one unit of the largest value's last place beyond the limit is rejected."""
    oracle = ORACLE.astype(np.longdouble)
    limit = allowed([ORACLE], oracle, dtype).largest
    ulp = np.finfo(dtype).eps * 4.0
    inside, outside = oracle.copy(), oracle.copy()
    inside[1, 1] += limit - ulp
    outside[1, 1] += limit + ulp
    assert judge("y", inside, [ORACLE], oracle, dtype).ok
    assert not judge("y", outside, [ORACLE], oracle, dtype).ok


def test_a_correct_result_rounded_to_its_dtype_is_accepted():
    exact = np.random.default_rng(0).standard_normal((5, 4, 6)).astype(np.longdouble)
    for dtype in ("float32", "float64"):
        rounded = exact.astype(dtype)
        assert judge("y", rounded, [rounded], exact, dtype).ok


def test_float32_noise_in_a_float64_result_is_rejected():
    case = Case(Spec("lstm", 3, 6, dtype="float64"))
    oracle, baselines = truth(case)
    for name, exact in oracle.items():
        v = judge(name, exact.astype(np.float32), [b[name] for b in baselines], exact, "float64")
        assert not v.ok, name


def test_nan_inf_and_wrong_shapes_are_never_accepted():
    for bad in (np.nan, np.inf):
        v = judge("y", np.full_like(ORACLE, bad), [ORACLE], ORACLE, "float64")
        assert not v.ok and v.step is None
    one = ORACLE.copy()
    one[1, 0] = np.nan
    assert judge("y", one, [ORACLE], ORACLE, "float64", axis=0).step == 1
    v = judge("y", ORACLE[:1], [ORACLE], ORACLE, "float64")
    assert (v.ok, v.why) == (False, "shape")


def test_the_first_wrong_step_is_the_first_computed():
    wrong = np.repeat(ORACLE[:, None], 5, axis=1)
    exact = wrong.copy()
    wrong[:, 1:4] += 1
    assert judge("y", wrong, [exact], exact, "float64", axis=1).step == 1
    assert judge("dx", wrong, [exact], exact, "float64", axis=1, backwards=True).step == 3


def test_zero_must_be_zero():
    zero = np.zeros(3)
    assert judge("y", zero, [zero], zero, "float64").ok
    assert not judge("y", zero + 1e-300, [zero], zero, "float64").ok
    assert Verdict("y", 0.0, 0.0, True).ratio == 0
    assert Verdict("y", 1.0, 0.0, False).ratio == np.inf


def test_a_rounding_moves_every_value():
    """The jittered baselines are what makes one lucky baseline harmless, so they must really differ."""
    case = Case(Spec("lstm", 3, 6, dtype="float64"))
    data = case.data()
    moved = jitter(data, np.random.default_rng(0))
    for a, b in zip(data.weights.values(), moved.weights.values(), strict=True):
        assert (a != b).all()
        assert (np.abs(a - b) <= 2 * np.finfo(float).eps * np.abs(a)).all()


@pytest.mark.parametrize("wide", [True, False], ids=["longdouble oracle", "float64 oracle"])
@pytest.mark.parametrize("kind", [k for k in KINDS if k != "rnn-relu"])
def test_saturated_cases_are_judged_fairly_whatever_longdouble_is(kind, wide, monkeypatch):
    """Also where longdouble is float64, as on Windows and Apple silicon, right implementations pass."""
    if not wide:
        monkeypatch.setattr(np, "longdouble", np.float64)
    for seed in range(6):
        case = Case(Spec(input_size=3, hidden_size=6, dtype="float64", **KINDS[kind]), gain=4.0, label=f"fair{seed}{wide}")
        assert run_case(BUILTIN["torch.loop"], case).ok
