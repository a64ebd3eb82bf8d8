"""The report, on results of machines that do not exist."""

import builtins
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from . import drawing, plots, ratios, sweeps, tables
from .command import BEGIN, END, main

LIBRARY = tables.LIBRARY
SIZES = [(20, 1, 32), (50, 16, 64), (100, 32, 128)]


def case(T=20, B=4, H=32, cell="lstm", **options):
    return {"cell": cell, "nonlinearity": "tanh", "T": T, "B": B, "input_size": H, "hidden_size": H, "num_layers": 1,
            "bidirectional": False, "proj_size": 0, "reset_after": True, "fill": None, "dtype": "float32",
            "device": "cpu"} | options


def row(case, implementation, seconds=None, phase="train", spread=0.01, **more):
    """A row; with ``seconds`` its median, and samples that spread evenly around it."""
    flops = 2 * case["T"] * case["B"] * case["hidden_size"] ** 2
    timed = {}
    if seconds:
        samples = seconds * (1 + spread * np.linspace(-2, 2, 9))
        q1, median, q3 = np.quantile(samples, [0.25, 0.5, 0.75])
        timed = {"seconds": {"samples": samples.tolist(), "median": median, "q1": q1, "q3": q3, "outliers": 1},
                 "gflops": flops / seconds / 1e9, "fraction_of_limit": 0.25, "limit": "compute"}
    return {"case": case, "implementation": implementation, "phase": phase, "status": "ok", "reason": "", "parity": 0.5,
            "kernel": "native", "compile_s": None, "seconds": None, "peak_bytes": 123456, "flops": flops, "bytes": 1000,
            "gflops": None, "fraction_of_limit": None, "limit": None} | timed | more


def result(rows, preset="grid", processor="Imaginary 9000", gpu=None):
    limits = {"gemm_gflops": {"float32": 100.0, "float64": 50.0}, "copy_gbs": 20.0, "shape": "1024x1024x1024"}
    devices = {r["case"]["device"] for r in rows}
    return {"format": "bptt-benchmark", "version": 1, "preset": preset, "started": "2031-02-03T04:05:06Z",
            "command": f"python -m benchmarks run --preset {preset}",
            "machine": {"processor": processor, "cores": 4, "memory_gb": 16.0, "system": "Linux x86_64", "gpu": gpu and {
                "name": gpu, "driver": "1.2", "memory_gb": 8.0, "power_limit_w": None, "clock_mhz": 1500}},
            "environment": {"python": "3.12.0", "numpy": "2.2.0", "torch": "2.11.0", "cuda": "13.0" if gpu else None,
                            "cudnn": "9.9" if gpu else None, "tf32": "off", "torch_threads": 4,
                            "blas": [{"api": "openblas", "version": "0.3", "threads": 4}]},
            "limits": {d: limits for d in ("cpu", "cuda") if d in devices}, "rows": rows}


def save(folder, name, content):
    file = folder / f"{name}.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    return str(file)


def load(*contents):
    return tables.load((f"{i}.json", c) for i, c in enumerate(contents))


def grid(numpy_factor=(0.5, 2.0, 1.5)):
    """Three sizes, two phases, torch.nn's layer and NumPy."""
    rows = []
    for i, (T, B, H) in enumerate(SIZES):
        for phase, times in (("forward", 1), ("train", 3)):
            library = times * 1e-3 * (i + 1)
            rows += [row(case(T, B, H), LIBRARY, library, phase),
                     row(case(T, B, H), "numpy", library * numpy_factor[i], phase)]
    return rows


def untimed():
    return [row(case(), "my.wrong", status="wrong", reason="y differs", parity=12.5),
            row(case(), "my.declining", status="declined", reason="only GRU", parity=None),
            row(case(), "my.hungry", status="out of memory", reason="wants 24 GB", parity=None),
            row(case(), "my.broken", status="error", reason="RuntimeError: <no> | way", parity=None),
            row(case(), LIBRARY, 1e-3)]


def test_vector_instructions_are_said_where_they_were_recorded():
    old = result(grid())
    new = old | {"environment": old["environment"] | {"simd": ["X86_V2", "X86_V3"]}}
    said = ["\n".join(tables.about(load(made)[0].run, ())) for made in (old, new)]
    assert "NumPy 2.2.0, PyTorch" in said[0]
    assert "NumPy 2.2.0 with X86_V2, X86_V3, PyTorch" in said[1]


