"""``python -m notes.studies.task_results``: the tables of the four tasks in the notes, and the attention maps as a picture.

Reads notes/results/*.json, which ``python -m reference.tasks TASK --out notes/results`` writes.
"""

import json
from pathlib import Path

NOTES = Path(__file__).parent.parent
PAGES = {"names_classifier": "models/classifier.md", "names_generator": "models/generator.md", "letters_tagger": "models/tagger.md",
         "pronunciation": "models/seq2seq.md"}


def results(task: str) -> list[dict]:
    """What was measured of a task, NumPy first."""
    return [json.loads(f.read_text(encoding="utf-8")) for f in sorted((NOTES / "results").glob(f"{task}-*.json"))]


def shown(name: str, value: float) -> str:
    return f"{value:.2f}" if "perplexity" in name else f"{100 * value:.1f} %"


def table(task: str) -> str:
    """Markdown: the baselines, the variants, and by which command they were measured."""
    found = results(task)
    names = [k for k in next(iter(found[0]["variants"].values())) if k != "seconds"]
    lines = []
    for made in found:
        v = made["versions"]
        lines += [f"`{made['command']}`, {made['batch']} sequences a step, {made['parts'][0]} for training and "
                  f"{made['parts'][2]} for the test; NumPy {v['numpy']}{', torch ' + v['torch'] if 'torch' in v else ''}, "
                  "float32.", "",
                  f"| {made['title']} | {' | '.join(names)} |", "|---|" + "--:|" * len(names)]
        for label, figures in made["baselines"].items():
            lines.append(f"| baseline: {label} | {' | '.join(shown(k, figures[k]) for k in names)} |")
        for label, figures in made["variants"].items():
            lines.append(f"| {label} | {' | '.join(shown(k, figures[k]) for k in names)} |")
        lines += ["", *(f"- {k}: {shown(k, v)} of the phonemes wrong" for k, v in made["more"].items()), ""]
    lines += ["Some of what the first of these says:", "", *(f"- {k}: {v}" for k, v in found[0]["examples"].items())]
    return "\n".join(lines).strip().replace("\n\n\n", "\n\n")


def page(task: str) -> str:
    """The note with the table of today's results in it."""
    text = (NOTES / PAGES[task]).read_text(encoding="utf-8")
    begin, end = f"<!-- results of {task} -->", f"<!-- end of {task} -->"
    return f"{text.partition(begin)[0]}{begin}\n{table(task)}\n{end}{text.partition(end)[2]}"


def draw(maps: list[dict], file: Path) -> None:
    """A grey square for each weight: what was said downwards, the letters across."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams.update({"svg.hashsalt": "attention", "font.family": "monospace"})
    figure = Figure(figsize=(10, 8.5), layout="constrained")
    for axes, m in zip(figure.subplots(2, 2).flat, maps, strict=True):
        axes.imshow(m["weights"], cmap="Greys", vmin=0, vmax=1)
        axes.set_xticks(range(len(m["letters"])), m["letters"])
        axes.set_yticks(range(len(m["sounds"])), m["sounds"])
        axes.xaxis.tick_top()
        axes.set_xlabel("letter read")
        axes.set_ylabel("sound said")
    figure.suptitle("Where the decoder looks: weights of the attention, rows sum to 1", family="sans-serif")
    figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else None)


def main() -> None:
    for task, name in PAGES.items():
        if results(task):
            (NOTES / name).write_text(page(task), encoding="utf-8")
    for made in results("pronunciation")[:1]:
        draw(made["maps"], NOTES / "figures" / "attention.svg")


if __name__ == "__main__":
    main()
