"""The tables of a report, each a DataFrame of text: what rows are compared, and how."""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from ..run.clock import duration, three
from ..what.presets import V100, V100_SOURCE
from .blocks import Table
from .frame import GROUP, LIBRARY, Content, between, parts, percent, rate, said, size_of, spread, times, word

PHASES = "input product inside every time; forward is inference; train is forward and backward from scratch"
AXES = {"T": "T", "B": "B", "H": "hidden_size"}

PEAK = (
    "Most memory that one training step holds at a time beyond what was there before (parameters and inputs), over that "
    f"of {LIBRARY}: geometric mean, (smallest – largest) over the cases that both ran. NumPy by tracemalloc, which sees "
    "every array; torch on the CPU by its profiler, which sees every tensor but not what oneDNN takes by itself; CUDA by "
    "torch's allocator."
)
GAIN = (
    f"Ratios are to {LIBRARY} on as many threads. Gain: how many times as fast as with the fewest. Geometric means over "
    "the cases that were timed with each."
)
ENERGY = (
    f"Joules of a call over those of {LIBRARY}: geometric mean, (smallest – largest). All that the processor's packages and "
    "memory took meanwhile (RAPL), or the GPU's board (NVML), idle power and other programs with it."
)
CHARACTERS = "A step is loss, backward, clipping and Adam, with the defaults of the command; T · B characters over the median time."
PUBLISHED = (
    "Published: Tesla V100, mixed precision, cuDNN, forward and backward together without the input product and the "
    "input's gradient, and the rate of its forward. Ours have both inside, which is twice the products; so a "
    f"landmark, no rival. Source: {V100_SOURCE}"
)
PACKED = "Median of the packed batch over that of the padded one; fill is the mean length over T, the work that is left."
SHARE = (
    "Backward = train - forward. The forward measured alone is inference, which keeps nothing for the backward, so "
    "backward includes what keeping costs. Median over the cases."
)


def texts(cells: pd.DataFrame, index: list[str], columns: list[str], absent: str = "–") -> pd.DataFrame:
    """A table of text from a frame with a column "text": lines and columns in the order in which they come."""
    line, head = (cells.groupby(by, sort=False, dropna=False).ngroup() for by in (index, columns))
    body = cells.assign(_line=line, _head=head).pivot(index="_line", columns="_head", values="text").fillna(absent)
    body.columns = [", ".join(map(str, names)) for names in cells[columns].drop_duplicates().itertuples(index=False)]
    return cells[index].drop_duplicates().astype(str).reset_index(drop=True).join(body)


def groups(rows: pd.DataFrame, by: list[str]) -> Iterator[pd.DataFrame]:
    """Parts with the same values, in the order in which they come."""
    for _, group in rows.groupby(by, sort=False, dropna=False):
        yield group


def titled(rows: pd.DataFrame, *names: str) -> str:
    return " · ".join(str(rows[name].iloc[0]) for name in names)


def by_device(title: str, caption: str, cells: pd.DataFrame, index: list[str], columns: list[str]) -> Iterator[Table]:
    """A table of the column "text" for each device and dtype."""
    for group in groups(cells, ["device", "dtype"]):
        yield Table(f"{title} · {titled(group, 'dtype', 'device')}", caption, texts(group, index, columns), len(index))


def all_times(rows: pd.DataFrame) -> Iterator[Table]:
    """Implementations by sizes, for each device, dtype, cell and phase of a file; then every row of it."""
    head = "implementation, kernel, parity"
    for group in groups(rows, GROUP):
        title = titled(group, "kind", "phase", "dtype", "device")
        notes = {name: f"{name}\n{notes_of(own)}".strip() for name, own in group.groupby("implementation")}
        cells = group.assign(text=[entry(row) for row in group.itertuples()], **{head: group.implementation.map(notes)})
        caption = f"{titled(group, 'where')}; {PHASES}; median, × {LIBRARY}, [quartiles], rate and % of the nearer limit"
        yield Table(title, caption, texts(cells, [head], ["size"]))
        yield Table(f"Every row: {title}", "", pd.DataFrame(map(every_column, group.itertuples())), 2, folded=True)


def entry(row: Any) -> str:
    """Time and ratio, quartiles, rate and fraction of the limit; or why there is no time."""
    if row.status != "ok":
        over = "" if row.status != "wrong" or pd.isna(row.parity) else f"\nparity {three(row.parity)}"
        return word(row.status) + over
    time = f"{said(row.median)}  {times(row.ratio)}".rstrip()
    return f"{time}\n[{between(row.q1, row.q3, row.median)}]\n{rate(row.gflops, row.fraction, row.limit)}".rstrip()


