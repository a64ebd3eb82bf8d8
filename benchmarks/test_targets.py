"""Targets and the small tables, on results of machines that do not exist."""

import pytest

from . import targets
from .report import sheets
from .report.tables import LIBRARY
from .report.test_command import case, load, result, row, save
from .targets import main
from .what.presets import GRID, V100

LIMITS = {"rnn": (0.40, 0.5), "gru": (0.55, 0.6), "lstm": (0.90, 1.0)}


def met(**changed):
    """Both dtypes of a grid in which every target is just met, but for (cell, phase, dtype, size index) -> seconds factor."""
    rows = []
    for dtype in ("float32", "float64"):
        for cell, (train, forward) in LIMITS.items():
            for i, (T, B, H) in enumerate(GRID):
                for phase, limit in (("train", train), ("forward", forward)):
                    ratio = (limit if dtype == "float32" else 0.8) * changed.get(f"{cell}_{phase}_{dtype}_{i}", 1.0)
                    c = case(T, B, H, cell, dtype=dtype)
                    # a product at 100 GFLOP/s, as result() says the machine has: 1.19 times the floor where it matters
                    ours = row(c, "numpy.fast", 1.0, phase)["flops"] / 100e9 * 1.19
                    rows += [row(c, name, seconds, phase, peak_bytes=1000)
                             for name, seconds in (("numpy.fast", ours), (LIBRARY, ours / (0.999 * ratio)))]
    return rows


def judged(*contents):
    found = load(*contents)
    runs = list({e.run.number: e.run for e in found}.values())
    return {v.target.asked: v for v in targets.verdicts(found, runs)}


def test_all_met_is_status_0(tmp_path, capsys):
    assert main([save(tmp_path, "a", result(met()))]) == 0
    out = capsys.readouterr().out
    assert "18 of 18 met" in out
    assert "NOT" not in out
    assert "0.40 (0.40 – 0.40)" in out


@pytest.mark.parametrize("change", [
    {"rnn_train_float32_0": 1.1}, {"lstm_forward_float32_7": 1.1}, {"gru_train_float64_3": 1.1}])
def test_one_size_too_slow_spoils_a_mean(change, tmp_path, capsys):
    assert main([save(tmp_path, "a", result(met(**change)))]) == 1
    assert "17 of 18 met" in capsys.readouterr().out


def test_one_size_may_not_hide_behind_a_mean():
    """The mean of 1.3, and seven sizes at 0.5, is below 0.9."""
    change = {f"lstm_train_float32_{i}": 1.3 / 0.9 if i == 2 else 0.5 / 0.9 for i in range(8)}
    missed = [v for v in judged(result(met(**change))).values() if not v.met]
    assert [v.target.asked for v in missed] == ["lstm train float32: largest ratio ≤ 1.25"]
    assert missed[0].found[0].text.endswith("at T50 B16 H64")


def test_the_products_alone_are_the_floor_of_large_sizes():
    rows = met()
    for r in rows:
        if r["implementation"] == "numpy.fast" and r["case"]["hidden_size"] == 1024 and r["case"]["cell"] == "gru":
            r["flops"] = int(r["flops"] / 2)  # so the same time is twice what the products need
    missed = [a for a, v in judged(result(rows)).items() if not v.met]
    assert missed == ["gru train float32: over the products ≤ 1.20"]


def test_memory_is_judged_by_its_worst_size():
    rows = met()
    rows[2 * 2 * 3]["peak_bytes"] = 1001
    assert rows[12]["implementation"] == "numpy.fast"
    missed = [v for v in judged(result(rows)).values() if not v.met]
    assert [(v.target.asked, v.found[0].text) for v in missed] == [
        ("rnn train float32: peak memory ≤ 1.00", "1.00× at T100 B32 H128: 1.00 kB over 1.00 kB")]


def test_what_was_not_measured_is_not_met(tmp_path, capsys):
    rows = [r for r in met() if r["case"]["dtype"] == "float32" and r["case"]["T"] != 1000]
    assert main([save(tmp_path, "a", result(rows))]) == 1
    out = capsys.readouterr().out
    assert "0 of 18 met" not in out  # H >= 512 is there
    assert "NOT MEASURED" in out


def test_three_runs_of_three_and_dtypes_in_files_of_their_own():
    """A file that lacks a dtype says nothing of it; one run that misses is enough."""
    one, other = ([r for r in met() if r["case"]["dtype"] == d] for d in ("float32", "float64"))
    assert all(v.met for v in judged(result(one), result(other)).values())
    slow = [r for r in met(rnn_train_float32_1=1.2) if r["case"]["dtype"] == "float32"]
    assert sum(not v.met for v in judged(result(one), result(slow), result(other)).values()) == 1


def test_runs_of_one_machine_are_counted_and_thread_counts_kept_apart(tmp_path, capsys):
    good, slow = met(), met(rnn_train_float32_1=1.2)
    one_core = result(good)
    one_core["environment"] = one_core["environment"] | {"torch_threads": 1}
    files = [save(tmp_path, name, content) for name, content in
             (("a", result(good)), ("b", result(slow)), ("c", result(good)), ("one", one_core))]
    assert main(files) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "4 threads" in out and "1 thread " in out
    assert "NOT MET, met in 2 of 3" in out and " met in 3 of 3" in out
    assert out.index("17 of 18 met") < out.index("18 of 18 met")


