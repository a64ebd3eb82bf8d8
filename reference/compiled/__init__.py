"""The rooms of ``reference`` as loops that Numba compiles: the same verbs, held to the definition by the parity suite.

float32 and float64.  From the equations to the processor, in the order in which to read them:

    elementary  σ and tanh
    products    a matrix product with a weight that is laid out once for all steps; vectors: its innermost loop
    rnn, lstm, gru   the time loops: what is done to one row of one step stands in a function of its own
    steps       the input product, and what is summed over all steps
    threads     who computes
    jit         how it is compiled, and where what was compiled is kept

notes/compiled.md reads them.  Besides the verbs each room has ``folded`` and ``run``, as those of ``fast``, and
``turned``, ``zeros``, ``accumulate`` and ``finished``, of which packed.py makes a backward over several segments.

It needs Numba: pip install 'bptt[compiled]'.  As in ``fast``, where an upstream gradient or a weight is infinite or NaN,
0 · inf may be NaN here where the definition has 0, or the other way round.
"""

from . import gru, lstm, rnn
from .threads import THREADS

__all__ = ["THREADS", "gru", "lstm", "rnn"]
