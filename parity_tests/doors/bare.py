"""The doors that check nothing, each with the reason; a module's name stands for all that is in it."""

ROOM = "bare mathematics: a room trusts its caller, and the layers, modules and models over it check"
WITHIN = "a step of the functions beside it, which check"
COMMAND = "of a command: test_commands.py"
REFERENCE: dict[str, str] = {
    **dict.fromkeys(("cells.rnn", "cells.lstm", "cells.gru", "cells.stack", "fast", "compiled", "common.arrays"), ROOM),
    **dict.fromkeys(("parts.linear", "parts.embedding", "parts.linear_recurrence"), ROOM),
    **dict.fromkeys(("gradients.rtrl", "gradients.hessian", "gradients.gradient_flow"), ROOM),
    "cells.inputs": "the layers' checks themselves",
    "cells.layers.Layer": "not for use by itself: RNN, LSTM, GRU",
    "cells.single_step.Cell": "not for use by itself: RNNCell, LSTMCell, GRUCell",
    "cells.layers.written_for": WITHIN,
    "cells.layers.without_cache": WITHIN,
    "cells.layers.joined": WITHIN,
    "common.checks": "the checks themselves",
    "common.checkpoint": "files: parity_tests/common/test_checkpoint.py",
    **dict.fromkeys(("common.command", "common.output", "common.extras", "common.run", "common.screen"), COMMAND),
    "common.parameters": "data, no arguments of a person",
    "common.module.Module.uniform": WITHIN,
    "common.module.Module.vjp": "not defined here",
    "common.module.Composite": "as Module",
    **{f"common.batches.{name}": WITHIN for name in ("fields", "pack", "shifted", "whole", "same_count")},
    **{f"common.packing.{name}": WITHIN for name in ("lengths_of", "positions", "one_step", "checked_packed")},
    **{f"common.sampling.{name}": WITHIN for name in ("rank", "before", "choose", "finite", "best", "until", "power")},
    **{f"common.vocabulary.{name}": WITHIN for name in ("iterable", "checked")},
    "common.datasets": "files that are read for a second: parity_tests/common/test_datasets.py",
    **{f"parts.attention.{name}": ROOM
       for name in ("backward", "keys_forward", "keys_backward", "attend_forward", "attend_backward")},
    **{f"parts.attention.{name}": WITHIN for name in ("turned", "by_sequence", "scale", "blanked", "kept")},
    "parts.dropout.backward": ROOM,
    **{f"parts.losses.{name}_backward": ROOM for name in ("cross_entropy", "sequence", "mse", "l1", "huber", "bce", "quantile")},
    **{f"parts.losses.{name}": ROOM for name in ("exponentials", "log_softmax", "softplus")},
    **{f"parts.losses.{name}": WITHIN for name in ("classes", "reduced_scale", "reduce", "comparable", "settle")},
    "parts.modules.Attention.named": WITHIN,
    **{f"training.init.{name}": WITHIN for name in ("sizes", "named", "within", "around")},
    **{f"training.loop.{name}": WITHIN for name in ("checked", "not_finite")},
    "training.optim.Optimizer": "not for use by itself: SGD, RMSprop, Adagrad, Adam, AdamW",
    "training.optim.fitting": WITHIN,
    "training.optim_checks": WITHIN,
    "training.processes": COMMAND,
    "models.recurrent": WITHIN,
    **{f"models.model.{name}": WITHIN for name in ("cross_entropy", "added")},
    "models.model.Model": "not for use by itself: what is asked of a model is in the rows of Classifier, Generator, ...",
    "models.classifier.pooled": WITHIN,
    **{f"models.forecaster.{name}": WITHIN
       for name in ("dense", "check", "known_columns", "levels", "head_sizes", "target", "asked", "window_arrays")},
    **{f"models.language_model.{name}": WITHIN
       for name in ("TiedHead", "draw_masks", "check_carried", "LanguageModel.checked_carried")},
    "models.seq2seq.selected": WITHIN,
    "gradients.checkpointed_bptt.backward": ROOM,
    "gradients.checkpointed_bptt.least_memory": WITHIN,
    "convert.command": COMMAND,
    **{f"convert.{name}": WITHIN for name in ("conventions", "naming", "placing", "readings", "keras_file", "onnx_file")},
    **{f"convert.comparison.{name}": WITHIN for name in ("change", "changes", "exchanged_by_reshape", "blocks", "matched")},
    **{f"convert.diagnosis.{name}": WITHIN
       for name in ("check_states", "apply", "predicted", "measure", "shares", "largest", "search", "pairs", "sentences")},
    **{f"convert.files.{name}": WITHIN
       for name in ("need", "read_safetensors", "tensor", "read_npz", "numbered", "read_keras", "read_onnx", "safetensors", "npz",
                    "keras_model", "onnx_model", "kind_of")},
    **{f"convert.finding.{name}": WITHIN
       for name in ("rows", "anchors", "at", "one", "meaning", "same_library", "apart", "together", "without_copies", "ordered")},
    **{f"convert.packed.{name}": WITHIN for name in ("order", "shape")},
    **{f"convert.stacks.{name}": WITHIN
       for name in ("checked", "strings", "chosen", "stack", "option", "directions", "fitting", "places_of", "where", "row",
                    "default_places")},
}  # fmt: skip
TORCH_OWN = "torch's own function or class, with its own checks"
JUDGED = "what the judge and the benchmarks load; a Spec has checked its options"
TORCH_IMPL: dict[str, str] = {
    **dict.fromkeys(("cells.rnn", "cells.lstm", "cells.gru", "cells.stack", "cells.compiled", "cells.graphed", "triton"), ROOM),
    **dict.fromkeys(("parts.linear", "parts.embedding", "parts.dropout", "parts.linear_recurrence", "parts.losses"), ROOM),
    **dict.fromkeys(("gradients.rtrl", "gradients.hessian", "gradients.gradient_flow"), ROOM),
    **{f"parts.attention.{name}": ROOM for name in ("keys_forward", "attend_forward", "forward")},
    "parts.attention.Attention.forward": TORCH_OWN,
    "cells.adapters": JUDGED,
    **{f"cells.layers.{name}": TORCH_OWN for name in ("Written", "fields", "as_state")},
    "cells.layers.fits": WITHIN,
    "common.initial_weights": WITHIN,
    "common.precision.dtype": WITHIN,
    **{f"common.sampling.{name}": WITHIN for name in ("array", "tensor", "checked")},
    **dict.fromkeys(("convert", "export", "models.placement", "training.processes"), COMMAND),
    "training.data_parallel": "what needs several processes: test_data_parallel.py",
    "training.clip": TORCH_OWN,
    "training.loop.not_finite": WITHIN,
    "training.optim.Optimizer": "not for use by itself: SGD, RMSprop, Adagrad, Adam, AdamW",
    "training.optim.checked_grads": WITHIN,
    "models.model.Model": REFERENCE["models.model.Model"],
    **{f"models.model.{name}": WITHIN for name in ("rows_of", "one_step", "fits")},
    **{f"models.language_model.{name}": WITHIN for name in ("TiedHead", "LanguageModel.checked_carried")},
    "models.language_model.LanguageModel.masked": WITHIN,
    "models.generator.Generator.first_state": WITHIN,
    "models.forecaster.dense": WITHIN,
    **{f"models.forecaster.Forecaster.{name}": WITHIN for name in ("told", "outputs", "direct", "step", "arrays")},
    **{f"models.seq2seq.Seq2seq.{name}": WITHIN for name in ("next", "encode", "read", "input")},
    "models.seq2seq.selected": WITHIN,
}  # fmt: skip
BARE = {"reference": REFERENCE, "torch_impl": TORCH_IMPL}
