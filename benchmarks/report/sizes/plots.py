"""The plot of time against one size, with the laws of fit.py."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

from ..drawing import STYLE, Plot, look
from ..plots import in_units, logarithmic, plotted
from ..tables import groups
from .fit import Law
from .tables import fits

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CAPTION = (
    "Median time against one size, both logarithmic, the others held. Markers are times, lines the fitted laws; a ring is "
    "where a law bends."
)


def draw(rows: pd.DataFrame) -> Iterator[Plot]:
    """One for each file of preset scaling, device, dtype and axis that has laws."""
    import matplotlib

    with matplotlib.rc_context(STYLE):
        for group in groups(
            rows[rows["median"].notna() & (rows.flops > 0) & (rows.preset == "scaling")], ["run", "device", "dtype"]
        ):
            found = list(fits(group))
            for axis in dict.fromkeys(axis for _, axis, _ in found):
                yield from one([(own, law) for own, a, law in found if a == axis], axis)


def one(found: list[tuple[pd.DataFrame, Law]], axis: str) -> Iterator[Plot]:
    rows = pd.concat([own.assign(law=list(law.at), bend=law.bend) for own, law in found])
    names = rows.implementation.unique()

    def panel(ax: "Axes", own: pd.DataFrame) -> None:
        for name in own.implementation.unique():
            points, style = own[own.implementation == name], look(name, names)
            alone = {k: v for k, v in style.items() if k != "linestyle"}
            ax.plot(points.x, points["median"], **alone, linestyle="none", markersize=3.5, clip_on=False, label=name)
            ax.plot(points.x, points.law, color=style["color"], linestyle=style["linestyle"], linewidth=1.1)
            if len(bent := points[points.x == points.bend]):  # a line without points would take room all the same
                ring: dict[str, Any] = {"marker": "o", "markersize": 9, "markerfacecolor": "none", "linestyle": "none"}
                ax.plot(bent.x, bent.law, color=style["color"], **ring, clip_on=False)
        logarithmic(ax, "x", "{x:g}")
        logarithmic(ax, "y", in_units("s"))
        sizes = sorted(own.x.unique())
        ax.set_xticks(sizes, [str(size) for size in sizes], size=7.2)
        ax.set_xlabel(f"{axis} ({own.held.iloc[0]})")

    return plotted(rows, f"law-{axis.lower()}", f"Time against {axis}", CAPTION, panel, "")
