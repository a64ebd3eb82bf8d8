"""Faults of reference/common/packing.py, which the named cases must catch: ../judge/cases.py"""

from functools import partial

from ..mutation.catalogue import Fault

fault = partial(Fault, "common/packing")
# fmt: off
FAULTS = [
    fault("order taken for its inverse", "pack_padded_sequence", "np.argsort(order)", "order"),
    fault("outputs of unsorted sequences not put back", "pad_packed_sequence", "padded, lengths = padded[:, back], lengths[back]",
          "lengths = lengths[back]"),
    fault("gradients of unsorted sequences not sorted", "pad_packed_sequence_backward", "dx = dx[:, sequence.sorted_indices]",
          "pass"),
]
