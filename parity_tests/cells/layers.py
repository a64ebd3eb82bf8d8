"""Faults of reference/cells/layers.py, which the named cases must catch: ../judge/cases/table.py"""

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
    Fault("the first call's state kept", "Layer._open",
          'checks.state(f"{name}: state", state, shapes, self.dtype, hint)',
          'checks.state(f"{name}: state", self.__dict__.setdefault("first", state), shapes, self.dtype, hint)',
          source="tensorflow #32299"),
    Fault("the first call's lengths kept", "Layer._open",
          "open_input(name, x, self.batch_first, self.input_size, self.dtype, copy)",
          "open_input(name, x._replace(batch_sizes=self.__dict__.setdefault('first', x.batch_sizes)) if isinstance(x, tuple) "
          "else x, self.batch_first, self.input_size, self.dtype, copy)", source="triton #808"),
    Fault("the first answer for ever", "Layer.__call__", "self.vjp(x, state, masks)",
          "self.__dict__.setdefault('first', self.vjp(x, state, masks))", source="onnxruntime #19270: outputs bound once"),
    Fault("outputs overwritten by the next call", "Layer.vjp", "form.like(y.copy())",
          "(np.copyto(kept := self.__dict__.setdefault(str(y.shape), np.empty_like(y)), y), form.like(kept))[1]",
          shows="changed", source="Element-Research/rnn #211"),
    Fault("one workspace for all layers", "Layer.__call__", "self._pullback = pullback",
          "self.room.kept = pullback\nself._pullback = lambda *d: self.room.kept(*d)",
          source="dynet #1335, dl4j #3731"),
    Fault("a race that shows once in a thousand forwards", "Layer.vjp", "form.like(y.copy())",
          "form.like(y * (1 + (self.__dict__.setdefault('calls', iter(range(1000))).__next__() == 996)))"),
    Fault("gradients of final states alone are lost", "Layer.vjp",
          'ds = checks.state(f"{name}: dstate_n", dstate_n, *expected)',
          'ds = checks.state(f"{name}: dstate_n", dstate_n if rows.any() else None, *expected)',
          source="pytorch #11800, dl4j #8838: no gradient on y taken for no gradient"),
    Fault("dropout in evaluation too", "Layer.infer",
          "y, states_n, _ = stack.forward(without_cache(self.room), self._stacked(), data, self._nest(form, states), "
          "form.batch_sizes, (), 0.0, **self.options)",
          "y, states_n, _ = stack.forward(without_cache(self.room), self._stacked(), data, self._nest(form, states), "
          "form.batch_sizes, self._keep('', form, None), self.dropout, **self.options)",
          source="pytorch #180744, keras PR #19645"),
    Fault("one dropout mask for all calls", "Layer._keep", "self.rng.random((N, features))",
          "np.random.default_rng(0).random((N, features))", shows="dropout", source="pytorch PR #185351"),
    Fault("dropout has no effect", "Layer._keep", "self.training and self.dropout > 0 and count > 0",
          "self.training and self.dropout > 0 and count > 0 and masks is not None", shows="dropout", source="tensorflow #6466"),
    Fault("a forward for evaluation takes the backward's place", "Layer.infer", "return form.like(y), self._flat(form, states_n)",
          "self(x, state)\nreturn form.like(y), self._flat(form, states_n)"),
    Fault("final state is a view of the outputs", "Layer.vjp", "return form.like(y.copy()), self._flat(form, states_n), pullback",
          "out = y.copy()\nrest = self._flat(form, states_n)\n"
          "one = self.num_layers == D == 1 and not isinstance(rest, tuple) and form.packed is None and not form.batch_first\n"
          "return form.like(out), form.like(out)[-1:] if one and form.batched else rest, pullback", shows="shared",
          kinds=("rnn", "rnn-relu", "gru", "gru-before")),
    Fault("a ring of eight buffers", "Layer.vjp", "form.like(y.copy())",
          "(self.__dict__.setdefault('ring', [np.empty_like(y) for _ in range(8)]).append(kept := self.ring.pop(0)), "
          "np.copyto(kept, y), form.like(kept))[2] if y.shape == self.__dict__.setdefault('form', y.shape) else form.like(y)",
          shows="changed"),
]
