"""The report, on results of machines that do not exist."""

import json
import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ..__main__ import main as benchmarks
from ..run.clock import duration
from . import command, drawing, frame, tables
from .command import main
from .frame import LIBRARY

SIZES = [(20, 1, 32), (50, 16, 64), (100, 32, 128)]


def case(T=20, B=4, H=32, cell="lstm", **options):
    return {
        "cell": cell,
        "nonlinearity": "tanh",
        "T": T,
        "B": B,
        "input_size": H,
        "hidden_size": H,
        "num_layers": 1,
        "bidirectional": False,
        "proj_size": 0,
        "reset_after": True,
        "fill": None,
        "dtype": "float32",
        "device": "cpu",
    } | options


def row(case, implementation, seconds=None, phase="train", spread=0.01, **more):
    """A row; with ``seconds`` its median, and samples that spread evenly around it."""
    flops = 2 * case["T"] * case["B"] * case["hidden_size"] ** 2
    timed = {}
    if seconds:
        samples = seconds * (1 + spread * np.linspace(-2, 2, 9))
        q1, median, q3 = np.quantile(samples, [0.25, 0.5, 0.75])
        timed = {
            "seconds": {"samples": samples.tolist(), "median": median, "q1": q1, "q3": q3, "outliers": 1},
            "gflops": flops / seconds / 1e9,
            "fraction_of_limit": 0.25,
            "limit": "compute",
        }
    return (
        {
            "case": case,
            "implementation": implementation,
            "phase": phase,
            "status": "ok",
            "reason": "",
            "parity": 0.5,
            "kernel": "native",
            "compile_s": None,
            "seconds": None,
            "peak_bytes": 123456,
            "flops": flops,
            "bytes": 1000,
            "gflops": None,
            "fraction_of_limit": None,
            "limit": None,
        }
        | timed
        | more
    )


def result(rows, preset="grid", processor="Imaginary 9000", gpu=None):
    limits = {"gemm_gflops": {"float32": 100.0, "float64": 50.0}, "copy_gbs": 20.0, "shape": "1024x1024x1024"}
    devices = {r["case"]["device"] for r in rows}
    return {
        "format": "bptt-benchmark",
        "version": 1,
        "preset": preset,
        "started": "2031-02-03T04:05:06Z",
        "command": f"python -m benchmarks run --preset {preset}",
        "machine": {
            "processor": processor,
            "cores": 4,
            "memory_gb": 16.0,
            "system": "Linux x86_64",
            "gpu": gpu and {"name": gpu, "driver": "1.2", "memory_gb": 8.0, "power_limit_w": None, "clock_mhz": 1500},
        },
        "environment": {
            "python": "3.12.0",
            "numpy": "2.2.0",
            "torch": "2.11.0",
            "cuda": "13.0" if gpu else None,
            "cudnn": "9.9" if gpu else None,
            "tf32": "off",
            "torch_threads": 4,
            "blas": [{"api": "openblas", "version": "0.3", "threads": 4}],
        },
        "limits": {d: limits for d in ("cpu", "cuda") if d in devices},
        "rows": rows,
    }


def save(folder, name, content):
    file = folder / f"{name}.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    return str(file)


def load(*contents):
    return frame.load([(f"{i}.json", c) for i, c in enumerate(contents)])


def cells(table, **at):
    """The lines of a table, as dictionaries, at which some columns say so."""
    return [line for line in table.frame.to_dict("records") if all(line[k] == v for k, v in at.items())]


def grid(numpy_factor=(0.5, 2.0, 1.5)):
    """Three sizes, two phases, torch.nn's layer and NumPy."""
    rows = []
    for i, (T, B, H) in enumerate(SIZES):
        for phase, times in (("forward", 1), ("train", 3)):
            library = times * 1e-3 * (i + 1)
            rows += [row(case(T, B, H), LIBRARY, library, phase), row(case(T, B, H), "numpy", library * numpy_factor[i], phase)]
    return rows


def untimed():
    return [
        row(case(), "my.wrong", status="wrong", reason="y differs", parity=12.5),
        row(case(), "my.declining", status="declined", reason="only GRU", parity=None),
        row(case(), "my.hungry", status="out of memory", reason="wants 24 GB", parity=None),
        row(case(), "my.broken", status="error", reason="RuntimeError: <no> | way", parity=None),
        row(case(), LIBRARY, 1e-3),
    ]


def test_vector_instructions_are_said_where_they_were_recorded():
    old = result(grid())
    new = old | {"environment": old["environment"] | {"simd": ["X86_V2", "X86_V3"]}}
    before, after = ("\n".join(command.machine(content, ())) for content in (old, new))
    assert "NumPy 2.2.0, PyTorch" in before
    assert "NumPy 2.2.0 with X86_V2, X86_V3, PyTorch" in after