def notes_of(own: pd.DataFrame) -> str:
    """Kernels, worst parity and longest compilation of one implementation."""
    parity = "" if pd.isna(own.parity.max()) else f"parity {own.parity.max():.2f}"
    kernels = ", ".join(filter(None, own.kernel.unique()))
    return "\n".join(filter(None, (kernels, parity, said(own.compile_s.max(), "compiled in {}"))))


def every_column(r: Any) -> dict[str, str]:
    """All that is known of a row."""
    return {
        "implementation": r.implementation,
        "case": r.size,
        "median": said(r.median),
        "quartiles": between(r.q1, r.q3, r.median),
        "samples, outliers": "" if pd.isna(r.median) else f"{r.samples}, {r.outliers:.0f}",
        "ratio": times(r.ratio),
        "kernel": r.kernel,
        "parity": "" if pd.isna(r.parity) else f"{r.parity:.2f}",
        "rate": rate(r.gflops, r.fraction, r.limit),
        "extra memory": size_of(r.peak_bytes),
        "energy": "" if pd.isna(r.joules) else f"{three(r.joules)} J",
        "compile": said(r.compile_s),
        "": word(r.status) + (f": {r.reason}" if r.reason else ""),
    }


def means(rows: pd.DataFrame) -> Iterator[Table]:
    """Geometric means of the ratio to torch.nn's layer, for each device and dtype of a file."""
    for group in groups(rows, ["run", "device", "dtype"]):
        if group.ratio.notna().any():
            title = f"time over {LIBRARY} · {titled(group, 'preset', 'dtype', 'device', 'where')}"
            caption = f"{PHASES}; geometric mean, smallest – largest, (cases); below 1 is faster"
            yield Table(title, caption, mean_ratios(group))


def mean_ratios(rows: pd.DataFrame) -> pd.DataFrame:
    """Implementations by cells and phases, of which the library has a time."""
    columns = ["kind", "phase"]
    cases = rows[(rows.implementation == LIBRARY) & rows.ratio.notna()].groupby(columns).size().rename("cases").reset_index()
    own = groups(rows.merge(cases, on=columns), ["implementation", *columns])
    return texts(pd.DataFrame([g.iloc[0].to_dict() | {"text": mean_ratio(g)} for g in own]), ["implementation"], columns)


def mean_ratio(own: pd.DataFrame) -> str:
    """'1.14× (0.50 – 2.00), 3 of 4'; where there is none, why."""
    ratios, cases = own.ratio.dropna(), own.cases.iloc[0]
    if ratios.empty:
        return ", ".join(dict.fromkeys(word(s) for s in own.status if s != "ok")) or "–"
    return spread(ratios) + (f", {len(ratios)} of {cases}" if len(ratios) != cases else "")


def memory(rows: pd.DataFrame) -> Iterator[Table]:
    """Peak memory over that of torch.nn's layer, for each device and dtype: implementations by cells."""
    trained = rows[(rows.phase == "train") & rows.peak_ratio.notna() & (rows.implementation != LIBRARY)]
    cells = trained.groupby(["device", "dtype", "implementation", "kind"], sort=False).peak_ratio.apply(spread)
    yield from by_device("Peak memory of a training step", PEAK, cells.reset_index(name="text"), ["implementation"], ["kind"])


def energy(rows: pd.DataFrame) -> Iterator[Table]:
    """Joules of a call over those of torch.nn's layer, where they were counted: implementations by cells and phases."""
    own = rows[rows.joules_ratio.notna() & (rows.implementation != LIBRARY)]
    same = ["device", "dtype", "implementation", "kind", "phase"]
    cells = own.groupby(same, sort=False).joules_ratio.apply(spread).reset_index(name="text")
    yield from by_device("Energy", ENERGY, cells, ["implementation"], ["kind", "phase"])


def characters(rows: pd.DataFrame) -> Iterator[Table]:
    """How many characters a second the application char_lm trains on."""

    def speed(r: Any) -> str:
        over = "" if pd.isna(r.ratio) or r.implementation == LIBRARY else f" ({1 / r.ratio:.2f}× {LIBRARY})"
        return f"{r.T * r.B / r.median:,.0f}{over}"

    own = rows[(rows.model == "char_lm") & rows["median"].notna()]
    cells = own.assign(case=own.cell + " " + own["size"], text=[speed(r) for r in own.itertuples()])
    yield from by_device("Characters a second, training char_lm", CHARACTERS, cells, ["implementation"], ["case"])


