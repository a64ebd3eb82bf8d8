"""What the public doors check, each with one sentence: the argument, what was expected, what was given.

The exception types are those of torch.nn where torch has one.
"""

from .arrays import (
    array,
    features,
    floats,
    given,
    logits,
    mapping,
    mask,
    matrix,
    numbers,
    quantiles,
    rank,
    spread,
    state,
    state_dict,
    tensor,
    token,
    tokens,
)
from .scalars import (
    at_least_one,
    at_least_zero,
    clipping,
    finite,
    fits,
    flag,
    fraction,
    index,
    is_real,
    part,
    positive,
    positive_int,
    positive_or_zero,
    probability,
    projection,
    real,
    shape,
    shown,
    sizes,
    whole,
    zero_or_more,
)
from .sequences import (
    increases,
    lengths,
    padding,
    permutation,
    sequences,
    side,
    total,
)
from .words import (
    COMPILED,
    ENGINES,
    UsageError,
    choice,
    dtype,
    encoding,
    engine,
    engines,
    function,
    generator,
    has,
    needs,
    nonlinearity,
    place,
    plain,
    several,
    source,
)

__all__ = ["COMPILED", "ENGINES", "UsageError", "array", "at_least_one", "at_least_zero", "choice", "clipping", "dtype"]
__all__ += ["encoding", "engine", "engines", "features", "finite", "fits", "flag", "floats", "fraction", "function"]
__all__ += ["generator", "given", "has", "increases", "index", "is_real", "lengths", "logits", "mapping", "mask", "matrix"]
__all__ += ["needs", "nonlinearity", "numbers", "padding", "part", "permutation", "place", "plain", "positive", "positive_int"]
__all__ += ["positive_or_zero", "probability", "projection", "quantiles", "rank", "real", "sequences", "several", "shape"]
__all__ += ["shown", "side", "sizes", "source", "spread", "state", "state_dict", "tensor", "token", "tokens", "total", "whole"]
__all__ += ["zero_or_more"]