def test_ratios_and_means_are_what_numpy_computes():
    rows = load(result(grid()))
    medians = {
        (r["implementation"], r["phase"], " ".join(frame.parts(r["case"]))): np.median(r["seconds"]["samples"]) for r in grid()
    }
    assert len(rows) == len(medians)
    for r in rows.itertuples():
        assert r.median == pytest.approx(medians[r.implementation, r.phase, r.size])
        assert r.ratio == pytest.approx(r.median / medians[LIBRARY, r.phase, r.size])
    (table,) = tables.means(rows)
    assert frame.geometric(pd.Series([0.5, 2.0, 1.5])) == pytest.approx((0.5 * 2.0 * 1.5) ** (1 / 3))
    assert cells(table, implementation="numpy")[0]["lstm, train"] == "1.14× (0.50 – 2.00)"


def test_a_mean_says_how_many_cases_it_is_over():
    rows = grid()
    rows[3] = rows[3] | {"status": "error", "seconds": None}
    rows.append(row(case(), "torch.broken", status="error"))
    (table,) = tables.means(load(result(rows)))
    assert cells(table, implementation="numpy")[0]["lstm, train"] == "1.73× (1.50 – 2.00), 2 of 3"
    assert cells(table, implementation="torch.broken")[0]["lstm, train"] == "✗ error"


def test_ratios_are_within_a_file():
    """The other machine's torch.nn is ten times as fast, and is not what a ratio is to."""
    slow, fast = result(grid()), result([r for r in grid() if r["implementation"] == "numpy"], processor="Invented 1")
    rows = load(slow, fast)
    assert rows.ratio[rows.run == 1].isna().all()
    assert rows.ratio[rows.run == 0].notna().all()


def test_the_terminal_shows_medians_ratios_quartiles_kernels_and_parity(tmp_path, capsys):
    assert main([save(tmp_path, "a", result(grid()))]) == 0
    out = capsys.readouterr().out
    for text in (
        "Imaginary 9000",
        "input product inside every time",
        "forward is inference",
        "kernel",
        "parity 0.50",
        "native",
        "1.50 ms  0.50×",
        "[1.49 – 1.52]",
        "25% com",
        "1.14×",
        "0.50 – 2.00",
        "T100 B32 H128",
    ):
        assert text in out, text


