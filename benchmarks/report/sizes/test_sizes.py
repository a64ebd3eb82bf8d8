"""Laws are recovered from times that follow them, bends from times that bend, and none from scatter."""

import numpy as np
import pytest
from scipy import stats

from ..test_command import case, load, result, row
from .fit import APART, law
from .tables import exponents, fits, holds, is_wide, threads_help

SIZES = np.array([10, 20, 50, 100, 200, 500, 1000])


def scattered(seed, k=1.0, sizes=SIZES, spread=0.05, before=None, at=100):
    """Times that follow size^k, below a size size^before, with normal scatter in logarithms."""
    x = np.log(sizes / at)
    slope = np.where(x > 0, k, k if before is None else before)
    return 1e-3 * np.exp(slope * x + spread * np.random.default_rng(seed).standard_normal(len(sizes)))


@pytest.mark.parametrize("k", [0.5, 1.0, 1.75])
def test_a_power_law_is_recovered(k):
    of = law(SIZES, 1e-5 * SIZES**k)
    assert of.k == pytest.approx(k)
    assert (of.bend, of.before) == (None, None)
    assert of.off == pytest.approx(1)
    assert of.at == pytest.approx(1e-5 * SIZES**k)


def test_a_line_and_its_interval_are_scipys():
    seconds = scattered(0, k=0.8, spread=0.1)
    of, theirs = law(SIZES, seconds), stats.linregress(np.log(SIZES), np.log(seconds))
    reach = stats.t.ppf(0.975, len(SIZES) - 2) * theirs.stderr
    assert of.bend is None
    assert (of.k, of.low, of.high) == pytest.approx((theirs.slope, theirs.slope - reach, theirs.slope + reach))


@pytest.mark.parametrize("at", [50, 100, 200])
def test_a_bend_is_recovered(at):
    of = law(SIZES, scattered(0, k=1.0, before=0.2, at=at, spread=0.001))
    assert of.bend == at
    assert (of.k, of.before) == pytest.approx((1.0, 0.2), abs=0.01)
    assert of.low < of.k < of.high


def test_the_interval_beyond_a_bend_counts_the_bend_as_fitted():
    """Constant, two slopes and the place: of seven sizes three are left."""
    seconds = scattered(0, k=1.0, before=0.2, spread=0.02)
    of, x, t = law(SIZES, seconds), np.log(SIZES / 100), np.log(seconds)
    columns = np.stack([np.ones(7), np.minimum(x, 0), np.maximum(x, 0)], axis=1)
    (*_, k), (left,), *_ = np.linalg.lstsq(columns, t, rcond=None)
    reach = stats.t.ppf(0.975, 3) * np.sqrt(left / 3 * np.linalg.inv(columns.T @ columns)[2, 2])
    assert of.bend == 100
    assert (of.k, of.low, of.high) == pytest.approx((k, k - reach, k + reach))


def test_scatter_alone_seldom_bends():
    """One in twenty would, by the threshold; what bends less than APART is left out besides."""
    laws = [law(SIZES, scattered(seed, spread=0.1)) for seed in range(400)]
    assert 2 <= sum(of.bend is not None for of in laws) <= 400 * 0.08
    assert 400 * 0.9 < sum(of.low < 1 < of.high for of in laws) <= 400 * 0.98


def test_a_bend_in_scatter_is_found_most_of_the_time():
    laws = [law(SIZES, scattered(seed, k=1.0, before=0.2, spread=0.05)) for seed in range(100)]
    assert sum(of.bend in (50, 100, 200) for of in laws) > 90


def test_exponents_that_hardly_differ_are_one():
    assert law(SIZES, scattered(0, k=1.0, before=1.0 - 0.5 * APART, spread=1e-6)).bend is None
    assert law(SIZES, scattered(0, k=1.0, before=1.0 - 2 * APART, spread=1e-6)).bend == 100


