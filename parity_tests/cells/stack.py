"""Faults of reference/cells/stack.py, which the named cases must catch: ../judge/cases.py"""

from ..mutation.catalogue import Fault

# fmt: off
FAULTS = [
    Fault("reverse outputs not turned back", "forward", "y[turn] if direction else y", "y"),
    Fault("reverse direction runs forwards", "forward", "x[turn] if direction else x", "x",
          source="onnx: bidirectional ignored until PR #7935"),
    Fault("reverse final state taken at the last step", "forward", "s_n.append(s)",
          "s_n.append(s._replace(h=y[turn][-len(s.h) :]) if direction and len(set(batch_sizes)) == 1 else s)",
          source="pvse #13, yunjey tutorial #149: out[:, -1] of a bidirectional layer"),
    Fault("lengths ignored in the reverse direction", "flip", "return start[last - t] + b",
          "return start[last - t] + b if batch_sizes[0] == batch_sizes[-1] else np.arange(len(t))",
          source="pytorch #1811, keras PR #1934, haste #12"),
    Fault("ended sequences' states in the wrong order", "run_forward", "ended.insert(0, take(s, slice(B, None)))",
          "ended.append(take(s, slice(B, None)))"),
    Fault("ended sequences' states overwritten by the initial one", "run_forward", "concat(s, *ended)",
          "concat(s, *(type(e)(*(0 * v for v in e)) for e in ended))", source="onnx reference: sequence_lens ignored"),
    Fault("final-state gradients of ended sequences dropped", "backwards", "take(ds_n, slice(len(ds.h), B))",
          "type(ds)(*(0 * v for v in take(ds_n, slice(len(ds.h), B))))"),
    Fault("weight gradients of the first segment only", "run_backward", "reduce(add, reversed(dps))", "dps[0]"),
    Fault("input's gradient from the forward direction only", "backward", "dx = d if dx is None else dx + d",
          "dx = d if dx is None else dx", source="mxnet #17898: bidirectional with three layers"),
    Fault("halves of a bidirectional layer exchanged", "forward", "x = join(*ys)", "x = join(*ys[::-1])"),
    Fault("reverse gradient not turned round", "backward", "dys[direction][turn] if direction else dys[direction]",
          "dys[direction]"),
    Fault("directions' weight gradients exchanged", "backward", "dparams.insert(0, dps)", "dparams.insert(0, dps[::-1])",
          source="mxnet #17479: layers with I != H"),
    Fault("dropout not scaled", "scale", "1 / (1 - p) if p < 1 else 0.0", "1.0"),
    Fault("dropout scaled by 1 / p", "scale", "1 / (1 - p) if p < 1 else 0.0", "1 / p"),
    Fault("dropout left out of the backward", "backward", "dx if layer.keep is None else dx * layer.keep * scale(k.p)", "dx",
          source="pytorch #190056: MPS backward ignored dropout"),
    Fault("dropout not scaled in the backward", "backward", "dx * layer.keep * scale(k.p)", "dx * layer.keep"),
    Fault("dropout after the last layer too", "forward", "x = join(*ys)",
          "x = join(*ys) * (keep[-1] if len(keep) and layer == len(params) - 1 else 1)"),
    Fault("every layer uses the first mask", "forward", "keep[layer - 1]", "keep[0]"),
    Fault("mask kept and dropped exchanged", "forward", "x = x * mask * scale(p)", "x = x * ~mask * scale(p)"),
]
