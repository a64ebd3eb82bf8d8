"""What must hold over several calls.  A contract has the name of its function; judge/cases/table.py says on which cases it is run.

Each is called with ``load``, which makes a layer from weights, and a case; it yields verdicts, and raises DeclinedError where an
implementation cannot be asked.
"""

from collections.abc import Callable, Iterable

from ..cases import Case
from ..tolerance import Verdict
from . import calls, dropout, memory
from .call import Loader

Contract = Callable[[Loader, Case], Iterable[Verdict]]
FUNCTIONS: tuple[Contract, ...] = (
    calls.other_data,
    calls.other_lengths,
    calls.two_layers,
    calls.last_forward,
    calls.inference,
    calls.thousand_forwards,
    memory.arguments_reused,
    memory.results_apart,
    dropout.dropout_not_in_evaluation,
    dropout.dropout_new_each_call,
    dropout.dropout_keeps_the_mean,
    dropout.dropout_of_everything,
)
CONTRACTS = {f.__name__: f for f in FUNCTIONS}