def published(rows: pd.DataFrame) -> Iterator[Table]:
    """Training steps beside the published figures of a V100, where a file has those cases."""
    figures = (V100.get((r.cell, r.hidden_size, r.B, r.T)) for r in rows.itertuples())
    own = rows.assign(V100=[f and f"{duration(f[0])}, {f[1]:g} TFLOP/s" for f in figures], text=rows["median"].map(said))
    own = own.assign(case=own.kind + " " + own["size"], here=own.dtype + " " + own.device)
    own = own[own.V100.notna() & (own.phase == "train") & own["median"].notna()]
    if len(own):
        yield Table("Beside published figures", PUBLISHED, texts(own, ["case", "here", "V100"], ["implementation"]), 3)


def forward_share(rows: pd.DataFrame) -> Iterator[Table]:
    """What part of a training step is its forward."""
    timed, same = rows[rows["median"].notna()], ["device", "dtype", "implementation", "kind"]
    both = timed.pivot(index=[*same, "size"], columns="phase", values="median").reindex(columns=["forward", "train"])
    share = (both.forward / both.train).dropna().groupby(level=same).median().map(percent).reset_index(name="text")
    cells = timed[same].drop_duplicates().merge(share)
    yield from by_device("Forward in a training step", SHARE, cells, ["implementation"], ["kind"])


def packed(rows: pd.DataFrame) -> Iterator[Table]:
    """Packed sequences over the padded batch of the same sizes, by fill rate."""
    padded = rows[rows.fill.isna()].set_index(["implementation", "key"])["median"]
    own = rows[rows.fill.notna()]
    keys = own.key.str.replace(r'"fill": [\d.]+', '"fill": null', regex=True)
    own = own.assign(over=own["median"] / padded.reindex(pd.MultiIndex.from_arrays([own.implementation, keys])).to_numpy())
    own = own.dropna(subset="over")
    cells = own.assign(text=own.over.map(times), column=own.kind + ", " + own.phase + ", fill " + own.fill.map(percent))
    yield from by_device("Packed over padded", PACKED, cells, ["implementation"], ["column"])


def structure(rows: pd.DataFrame) -> Iterator[Table]:
    """Time per unit of work by number of layers and directions, over that of one layer in one direction."""
    plain = rows[rows.fill.isna() & rows["median"].notna() & (rows.flops > 0)]
    layers = plain.num_layers.map(lambda n: f"{n} layer{'s' * (n > 1)}")
    ways = plain.bidirectional.map({True: ", both ways", False: ""})
    plain = plain.assign(work=plain["median"] / plain.flops, shape=layers + ways, column=plain.kind + ", " + plain.phase)
    same = ["device", "dtype", "kind", "phase", "implementation", "T", "B", "input_size", "hidden_size", "proj_size"]
    one = plain[plain["shape"] == "1 layer"].set_index(same).work
    own = plain[plain["shape"] != "1 layer"]
    own = own.assign(text=(own.work / one.reindex(pd.MultiIndex.from_frame(own[same])).to_numpy()).map(times))
    for group in groups(own[own.text != ""], ["device", "dtype", "T", "B", "hidden_size"]):
        title = f"Layers and directions · T{group['T'].iloc[0]} B{group.B.iloc[0]} H{group.hidden_size.iloc[0]}"
        caption = "Time per unit of work over that of one layer in one direction."
        yield from by_device(title, caption, group, ["implementation", "shape"], ["column"])


def threads(rows: pd.DataFrame) -> Iterator[Table]:
    """One thread count against another, where files of one machine and preset have them, on the CPU."""
    timed, way = rows[(rows.device == "cpu") & rows["median"].notna()], ["kind", "phase", "implementation"]
    for group in groups(timed, ["where", "preset", "dtype"]):
        numbers = sorted(group.threads.unique().tolist())
        case = [*way, "key", "threads"]
        both = group.drop_duplicates(case).set_index(case)[["median", "ratio"]].unstack("threads")
        both = both[both["median"].notna().all(axis=1)]
        if len(numbers) > 1 and len(both):
            mean = np.exp(np.log(both).groupby(level=way, sort=False).mean())
            cells = {f"ratio, {n} thread{'s' * (n > 1)}": mean["ratio", n].map(times) for n in numbers}
            cells["gain"] = (mean["median", numbers[0]] / mean["median", numbers[-1]]).map("{:.2f}".format)
            frame = group[way].drop_duplicates().merge(pd.DataFrame(cells).reset_index())
            few = "One core" if numbers[0] == 1 else f"{numbers[0]} threads"
            many = "two" if numbers[-1] == 2 else numbers[-1]
            yield Table(f"{few} against {many} · {titled(group, 'preset', 'dtype', 'where')}", GAIN, frame, 3)


