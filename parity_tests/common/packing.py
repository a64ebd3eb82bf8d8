"""Faults of reference/common/packing.py, which the named cases must catch: ../judge/cases.py"""

from ..mutation.catalogue import Fault

# fmt: off
FAULTS = [
    Fault("order taken for its inverse", "pack_padded_sequence", "np.argsort(order)", "order"),
    Fault("outputs of unsorted sequences not put back", "pad_packed_sequence", "padded, lengths = padded[:, back], lengths[back]",
          "lengths = lengths[back]"),
    Fault("gradients of unsorted sequences not sorted", "pad_packed_sequence_backward", "dx = dx[:, sequence.sorted_indices]",
          "pass"),
]
