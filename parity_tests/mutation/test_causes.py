"""Faults of the catalogue, as if a stranger had made them: the report names each by the misreading that it is, and no other."""

from dataclasses import replace
from itertools import islice

import pytest

from ..judge import report
from ..judge.suite import run_case
from .catalogue import catalogue
from .command import candidates, implementation

# A fault's name -> the misreading.  The others are lines that nobody is known to have misread.
# fmt: off
NAMED = {
    "update gate keeps the candidate, not the old state": "the update gate keeps the candidate, not the old state",
    "candidate's recurrent bias outside the reset": "the hidden bias of n is outside the reset",
    "state not carried to the next step": "the state is not carried on: every step starts from the initial one",
    "both biases given one gradient": "the gradient of bias_ih is given for bias_hh too",
    "update gate's gradient has the wrong sign": "the update gate's gradient has the wrong sign",
    "gradient past the update gate lost": "the gradient past the update gate, z ∘ dh, is lost",
    "reset gate has no gradient": "the reset gate gets no gradient",
    "batch_first reshapes where it should transpose": "batch_first reshapes x where it should transpose",
    "final states of unsorted sequences not put back": "the final states are left in the order of the sorted lengths",
    "final states in direction-major order": "the final states are returned direction by direction, not layer by layer",
    "given initial state dropped": "the initial state is left out",
    "input and forget gate exchanged": "the gates are read in the order f i g o, not i f g o",
    "forget gate has 1 added": "1 is added to the forget gate's bias",
    "old cell state not scaled": "the old cell state is not scaled by the forget gate",
    "coupled gates": "the forget gate is 1 - i (coupled gates)",
    "candidate's recurrent bias lost at the first step without a state": "b_hn is left out at the first step",
    "no recurrent bias of the candidate": "the hidden bias of n, b_hn, is left out",
    "reverse direction starts from forward's state": "the reverse direction starts from forward's initial state",
    "recurrent bias of the reverse direction lost": "bias_hh is left out in the reverse direction",
    "output without tanh of the cell state": "there is no tanh on the cell state before the output gate",
    "output gate's gradient without tanh": "the output gate's gradient lacks tanh of the cell state",
    "derivative of tanh of the cell state left out": "the derivative of tanh of the cell state is left out",
    "cell state's gradient not carried through time": "the gradient of the cell state is not carried back through time",
    "forget gate's gradient from the new cell state": "the forget gate's gradient takes the new cell state, not the old one",
    "recurrent bias has no gradient": "the gradient of bias_hh is zero",
    "biases' gradients doubled": "the gradients of the biases are doubled",
    "recurrent bias left out": "bias_hh is left out",
    "recurrent matrix transposed": "weight_hh is transposed",
    "nonlinearity option ignored": "the nonlinearity is tanh",
    "derivative of tanh is 1 - h": "the derivative of tanh is 1 - h",
    "derivative of relu is 1 everywhere": "the derivative of the nonlinearity is left out",
    "recurrent matrix transposed in backward": "weight_hh is transposed in the backward",
    "recurrent weights paired with the new state": "the gradient of weight_hh pairs each step with the state after it",
    "reverse outputs not turned back": "the reverse direction's output is not turned back",
    "reverse direction runs forwards": "the reverse direction's input is not turned round, but its output is",
    "lengths ignored in the reverse direction": "the reverse direction is not turned round: it runs forwards",
    "input's gradient from the forward direction only": "the gradient of x comes from the forward direction only",
    "halves of a bidirectional layer exchanged": "the forward and reverse halves of every layer's output are exchanged",
    "reverse gradient not turned round": "the reverse direction's gradient is not turned round",
    "directions' weight gradients exchanged": "the gradients of the two directions' weights are exchanged",
    "outputs of unsorted sequences not put back": "y is left in the order of the sorted lengths",
    "gradients of unsorted sequences not sorted": "the gradient of y is not sorted with the sequences",
}
# fmt: on
FAILURES = 4  # of each fault
FAULTS = {f.name: f for f in catalogue() if f.name in NAMED and not f.room.startswith("fast/")}


@pytest.mark.parametrize("name", NAMED)
def test_a_stranger_with_this_fault_is_told_what_it_is(name):
    stranger = replace(implementation(FAULTS[name]), package=None)
    results = (run_case(stranger, case) for case in candidates(FAULTS[name]))
    failed = list(islice((r for r in results if not r.ok), FAILURES))
    causes = report.implementation(name, failed)["causes"]
    assert [c["text"].partition(" what the definition gives if ")[2] for c in causes] == [NAMED[name]]
