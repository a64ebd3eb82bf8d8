"""``python -m notes.studies.rounding``: how large rounding errors are, for notes/rounding.md, from the library itself.

Three measurements, seeds fixed: how an error grows along a sequence, what 1 - h² loses where h is near 1, and how the
errors of whole tensors are distributed in each precision.

TF32 is emulated: no GPU is asked.  Both factors of every product are rounded to 10 bits, the sum is in float32.
"""

from typing import Any

from ..study import Study
from . import saturation, sequence, tensors


def measure() -> dict[str, Any]:
    return {"growth": list(sequence.growth()), "distributions": list(tensors.distributions()), "saturation": saturation.curves()}


STUDY = Study(
    "rounding",
    __doc__,
    measure,
    lambda kept: {
        "growth": sequence.table(kept["growth"]),
        "saturation": saturation.table(kept["saturation"]["tanh"]),
        "distributions": tensors.table(kept["distributions"]),
    },
    lambda kept: {
        "rounding": sequence.picture(kept["growth"]),
        "rounding_saturation": saturation.picture(kept["saturation"]),
        "rounding_distributions": tensors.picture(kept["distributions"]),
    },
)
