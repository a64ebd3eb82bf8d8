"""The explorer of attention: one query over a small memory, its scores, weights and context, and every gradient."""

from typing import Any

from reference.parts import attention

from ..formulas import Render, definitions
from ..source import source

JSON = dict[str, Any]
FUNCTIONS = ("forward", "backward", "keys_forward", "keys_backward", "attend_forward", "attend_backward")
# The query is nearest to step 1 of the memory; step 3 is padding, and step 4 is there for a longer memory.
EXAMPLE: JSON = {
    "p": {"W_q": [[1.0, 0.3], [-0.2, 0.8]], "W_k": [[-0.8, 0.9], [0.5, 0.9]], "b": [0.1, -0.1], "v": [1.2, 0.9]},
    "q": [-0.5, 1.4],
    "h": [[0.9, 0.2], [-0.4, 1.1], [1.2, -0.7], [0.3, 0.5], [-0.8, 0.4]],
    "mask": [True, True, True, False, True],
    "dc": [0.6, -1.0],
}


def data(render: Render) -> JSON:
    return {"example": EXAMPLE, "source": source(attention, FUNCTIONS), "equations": definitions("parts/attention", render)}
