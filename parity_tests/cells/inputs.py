"""Faults of reference/cells/inputs.py, which the named cases must catch: ../judge/cases/table.py"""

from ..mutation.catalogue import Fault

# fmt: off
FAULTS = [
    Fault("batch_first reshapes where it should transpose", "Form.rows", "np.swapaxes(x, 0, 1)",
          "x.reshape(x.shape[1], x.shape[0], -1)", source="pytorch #92615: transposes missing"),
    Fault("states of unsorted sequences not sorted", "Form.states_in", "s[:, self.packed.sorted_indices]", "s.copy()"),
    Fault("final states of unsorted sequences not put back", "Form.states_out", "s[:, self.packed.unsorted_indices]", "s"),
    Fault("upstream gradient's array is written to", "Form.rows",
          "return (x.copy() if copy else np.ascontiguousarray(x)).reshape(-1, x.shape[-1])",
          "x *= 1 + np.finfo(x.dtype).eps\nreturn (x.copy() if copy else np.ascontiguousarray(x)).reshape(-1, x.shape[-1])",
          source="in-place code on a view where a copy was expected", shows="changed"),
    Fault("order in memory taken for the order of the axes", "Form.rows", "x.copy()",
          "np.array(x.ravel(order='K')).reshape(x.shape)", source="pytorch #345"),
    Fault("the caller's input not copied", "Form.rows", "x.copy() if copy else np.ascontiguousarray(x)",
          "np.ascontiguousarray(x)", source="what the caller writes into x between forward and backward changes the gradient"),
]