def test_ratios_and_means_are_what_numpy_computes():
    found = load(result(grid()))
    medians = {(e.implementation, e.phase, e.size): np.median(r["seconds"]["samples"])
               for e, r in zip(found, grid(), strict=True)}
    for e in found:
        assert e.median == pytest.approx(medians[e.implementation, e.phase, e.size])
        assert e.ratio == pytest.approx(e.median / medians[LIBRARY, e.phase, e.size])
    (m,) = ratios.means(found)
    mean = m.lines["numpy"]["lstm", "train"]
    assert isinstance(mean, ratios.Mean)
    assert mean.mean == pytest.approx((0.5 * 2.0 * 1.5) ** (1 / 3))
    assert (mean.low, mean.high) == pytest.approx((0.5, 2.0))
    assert (mean.n, mean.of) == (3, 3)


def test_a_mean_says_how_many_cases_it_is_over():
    rows = grid()
    rows[3] = rows[3] | {"status": "error", "seconds": None}
    rows.append(row(case(), "torch.broken", status="error"))
    (m,) = ratios.means(load(result(rows)))
    mean = m.lines["numpy"]["lstm", "train"]
    assert isinstance(mean, ratios.Mean)
    assert (mean.n, mean.of) == (2, 3)
    assert m.lines["torch.broken"]["lstm", "train"] == "error"


def test_ratios_are_within_a_file():
    """The other machine's torch.nn is ten times as fast, and is not what a ratio is to."""
    slow, fast = result(grid()), result([r for r in grid() if r["implementation"] == "numpy"], processor="Invented 1")
    found = load(slow, fast)
    assert {e.ratio is None for e in found if e.run.number == 1} == {True}
    assert {e.ratio is None for e in found if e.run.number == 0} == {False}


def test_the_terminal_shows_medians_ratios_quartiles_kernels_and_parity(tmp_path, capsys):
    assert main([save(tmp_path, "a", result(grid()))]) == 0
    out = capsys.readouterr().out
    for text in ("Imaginary 9000", "input product inside every time", "forward is inference", "kernel", "parity 0.50",
                 "native", "1.50 ms  0.50×", "[1.49 – 1.52]", "25% com", "1.14×", "0.50 – 2.00", "(3)", "T100 B32 H128"):
        assert text in out, text


@pytest.mark.parametrize("k", [0.5, 1.0, 1.75])
def test_a_power_law_is_recovered(k):
    rows = [row(case(T=T), "numpy", 1e-5 * T**k) for T in (8, 16, 64, 128)]
    (f,) = ratios.fits(load(result(rows, "scaling")))
    assert (f.axis, f.points) == ("T", 4)
    assert f.exponent == pytest.approx(k)
    assert f.factor == pytest.approx(1e-5)
    assert f.off == pytest.approx(1)


def test_a_fit_is_numpys_and_leaves_out_what_was_not_timed():
    sizes, times = [16, 32, 64, 256], [1e-3, 1.5e-3, 4e-3, 3e-2]
    rows = [row(case(H=H), "numpy", t) for H, t in zip(sizes, times, strict=True)]
    rows.append(row(case(H=1024), "numpy", status="out of memory", reason="too large"))
    (f,) = ratios.fits(load(result(rows, "scaling")))
    assert f.exponent == pytest.approx(np.polyfit(np.log(sizes), np.log(times), 1)[0])
    assert (f.points, f.fixed) == (4, "T20 B4 I=H")


def test_a_narrow_sweep_is_not_fitted():
    assert not ratios.fits(load(result([row(case(B=B), "numpy", 1e-3) for B in (7, 8, 9, 16)])))


def test_what_was_not_timed_is_shown_everywhere_and_why(tmp_path, capsys):
    assert main([save(tmp_path, "a", result(untimed())), "--out", str(tmp_path / "out")]) == 0
    out = " ".join(capsys.readouterr().out.split())
    pages = [(tmp_path / "out" / name).read_text(encoding="utf-8") for name in ("report.md", "report.html")]
    for text in (out, *pages):
        for part in ("WRONG", "12.50", "declined", "out of memory", "error", "y differs", "only GRU", "wants 24 GB"):
            assert part in text, part
    assert "&lt;no&gt; \\| way" in pages[0]
    assert re.search(r'class="n bad">✗ WRONG', pages[1])