def fastest(rows: pd.DataFrame) -> Iterator[Table]:
    """Devices side by side: for each cell, phase and dtype the fastest of each, on the cases that two or more ran.

    The preset crossover is left out: its own table says the same of many more cases.
    """
    timed = rows[rows["median"].notna() & (rows.preset != "crossover")].sort_values(["order", "kind", "phase"], kind="stable")
    for group in groups(timed, ["kind", "phase", "dtype"]):
        best = group.loc[group.groupby(["where", "size"], sort=False)["median"].idxmin()]
        best = best[best.groupby("size")["where"].transform("nunique") > 1]
        if len(best):
            title = f"devices side by side · {titled(group, 'kind', 'phase', 'dtype')}"
            text = [
                f"{said(r.median)}\n[{between(r.q1, r.q3, r.median)}]\n{r.implementation}\n{r.kernel}".rstrip()
                for r in best.itertuples()
            ]
            caption = f"{PHASES}; the fastest implementation of each; median, [quartiles]"
            yield Table(title, caption, texts(best.assign(text=text, device=best["where"]), ["device"], ["size"]))


def crossover(rows: pd.DataFrame) -> Iterator[Table]:
    """CPU against CUDA over B and H, where one machine measured both in one preset: the faster device, by what factor."""
    square = rows[rows["median"].notna() & (rows.input_size == rows.hidden_size)]
    for group in groups(square, ["preset", "processor", "dtype", "kind", "phase", "T"]):
        for way, own in (("the fastest of each", group), (LIBRARY, group[group.implementation == LIBRARY])):
            best = own.groupby(["B", "hidden_size", "device"])["median"].min().unstack().reindex(columns=["cpu", "cuda"])
            both = best.dropna()
            down, across = (both.index.get_level_values(i).nunique() for i in (0, 1))
            if min(down, across) > 1 and len(both) >= max(4, down * across / 2):
                cells = (best.cpu / best.cuda).map(winner).reset_index(name="text")
                title = f"CPU or CUDA · {titled(group, 'kind', 'phase', 'dtype')} · {way}"
                caption = f"T = {group['T'].iloc[0]}, I = H. The faster device, and by what factor."
                yield Table(title, caption, texts(cells.assign(H="H" + cells.hidden_size.astype(str)), ["B"], ["H"]))


def winner(gain: float) -> str:
    """From the CPU's time over the GPU's."""
    return "–" if pd.isna(gain) else f"CUDA {times(gain)}" if gain > 1 else f"CPU {times(1 / gain)}"


def held(case: Content, axis: str) -> list[str]:
    """Everything but one axis, once for each way to see it: where I = H, a sweep over H may hold I, or move it with H."""
    if axis != "H":
        return [" ".join(p for p in parts(case) if not re.fullmatch(rf"{axis}\d+", p))]
    rest = " ".join(p for p in parts(case) if p[0] not in "HI")
    return [f"{rest} I{case['input_size']}"] + [f"{rest} I=H"] * (case["input_size"] == case["hidden_size"])


def sweeps(rows: pd.DataFrame, axis: str) -> Iterator[pd.DataFrame]:
    """For each file, device, dtype, cell and phase the longest sweep along an axis, of three sizes or more: its timed rows,
    with columns x, the size, and held, what does not move."""
    timed = rows[rows["median"].notna()]
    if timed.empty:
        return
    cases = timed.assign(fill=timed.fill.astype(object).where(timed.fill.notna(), None))
    moved = timed.assign(x=timed[AXES[axis]], held=[held(row, axis) for row in cases.to_dict("records")]).explode("held")
    for group in groups(moved, GROUP):
        lengths = group.groupby("held", sort=False).x.nunique()
        if lengths.max() > 2:
            yield group[group.held == lengths.idxmax()].sort_values("x", kind="stable")