def test_few_sizes_have_a_line_and_no_interval_they_cannot_have():
    three, two = law(np.array([8, 32, 128]), np.array([1.0, 2.0, 5.0])), law(np.array([8, 128]), np.array([1.0, 4.0]))
    assert three.low < three.k < three.high
    assert two.k == pytest.approx(0.5)
    assert np.isnan(two.low)


def test_a_fit_leaves_out_what_was_not_timed():
    sizes, times = [16, 32, 64, 256], [1e-3, 1.5e-3, 4e-3, 3e-2]
    rows = [row(case(H=H), "numpy", t) for H, t in zip(sizes, times, strict=True)]
    rows.append(row(case(H=1024), "numpy", status="out of memory", reason="too large"))
    ((own, axis, of),) = fits(load(result(rows, "scaling")))
    assert of.k == pytest.approx(np.polyfit(np.log(sizes), np.log(times), 1)[0])
    assert (axis, len(own), own.held.iloc[0]) == ("H", 4, "T20 B4 I=H")


def test_a_narrow_sweep_is_not_fitted():
    assert not list(fits(load(result([row(case(B=B), "numpy", 1e-3) for B in (7, 8, 9, 16)]))))
    assert not is_wide([16, 127, 128, 129])
    assert is_wide([16, 127, 129, 1024])


def test_the_table_names_exponent_bend_and_cache():
    seconds = scattered(0, k=1.0, before=0.2, spread=0.001)
    content = result([row(case(T=int(T)), "numpy", s, bytes=1000 * int(T)) for T, s in zip(SIZES, seconds, strict=True)], "scaling")
    (table,) = exponents(load(content))
    (line,) = table.frame.to_dict("records")
    assert line["axis"] == "T 10 – 1000\nB4 H32"
    assert line["bends at"] == "T = 100\n100 kB"
    assert (line["k"].split("\n")[0], line["before it"]) == ("1.00", "0.20")
    content["machine"]["caches"] = {"L1": 48_000, "L2": 2_000_000}
    (table,) = exponents(load(content))
    assert table.frame["bends at"].tolist() == ["T = 100\n100 kB, in L2"]


@pytest.mark.parametrize(("size", "level"), [(10, "L1"), (48_000, "L1"), (48_001, "L2"), (10**9, "none")])
def test_the_smallest_cache_that_holds_it(size, level):
    content = result([row(case(), "numpy", 1e-3, bytes=size)])
    content["machine"]["caches"] = {"L2": 2_000_000, "L1": 48_000}
    assert holds(load(content).iloc[0]).endswith(f", in {level}")


def of_threads(gains):
    """Two files: with four threads and with one, of a case for each gain, by ascending work."""
    many = result([row(case(H=16 * 2**i), "numpy", 1e-3) for i in range(len(gains))])
    few = result([row(case(H=16 * 2**i), "numpy", 1e-3 * g) for i, g in enumerate(gains)])
    few["environment"]["torch_threads"] = 1
    return list(threads_help(load(few, many)))


@pytest.mark.parametrize(
    ("gains", "text"),
    [
        ((0.9, 1.0, 1.5, 1.8), "T20 B4 H64\n0.90 to 1.80"),
        ((1.2, 1.0, 1.5, 1.8), "T20 B4 H64\n1.20 to 1.80"),  # at a small size by chance
        ((1.2, 1.3, 1.5, 1.8), "T20 B4 H16\n1.20 to 1.80"),
        ((0.9, 1.5, 1.8, 1.0), "nowhere\n0.90 to 1.00"),
    ],
)
def test_from_which_work_on_more_threads_help(gains, text):
    (table,) = of_threads(gains)
    assert table.frame.to_dict("records") == [{"implementation": "numpy", "lstm, train": text}]
    assert table.title.startswith("From where on 4 threads help, against 1 · grid · float32")


def test_two_sizes_do_not_say_from_where():
    assert of_threads((1.0, 2.0)) == []