def test_what_was_not_timed_is_shown_everywhere_and_why(tmp_path, capsys):
    assert main([save(tmp_path, "a", result(untimed())), "--out", str(tmp_path / "out")]) == 0
    out = " ".join(capsys.readouterr().out.split())
    pages = [(tmp_path / "out" / name).read_text(encoding="utf-8") for name in ("report.md", "report.html")]
    for text in (out, *pages):
        for part in ("WRONG", "12.50", "declined", "out of memory", "error", "y differs", "only GRU", "wants 24 GB"):
            assert part in text, part
    assert "&lt;no&gt; \\| way" in pages[0]
    assert re.search(r'class="bad">✗ WRONG', pages[1])


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
        return [
            row(c, i, seconds(c) * f * (2 if p == "train" else 1), p)
            for c in cases
            for p in ("forward", "train")
            for i, f in ((LIBRARY, 1), ("numpy", 1.5), ("my_lib.adapter", 0.7))
        ]

    return {
        "grid": result(rows([case(*s, cell=c) for s in SIZES for c in cells])),
        "cliffs": result(rows(cliffs), "cliffs"),
        "scaling": result(rows(scaling), "scaling"),
        "crossover": result(rows(crossover), "crossover", "Invented 1", "Fictional Accelerator"),
    }


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The folder that a report on everything was written to."""
    folder = tmp_path_factory.mktemp("report")
    files = [save(folder, name, content) for name, content in everything().items()]
    assert main([*files, "--out", str(folder / "out")]) == 0
    return folder / "out"


def test_every_plot_is_drawn_where_the_data_allows_it(written):
    names = {p.stem for p in (written / "plots").iterdir()}
    wanted = {
        "grid-cpu-float32": ("time", "ratio", "share"),
        "cliffs-cpu-float32": ("along-h", "along-b"),
        "scaling-cpu-float32": ("along-t", "along-b", "along-h", "law-t", "law-b", "law-h"),
    }
    assert {f"{prefix}-{name}" for prefix, plots in wanted.items() for name in plots} == names


def test_what_no_plot_shows_has_a_table(written):
    page = (written / "report.md").read_text(encoding="utf-8")
    for title in (
        "Packed over padded",
        "Layers and directions",
        "CPU or CUDA",
        "Forward in a training step",
        "Peak memory of a training step",
        "Time against size: exponents",
    ):
        assert title in page, title


def test_plots_are_not_empty(written):
    image = pytest.importorskip("matplotlib.image", reason="extra 'bench' is not installed: no module matplotlib")
    for file in (written / "plots").iterdir():
        if file.suffix == ".svg":
            letters = "".join(e.text or "" for e in ET.parse(file).iter("{http://www.w3.org/2000/svg}text"))
            assert "torch.library" in letters, file
            assert len(list(ET.parse(file).iter("{http://www.w3.org/2000/svg}path"))) > 20, file
        else:
            pixels = image.imread(file)
            assert min(pixels.shape[:2]) > 200, file
            assert pixels.std() > 0.02, file


def test_the_page_is_self_contained(written):
    page = (written / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"http|<script|@import|@font-face|src=|url\((?!#)", page)
    assert page.count("<svg") == 11
    identifiers = re.findall(r'\bid="([^"]*)"', page)
    assert len(identifiers) == len(set(identifiers))
    assert set(re.findall(r'(?:url\(|href=")#([^")]*)', page)) <= set(identifiers)
    assert "currentColor" in page
    assert drawing.FOREGROUND not in page


def test_links_of_the_markdown_lead_somewhere(written):
    links = re.findall(r"\]\(([^)]*)\)", (written / "report.md").read_text(encoding="utf-8"))
    assert len(links) == 11
    assert all((written / link).is_file() for link in links)


def test_markdown_tables_are_rectangular(written):
    for block in re.findall(r"(?:^\|.*\n)+", (written / "report.md").read_text(encoding="utf-8"), flags=re.M):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1, block


def test_names_from_a_file_cannot_break_the_page(tmp_path):
    rows = [
        row(case(*s), name, 1e-3, p)
        for s in SIZES
        for p in ("forward", "train")
        for name in (LIBRARY, "<script>alert(1)</script>", "$x^{$ [bold]a|b`")
    ]
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
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    file = save(tmp_path, "a", result(grid()))
    assert benchmarks(["report", file]) == 0
    with pytest.raises(SystemExit, match="2"):
        benchmarks(["report", file, "--out", str(tmp_path / "out")])
    assert capsys.readouterr().err.startswith("error: matplotlib is needed and not installed; the extra 'bench' brings ")
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_written_is_status_2(tmp_path, capsys):
    assert main([save(tmp_path, "a", result(grid())), "--out", str(tmp_path / "a.json" / "out")]) == 2
    assert "the report cannot be written" in capsys.readouterr().err


def test_energy_is_over_the_librarys_and_has_no_table_where_nothing_counted():
    assert not list(tables.energy(load(result(grid()))))
    counted = [r | {"joules": 3.0 if r["implementation"] == LIBRARY else 6.0} for r in grid()]
    (table,) = tables.energy(load(result(counted)))
    line = {"lstm, forward": "2.00× (2.00 – 2.00)", "lstm, train": "2.00× (2.00 – 2.00)"}
    assert table.frame.to_dict("records") == [{"implementation": "numpy"} | line]


def test_devices_side_by_side_take_the_fastest_of_each():
    ours = result(grid())
    theirs = result([row(case(*SIZES[0]), "numpy", 7e-4), row(case(*SIZES[0]), LIBRARY, 9e-4)], processor="Invented 1")
    (table,) = tables.fastest(load(ours, theirs))
    assert "train" in table.title
    first = {line["device"]: line["T20 B1 H32"].split("\n") for line in table.frame.to_dict("records")}
    assert list(table.frame) == ["device", "T20 B1 H32"]
    assert {device: (lines[0], lines[2]) for device, lines in first.items()} == {
        "Imaginary 9000, 4 cores": ("1.50 ms", "numpy"),
        "Invented 1, 4 cores": ("700 µs", "numpy"),
    }


def test_files_of_one_name_stay_apart():
    rows = frame.load([("a/x.json", result(grid())), ("b/x.json.gz", result(grid()))])
    assert sorted(set(rows.name)) == ["x", "x-2"]


def test_threads_are_set_beside_each_other():
    many, few = result(grid()), result(grid((1.0, 4.0, 3.0)))
    few["environment"]["torch_threads"] = 1
    (table,) = tables.threads(load(few, many))
    assert table.title.startswith("One core against 4 · grid · float32")
    (line,) = cells(table, implementation="numpy", phase="train")
    assert (line["ratio, 1 thread"], line["ratio, 4 threads"], line["gain"]) == ("2.29×", "1.14×", "2.00")


def test_the_crossover_names_winner_and_factor():
    rows = [
        row(case(B=B, H=H, device=d), LIBRARY, t)
        for B in (1, 64)
        for H in (32, 512)
        for d, t in (("cpu", B * H * 1e-6), ("cuda", 1e-3))
    ]
    table = next(tables.crossover(load(result(rows, "crossover", gpu="Fictional Accelerator"))))
    assert table.frame.to_dict("records") == [
        {"B": "1", "H32": "CPU 31×", "H512": "CPU 1.95×"},
        {"B": "64", "H32": "CUDA 2.05×", "H512": "CUDA 33×"},
    ]
    assert tables.winner(float("nan")) == "–"


def test_scattered_sizes_make_no_map():
    sizes = ((1, 128), (32, 128), (64, 256))
    rows = [row(case(B=B, H=H, device=d), LIBRARY, 1e-3) for B, H in sizes for d in ("cpu", "cuda")]
    assert not list(tables.crossover(load(result(rows, gpu="Fictional Accelerator"))))


def test_packed_is_compared_with_its_own_padded_batch():
    rows = [
        row(case(fill=f), i, t * factor)
        for i, factor in (("numpy", 1.0), (LIBRARY, 3.0))
        for f, t in ((None, 2e-3), (0.25, 1e-3), (0.5, 4e-3))
    ]
    (table,) = tables.packed(load(result(rows)))
    for name in ("numpy", LIBRARY):
        assert cells(table, implementation=name) == [
            {"implementation": name, "lstm, train, fill 25%": "0.50×", "lstm, train, fill 50%": "2.00×"}
        ]


def test_layers_and_directions_are_over_one_of_each_by_work():
    rows = [
        row(case(num_layers=n, bidirectional=both), "numpy", t, flops=f)
        for n, both, t, f in ((1, False, 1e-3, 10), (2, False, 3e-3, 20), (1, True, 1e-3, 20))
    ]
    (table,) = tables.structure(load(result(rows, "cliffs")))
    assert {line["shape"]: line["lstm, train"] for line in table.frame.to_dict("records")} == {
        "2 layers": "1.50×",
        "1 layer, both ways": "0.50×",
    }


def test_the_forwards_share_of_a_training_step():
    (table,) = tables.forward_share(load(result(grid())))
    assert cells(table, implementation="numpy") == [{"implementation": "numpy", "lstm": "33%"}]


def test_a_sweep_is_the_longest_with_three_sizes():
    rows = [row(case(T=T), "numpy", 1e-3) for T in (8, 32, 128)] + [row(case(T=T, B=9), "numpy", 1e-3) for T in (8, 16)]
    (sweep,) = tables.sweeps(load(result(rows)), "T")
    assert (sweep.x.tolist(), set(sweep.held)) == ([8, 32, 128], {"B4 H32"})
    assert not list(tables.sweeps(load(result(rows)), "B"))


def test_strangers_look_unlike_ours_and_each_other():
    names = [*drawing.KNOWN, "my_lib.adapter", "your_lib.adapter", "their.lib"]
    looks = [str(drawing.look(n, names)) for n in names]
    assert len(set(looks)) == len(names)
    marks = [(k["marker"], k["markerfacecolor"] == drawing.BACKGROUND) for k in (drawing.look(n, names) for n in drawing.KNOWN)]
    assert len(set(marks)) == len(drawing.KNOWN)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1.5e-9, "1.50 ns"),
        (9.996e-7, "1.00 µs"),
        (1.234e-3, "1.23 ms"),
        (0.0999, "99.9 ms"),
        (12.34, "12.3 s"),
        (456.0, "456 s"),
        (None, ""),
    ],
)
def test_durations_have_three_digits_and_a_unit(seconds, text):
    assert frame.said(seconds) == text
    assert seconds is None or duration(seconds) == text


@pytest.mark.parametrize("number", ["1e999", "NaN", "0"])
def test_what_is_no_length_of_time_does_no_harm(number, tmp_path, capsys):
    rows = grid()
    text = json.dumps(result(rows)).replace(f'"median": {rows[1]["seconds"]["median"]}', f'"median": {number}')
    (tmp_path / "a.json").write_text(text)
    assert main([str(tmp_path / "a.json")]) in (0, 2)
    assert not re.search(r"\b(inf|nan)\b", capsys.readouterr().out)


def test_sizes_name_what_is_not_as_usual():
    c = case(T=5, B=2, H=8, input_size=3, num_layers=2, bidirectional=True, proj_size=4, fill=0.5)
    assert " ".join(frame.parts(c)) == "T5 B2 H8 I3 P4 L2 bi fill50%"


def test_it_starts_from_a_relative_path(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    save(Path(), "a", result(grid()))
    assert main(["a.json"]) == 0
    assert "a.json, 2031-02-03" in capsys.readouterr().out
