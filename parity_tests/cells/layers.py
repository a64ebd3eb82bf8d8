"""Faults of reference/cells/layers.py, which the named cases must catch: ../judge/cases.py"""

from ..mutation.catalogue import Fault

# fmt: off
FAULTS = [
    Fault("every layer starts from the first layer's state", "Layer._nest", "split[k : k + D]", "split[:D]",
          source="pytorch #94691: slices of deeper layers' states"),
    Fault("final states in direction-major order", "Layer._flat", "(s for layer in states for s in layer)",
          "(s for both in zip(*states) for s in both)", source="pytorch #3587"),
    Fault("given initial state dropped", "Layer._open", 'checks.state(f"{name}: state", state, shapes, self.dtype, hint)',
          'checks.state(f"{name}: state", None, shapes, self.dtype, hint)',
          source="tensorflow #38248: a decoder dropped its state"),
    Fault("state leaks into the next call", "Layer.vjp",
          "y, states_n, cache = stack.forward(self.room, self._stacked(), data, self._nest(form, states), "
          "form.batch_sizes, keep, self.dropout, **self.options)",
          "nest = self._nest(form, states)\n"
          "nest = nest if state is not None else getattr(self, 'left', nest)\n"
          "y, self.left, cache = stack.forward(self.room, self._stacked(), data, nest, "
          "form.batch_sizes, keep, self.dropout, **self.options)\n"
          "states_n = self.left"),
]
