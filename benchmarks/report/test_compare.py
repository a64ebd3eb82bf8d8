"""Comparing results of machines that do not exist."""

import pytest

from .compare import main
from .test_command import LIBRARY, SIZES, case, grid, result, row, save


def times(factor=1.0, spread=0.01, implementation="numpy"):
    """Three sizes; the second takes ``factor`` times as long."""
    return [row(case(*s), implementation, 1e-3 * (factor if i == 1 else 1), spread=spread) for i, s in enumerate(SIZES)]


@pytest.fixture
def compare(tmp_path, capsys):
    """Compare two lists of rows, or two results; returns the status and what was printed."""

    def run(a, b, *options):
        files = [save(tmp_path, n, r if isinstance(r, dict) else result(r)) for n, r in (("a", a), ("b", b))]
        status = main([*files, *options])
        return status, " ".join(capsys.readouterr().out.split())

    return run


def test_a_planted_slowdown_is_found(compare):
    status, out = compare(times(), times(1.2))
    assert status == 0
    assert "1.20×" in out
    assert "T50 B16 H64" in out
    assert "1 slower, 0 faster, 0 with another status, 2 unchanged" in out
    assert "interquartile ranges do not overlap, and the median moved by more than 5 percent" in out
    assert compare(times(), times(1.2), "--fail-slower", "10%")[0] == 1
    assert compare(times(), times(1.2), "--fail-slower", "30")[0] == 0


def test_what_got_faster_does_not_fail(compare):
    status, out = compare(times(), times(0.5), "--fail-slower", "10%")
    assert status == 0
    assert "0 slower, 1 faster" in out
    assert "0.50×" in out


@pytest.mark.parametrize(
    ("factor", "spread"),
    [
        (1.0, 0.01),  # the same
        (1.04, 0.001),  # ranges apart, but by less than 5 percent
        (1.2, 0.2),  # 20 percent, but the ranges overlap
    ],
)
def test_noise_is_not_a_change(factor, spread, compare):
    status, out = compare(times(spread=spread), times(factor, spread), "--fail-slower", "0%")
    assert status == 0
    assert "0 slower, 0 faster, 0 with another status, 3 unchanged" in out


def test_a_row_that_lost_its_time_fails(compare):
    b = [*times()[:2], row(case(*SIZES[2]), "numpy", status="wrong", reason="y differs", parity=9.0)]
    status, out = compare(times(), b, "--fail-slower", "10%")
    assert status == 1
    assert "timed -> ✗ WRONG" in out
    assert "y differs" in out
    assert compare(b, times(), "--fail-slower", "10%")[0] == 0


def test_what_is_in_one_file_only_is_listed(compare):
    _, out = compare(times() + times(implementation="gone"), times() + times(implementation="new"))
    sizes = "T20 B1 H32, T50 B16 H64, T100 B32 H128"
    assert f"only in A: gone, lstm train float32 cpu: {sizes}" in out
    assert f"only in B: new, lstm train float32 cpu: {sizes}" in out
    assert "3 rows in both" in out


def test_options_of_a_case_are_part_of_a_row(compare):
    _, out = compare([row(case(fill=0.5), "numpy", 1e-3)], [row(case(fill=0.25), "numpy", 1e-3)])
    assert "0 rows in both" in out


def test_another_machine_or_version_is_a_warning(compare):
    b = result(times(), processor="Invented 1", gpu="Fictional Accelerator")
    b["environment"] |= {"torch": "2.12.0", "torch_threads": 1}
    _, out = compare(times(), b)
    assert "warning: machine processor: Imaginary 9000 in A, Invented 1 in B" in out
    assert "warning: machine gpu: none in A, name Fictional Accelerator" in out
    assert "warning: environment torch: 2.11.0 in A, 2.12.0 in B" in out
    assert "warning: environment torch_threads: 4 in A, 1 in B" in out
    assert "warning" not in compare(times(), times())[1]


def test_a_change_of_kernel_is_said(compare):
    b = [r | {"kernel": "oneDNN"} for r in times(2.0)]
    assert "kernel native -> oneDNN" in compare(times(), b)[1]


def test_nothing_compared_is_not_a_success(compare):
    status, out = compare(times(), times(implementation="another"), "--fail-slower", "10%")
    assert status == 1
    assert "no row that was timed in A is in B" in out


def test_a_file_against_itself(compare):
    status, out = compare(grid(), grid(), "--fail-slower", "5%")
    assert status == 0
    assert f"{len(grid())} rows in both: 0 slower, 0 faster" in out
    assert LIBRARY not in out


@pytest.mark.parametrize("bad", ["a", "b"])
def test_an_unusable_file_is_one_sentence_and_status_2(bad, tmp_path, capsys):
    files = {n: save(tmp_path, n, result(times())) for n in ("a", "b")}
    (tmp_path / f"{bad}.json").write_text("{")
    assert main([*files.values()]) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ")
    assert f"{bad}.json" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("text", ["-1", "nan", "inf", "ten"])
def test_an_unusable_percentage_is_status_2(text, tmp_path):
    file = save(tmp_path, "a", result(times()))
    with pytest.raises(SystemExit) as e:
        main([file, file, f"--fail-slower={text}"])
    assert e.value.code == 2