def of_models(slow=()):
    names = ("classifier", "generator", "tagger", "seq2seq", "char_lm")
    return [row(case(10, 4, 32, cell, model=name, vocabulary=30, classes=5), who, seconds)
            for name in names for cell in LIMITS
            for who, seconds in (("numpy.fast", (1.29 if name != "char_lm" else 1.11) if cell == "lstm" else 0.99),
                                 (LIBRARY, 0.9 if (name, cell) in slow else 1.0))]


@pytest.mark.parametrize(("slow", "missed"), [
    ((), []), ([("tagger", "gru")], ["tagger gru train float32: training step ≤ 1.00"]),
    ([("char_lm", "lstm")], ["char_lm lstm train float32: training step ≤ 1.11"])])
def test_models_and_applications_are_asked_where_they_were_measured(slow, missed):
    judged_ = judged(result(of_models(slow), "models"))
    assert len(judged_) == 15
    assert [asked for asked, v in judged_.items() if not v.met] == missed
    assert len(judged(result(met()), result(of_models(), "models"))) == 33


def test_other_cases_than_the_grids_do_not_count():
    extra = [row(case(20, 1, 32, "lstm", num_layers=2), "numpy.fast", 9.0), row(case(50, 16, 127, "lstm"), "numpy.fast", 9.0),
             row(case(20, 1, 32, "rnn", nonlinearity="relu"), "numpy.fast", 9.0)]
    assert all(v.met for v in judged(result(met() + extra)).values())


@pytest.mark.parametrize("content", ["{", '{"format": "else"}'])
def test_an_unusable_file_is_status_2(content, tmp_path, capsys):
    (tmp_path / "a.json").write_text(content)
    assert main([str(tmp_path / "a.json")]) == 2
    assert capsys.readouterr().err.startswith("error: ")


def with_threads(n, seconds):
    rows = [row(case(T, B, H), name, s) for (T, B, H), factor in zip(GRID[:2], (1, 4), strict=True)
            for name, s in ((LIBRARY, 1e-3 * factor), ("numpy", seconds * factor))]
    made = result(rows)
    made["environment"] = made["environment"] | {"torch_threads": n}
    return made


def test_one_core_against_two():
    (sheet,) = sheets.threads(load(with_threads(1, 3e-3), with_threads(2, 2e-3)))
    assert sheet.title.startswith("One core against two · grid · float32 · Imaginary 9000")
    assert "over 2 cases" in sheet.caption
    assert sheet.head[3:] == ["ratio, 1 thread", "ratio, 2 threads", "gain"]
    assert sheet.rows == [["lstm", "train", LIBRARY, "1.00×", "1.00×", "1.00×"],
                          ["lstm", "train", "numpy", "3.00×", "2.00×", "1.50×"]]


def test_one_thread_count_alone_and_other_machines_are_not_compared():
    other = with_threads(1, 1e-3) | {"machine": result([])["machine"] | {"processor": "Z80"}}
    assert not sheets.threads(load(with_threads(2, 2e-3), with_threads(2, 2e-3), other))


def test_memory_over_that_of_the_library():
    peaks = {("rnn", 5): (100, 200), ("rnn", 6): (100, 50), ("gru", 5): (10, 11)}
    rows = [row(case(T=T, cell=cell), name, 1e-3, peak_bytes=peak) for (cell, T), pair in peaks.items()
            for name, peak in zip((LIBRARY, "n"), pair, strict=True)]
    (sheet,) = sheets.memory(load(result(rows)))
    assert sheet.head == ["implementation", "rnn", "gru"]
    assert sheet.rows == [["n", "1.00× (0.50 – 2.00)", "1.10× (1.10 – 1.10)"]]
    assert not sheets.memory(load(result([row(case(), "n", 1e-3)])))


def test_published_figures_stand_beside_their_cases():
    cell, H, B, T = key = ("lstm", 1024, 128, 25)
    rows = [row(case(T, B, H, cell, device="cuda"), LIBRARY, 0.011), row(case(20, 4, 32), LIBRARY, 1e-3)]
    (sheet,) = sheets.published(load(result(rows, "deepbench", gpu="Fictional Accelerator")))
    assert sheet.rows == [["lstm T25 B128 H1024", "float32 cuda", "5.56 ms, 10.91 TFLOP/s", "11.0 ms"]]
    assert V100[key][0] == 5.56e-3
    assert "github.com/baidu-research/DeepBench" in sheet.caption
    assert not sheets.published(load(result([row(case(T, B, H, cell), LIBRARY, 0.011, "forward")])))


def test_the_report_shows_them(tmp_path, capsys):
    files = [save(tmp_path, f"t{n}", with_threads(n, 4e-3 / n)) for n in (1, 2)]
    from .report.command import main as report

    assert report([*files, "--out", str(tmp_path / "out")]) == 0
    pages = [tmp_path / "out" / name for name in ("report.md", "report.html")]
    texts = [capsys.readouterr().out, *(page.read_text(encoding="utf-8") for page in pages)]
    for text in texts:
        for part in ("One core against two", "Peak memory of a training step", "tracemalloc", "1.00×", "2.00×"):
            assert part in text, part
        assert text.count("One core against two") == 1
