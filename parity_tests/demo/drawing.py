"""The loss curves, and plots as parts of a page: in its own colours, with nothing from outside."""

import re
from pathlib import Path

from reference.forecast.plots import canvas

from .characters import NAMES, Curves

FOREIGN = r"<!--.*?-->|<metadata>.*?</metadata>| xmlns(:\w+)?=\"[^\"]*\""  # in matplotlib's SVG: what a page has no use for
INK, PAPER = ("#000000", "#333333"), ("#ffffff",)
COLOURS = ("#3d9be0", "#d9432f")


def losses(file: Path, c: Curves) -> Path:
    """Both losses over the steps, and below, how far they are apart."""
    with canvas(file, 8, 5, 2, 1, sharex=True, height_ratios=(2, 1)) as (_, [[upper], [lower]]):
        for k, (name, color) in enumerate(zip(NAMES.values(), COLOURS, strict=True)):
            how = {"lw": 3.5, "alpha": 0.6} if k == 0 else {"lw": 0.8}
            upper.plot(c.steps, c.losses[k], color=color, label=f"{name}, each step", **how)
            upper.plot(c.evaluated, c.validation[k], "sx"[k], color=color, ms=(8, 6)[k], mfc="none", label="validation")
        upper.set(ylabel="nats a character")
        upper.legend(ncols=2, fontsize=8)
        shown = c.apart > 0
        lower.plot(c.steps[shown], c.apart[shown], ".", ms=2.5, color="#1e8449")
        lower.set(yscale="log", ylabel="apart, nats", xlabel="step")
        for ax in (upper, lower):
            ax.grid(alpha=0.25)
    return file


def inline(file: Path) -> str:
    """An SVG file as an element of a page; names within it get the file's name in front."""
    text = file.read_text(encoding="utf-8")
    text = re.sub(FOREIGN, "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{file.stem}-", text)
    for colours, own in ((INK, "currentColor"), (PAPER, "none")):
        for colour in colours:
            text = text.replace(colour, own)
    opening = r'<svg role="img" fill="currentColor" style="max-width: \g<1>pt"'
    return re.sub(r'<svg width="([\d.]+)pt" height="[^"]*"', opening, text, count=1)
