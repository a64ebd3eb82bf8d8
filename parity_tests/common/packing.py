"""Faults of reference/common/packing.py, which the named cases must catch: ../judge/cases/table.py"""

from ..mutation.catalogue import Fault

# fmt: off
FAULTS = [
    Fault("order taken for its inverse", "pack_padded_sequence", "np.argsort(order)", "order"),
    Fault("outputs of unsorted sequences not put back", "pad_packed_sequence", "padded, lengths = padded[:, back], lengths[back]",
          "lengths = lengths[back]"),
    Fault("gradients of unsorted sequences not sorted", "pad_packed_sequence_backward", "dx = dx[:, sequence.sorted_indices]",
          "pass"),
    Fault("padding multiplied by zero, not left out", "pack_padded_sequence", "x[positions(batch_sizes)]",
          "(x + 0 * x.sum(0))[positions(batch_sizes)]", source="tensorflow #6209, returnn #576: NaN · 0 is NaN"),
    Fault("gradient at the padding multiplied by zero", "pad_packed_sequence_backward",
          "dx[positions(sequence.batch_sizes)]", "(dx + 0 * dx.sum(0))[positions(sequence.batch_sizes)]",
          source="tensorflow #6209, wtte-rnn #50"),
    Fault("the caller's lengths sorted in place", "pack_padded_sequence", 'order = np.argsort(-n, kind="stable")',
          'order = np.argsort(-n, kind="stable")\nlengths.sort()', shows="changed"),
    Fault("outputs past a sequence's end nearly zero", "pad_packed_sequence",
          "checks.padding(padding_value, data.dtype)", "checks.padding(padding_value or 1e-30, data.dtype)", shows="padding"),
]