@pytest.mark.parametrize("content", ["", "{", "[1, 2]", '{"format": "something else", "version": 1}', None])
def test_an_unusable_file_is_one_sentence_and_status_2(content, tmp_path, capsys):
    file = tmp_path / "a.json"
    if content is not None:
        file.write_text(content)
    assert main([str(file), "--out", str(tmp_path / "out")]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    assert "a.json" in captured.err
    assert not captured.out
    assert not (tmp_path / "out").exists()


def test_a_file_without_rows_is_status_2(tmp_path, capsys):
    assert main([save(tmp_path, "a", result([]))]) == 2
    assert "has no rows" in capsys.readouterr().err


def everything():
    """A file for each plot."""
    cells = ("lstm", "gru")
    cliffs = [case(H=H) for H in (127, 128, 129, 255, 256, 257)] + [case(B=B) for B in (7, 8, 9)]
    cliffs += [case(fill=f) for f in (None, 0.25, 0.5, 1.0)] + [case(num_layers=2), case(bidirectional=True)]
    scaling = [case(T=T) for T in (8, 32, 128)] + [case(B=B) for B in (1, 8, 64)] + [case(H=H) for H in (16, 64, 256)]
    crossover = [case(B=B, H=H, cell=c, device=d) for c in cells for d in ("cpu", "cuda") for B in (1, 64) for H in (32, 512)]

    def seconds(c):
        return 1e-3 * (1 + c["B"] * c["hidden_size"] / 4e3) ** (c["device"] == "cpu")

    def rows(cases):
        return [row(c, i, seconds(c) * f * (2 if p == "train" else 1), p) for c in cases for p in ("forward", "train")
                for i, f in ((LIBRARY, 1), ("numpy", 1.5), ("my_lib.adapter", 0.7))]

    return {"grid": result(rows([case(*s, cell=c) for s in SIZES for c in cells])), "cliffs": result(rows(cliffs), "cliffs"),
            "scaling": result(rows(scaling), "scaling"),
            "crossover": result(rows(crossover), "crossover", "Invented 1", "Fictional Accelerator")}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The folder that a report on everything was written to."""
    folder = tmp_path_factory.mktemp("report")
    files = [save(folder, name, content) for name, content in everything().items()]
    assert main([*files, "--out", str(folder / "out")]) == 0
    return folder / "out"


def test_every_plot_is_drawn_where_the_data_allows_it(written):
    names = {p.stem for p in (written / "plots").iterdir()}
    wanted = {"grid-cpu-float32": ("time", "ratio", "share"),
              "cliffs-cpu-float32": ("cliffs-h", "cliffs-b", "layers", "packed"),
              "scaling-cpu-float32": ("scaling-t", "scaling-b", "scaling-h"),
              "crossover-cuda-float32": ("crossover-forward", "crossover-train")}
    assert {f"{prefix}-{name}" for prefix, found in wanted.items() for name in found} == names


def test_plots_are_not_empty(written):
    image = pytest.importorskip("matplotlib.image", reason="extra 'bench' is not installed: no module matplotlib")
    for file in (written / "plots").iterdir():
        if file.suffix == ".svg":
            assert len(list(ET.parse(file).iter("{http://www.w3.org/2000/svg}path"))) > 20, file
        else:
            pixels = image.imread(file)
            assert min(pixels.shape[:2]) > 200, file
            assert pixels.std() > 0.02, file


def test_the_page_is_self_contained(written):
    page = (written / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"http|<script|@import|@font-face|src=|url\((?!#)", page)
    assert page.count("<svg") == 12
    identifiers = re.findall(r'\bid="([^"]*)"', page)
    assert len(identifiers) == len(set(identifiers))
    assert set(re.findall(r'(?:url\(|href=")#([^")]*)', page)) <= set(identifiers)
    assert "currentColor" in page
    assert drawing.FOREGROUND not in page


def test_links_of_the_markdown_lead_somewhere(written):
    links = re.findall(r"\]\(([^)]*)\)", (written / "report.md").read_text(encoding="utf-8"))
    assert len(links) == 12
    assert all((written / link).is_file() for link in links)


def test_markdown_tables_are_rectangular(written):
    for block in re.findall(r"(?:^\|.*\n)+", (written / "report.md").read_text(encoding="utf-8"), flags=re.M):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1, block


def test_names_from_a_file_cannot_break_the_page(tmp_path):
    rows = [row(case(*s), name, 1e-3, p) for s in SIZES for p in ("forward", "train")
            for name in (LIBRARY, "<script>alert(1)</script>", "$x^{$ [bold]a|b`")]
    file = save(tmp_path, "a", result(rows, processor="</svg><script> [red]$_$"))
    assert main([file, "--out", str(tmp_path / "out")]) == 0
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_report_names_no_folder_of_this_machine(tmp_path, capsys):
    assert main([save(tmp_path, "a", result(grid())), "--out", str(tmp_path / "out")]) == 0
    for text in (capsys.readouterr().out, *(f.read_text(encoding="utf-8") for f in (tmp_path / "out").glob("report.*"))):
        assert str(tmp_path) not in text


def test_without_matplotlib_one_sentence(tmp_path, capsys, monkeypatch):
    real = builtins.__import__

    def missing(name, *args, **kwargs):
        if name.partition(".")[0] == "matplotlib":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", missing)
    file = save(tmp_path, "a", result(grid()))
    assert main([file]) == 0
    assert main([file, "--out", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err == f"error: {plots.MISSING}\n"
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_written_is_status_2(tmp_path, capsys):
    assert main([save(tmp_path, "a", result(grid())), "--out", str(tmp_path / "a.json" / "out")]) == 2
    assert "the report cannot be written" in capsys.readouterr().err


def test_the_readme_block_is_replaced_and_nothing_else(tmp_path):
    readme, file = tmp_path / "README.md", save(tmp_path, "a", result(grid() + untimed()))
    before, after = "# Title\r\n\r\n", "\n\nthe rest\n"
    readme.write_bytes(f"{before}{BEGIN}\nold\n{END}{after}".encode())
    for _ in range(2):
        assert main([file, "--readme", str(readme)]) == 0
        text = readme.read_bytes().decode()
        assert text.startswith(f"{before}{BEGIN}\n")
        assert text.endswith(f"\n{END}{after}")
        assert "old" not in text
    for part in ("| numpy | **1.14×** (0.50 – 2.00) | **1.14×** (0.50 – 2.00), 3 of 4 |", "| my.wrong | – | **WRONG** |",
                 "Imaginary 9000", "my.wrong: 1 **WRONG** (lstm train float32): y differs",
                 "Input product inside every time"):
        assert part in text, part
    assert "T100 B32 H128" not in text
    assert str(tmp_path) not in text


def test_a_note_has_every_time_and_its_plots_beside_it(tmp_path):
    note, file = tmp_path / "note.md", save(tmp_path, "a", result(grid() + untimed()))
    note.write_text(f"# Note\n\n{BEGIN}\n{END}\n")
    assert main([file, "--note", str(note)]) == 0
    text = note.read_text(encoding="utf-8")
    for part in ("T100 B32 H128", "500 µs **0.50×**", "Peak memory of a training step", "my.wrong: 1 **WRONG**"):
        assert part in text, part
    links = re.findall(r"\]\((figures/[^)]*)\)", text)
    assert len(links) >= 2
    assert {f"figures/{f.name}" for f in (tmp_path / "figures").iterdir()} == set(links)
    assert str(tmp_path) not in text


@pytest.mark.parametrize("text", ["no markers", BEGIN, f"{END}\n{BEGIN}", f"{BEGIN}\n{BEGIN}\n{END}"])
def test_a_readme_without_its_markers_is_left_alone(text, tmp_path, capsys):
    readme = tmp_path / "README.md"
    readme.write_text(text)
    assert main([save(tmp_path, "a", result(grid())), "--readme", str(readme)]) == 2
    assert "must have one line <!-- benchmark -->" in capsys.readouterr().err
    assert readme.read_text() == text


def test_devices_side_by_side_take_the_fastest_of_each():
    ours = result(grid())
    theirs = result([row(case(*SIZES[0]), "numpy", 7e-4), row(case(*SIZES[0]), LIBRARY, 9e-4)], processor="Invented 1")
    (table,) = ratios.fastest(load(ours, theirs))
    assert (table.phase, table.sizes) == ("train", ["T20 B1 H32"])
    found = {line.implementation: [e and (e.implementation, e.median) for e in line.entries] for line in table.lines}
    assert found == {"Imaginary 9000, 4 cores": [("numpy", pytest.approx(1.5e-3))],
                     "Invented 1, 4 cores": [("numpy", pytest.approx(7e-4))]}


def test_files_of_one_name_stay_apart():
    found = tables.load([("a/x.json", result(grid())), ("b/x.json", result(grid()))])
    assert sorted({e.run.name for e in found}) == ["x", "x-2"]


def test_the_crossover_map_names_winner_and_factor():
    rows = [row(case(B=B, H=H, device=d), LIBRARY, t) for B in (1, 64) for H in (32, 512)
            for d, t in (("cpu", B * H * 1e-6), ("cuda", 1e-3))]
    made = sweeps.crossover_map(load(result(rows, "crossover", gpu="Fictional Accelerator")))
    assert made is not None
    assert made.sides() == ([1, 64], [32, 512])
    assert sweeps.square(np.log2(made.at[64, 512]["cpu"] / made.at[64, 512]["cuda"]), {}) == "CUDA\n33×"
    assert sweeps.square(np.log2(made.at[1, 32]["cpu"] / made.at[1, 32]["cuda"]), {}) == "CPU\n31×"
    assert sweeps.square(float("nan"), {"cuda": 1.0}) == "only\nCUDA"


def test_scattered_sizes_make_no_map():
    sizes = ((1, 128), (32, 128), (64, 256))
    rows = [row(case(B=B, H=H, device=d), LIBRARY, 1e-3) for B, H in sizes for d in ("cpu", "cuda")]
    assert sweeps.crossover_map(load(result(rows, gpu="Fictional Accelerator"))) is None


def test_packed_is_compared_with_its_own_padded_batch():
    rows = [row(case(fill=f), i, t * factor) for i, factor in (("numpy", 1.0), (LIBRARY, 3.0))
            for f, t in ((None, 2e-3), (0.25, 1e-3), (0.5, 4e-3))]
    data = plots.packed_over_padded(load(result(rows)))
    assert data.keys() == {"numpy", LIBRARY}
    assert data["numpy"] == ([25, 50], pytest.approx([0.5, 2.0]))


def test_neighbours_and_labels():
    assert ratios.neighbours([1, 2, 127, 128, 129, 255, 256, 257]) == [[127, 128, 129], [255, 256, 257]]
    moved = drawing.spread({"a": 0.5, "b": 0.52, "c": 0.99, "d": 1.0}, 0.1)
    heights = [moved[n] for n in "abcd"]
    assert heights == sorted(heights)
    assert min(np.diff(heights)) > 0.099
    assert max(heights) <= 1


def test_strangers_look_unlike_ours_and_each_other():
    names = [*drawing.KNOWN, "my_lib.adapter", "your_lib.adapter", "their.lib"]
    looks = [str(drawing.look(n, names)) for n in names]
    assert len(set(looks)) == len(names)
    marks = [(k["marker"], k["markerfacecolor"] == drawing.BACKGROUND)
             for k in (drawing.look(n, names) for n in drawing.KNOWN)]
    assert len(set(marks)) == len(drawing.KNOWN)


@pytest.mark.parametrize(("seconds", "text"), [
    (1.5e-9, "1.50 ns"), (9.996e-7, "1.00 µs"), (1.234e-3, "1.23 ms"), (0.0999, "99.9 ms"), (12.34, "12.3 s"),
    (456.0, "456 s"), (None, "")])
def test_durations_have_three_digits_and_a_unit(seconds, text):
    assert tables.duration(seconds) == text


@pytest.mark.parametrize("number", ["1e999", "NaN", "0"])
def test_what_is_no_length_of_time_does_no_harm(number, tmp_path, capsys):
    rows = grid()
    text = json.dumps(result(rows)).replace(f'"median": {rows[1]["seconds"]["median"]}', f'"median": {number}')
    (tmp_path / "a.json").write_text(text)
    assert main([str(tmp_path / "a.json")]) in (0, 2)
    assert not re.search(r"\b(inf|nan)\b", capsys.readouterr().out)


def test_sizes_name_what_is_not_as_usual():
    c = case(T=5, B=2, H=8, input_size=3, num_layers=2, bidirectional=True, proj_size=4, fill=0.5)
    assert " ".join(tables.parts(c)) == "T5 B2 H8 I3 P4 L2 bi fill50%"


def test_it_starts_from_a_relative_path(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    save(Path(), "a", result(grid()))
    assert main(["a.json"]) == 0
    assert "a.json, 2031-02-03" in capsys.readouterr().out
