"""What each argument is, and what a sentence calls it."""

from reference.training.optim import OPTIONS

# A kind of wrong_values.py, then the arguments that are of it: by name, or by door and name where the name means something else.
TABLE = """
0 or more:
    alpha eps initial_accumulator_value lr lr_decay max_norm momentum value weight_decay
    training.clip.clip_grad_value.clip_value
0 or more?:
    clip_value training.loop.train.max_norm
above 0:
    T_max delta norm_type step_size total_iters
anything:
    config vocabulary
array:
    dy keep x y parts.losses.cross_entropy_forward.logits parts.losses.quantile_forward.quantiles
    parts.losses.sequence_forward.mask parts.losses.sequence_forward.targets
array?:
    coins dcontext dstate dstate_n dweights mask masks state weight cells.layers.Layer.backward.dy
arrays by name:
    grads params state_dict
arrays to look through:
    convert.finding.find.arrays convert.stacks.ours.arrays
at least 1:
    common.teacher_forcing.inverse_sigmoid.k
batch:
    batch
batches:
    state_n training.loop.evaluate.batches
betas:
    betas
carried:
    carried
count:
    beam max_length pool reach size steps width window world
count or 0:
    B count end epochs rank seed start common.batches.conditioned.bos common.batches.conditioned.eos
    common.batches.translated.bos common.batches.translated.eos common.packing.unpad_sequence_backward.total_length
    common.teacher_forcing.coins.T common.teacher_forcing.exponential.step common.teacher_forcing.inverse_sigmoid.step
    common.teacher_forcing.linear.step
count or 0?:
    T total_length training.loop.train.steps
count?:
    patience save_every segment top_k
dtype:
    dtype
finite, 0 or more:
    eta_min gamma length_power std temperature
finite, 0 or more?:
    tolerance
flag:
    allowed batch_first bias bidirectional centered enforce_sorted error_if_nonfinite nesterov outputs recompute reset_after
    resume special tied common.module.Composite.train.mode common.module.Module.train.mode
flag?:
    convert.finding.find.reset_after convert.stacks.ours.bidirectional convert.stacks.ours.reset_after
function:
    batches choose select step training.init.per_gate.scheme
function?:
    schedule validation
generator?:
    rng
index?:
    padding_idx
items:
    items
lengths:
    which common.packing.padding_mask.lengths
list:
    lengths milestones schedules common.batches.conditioned.conditions common.batches.labelled.classes
    common.batches.tagged.tags
mapping:
    common.module.Module.load_state_dict.state_dict reference.training.optim.Optimizer.step.grads
mapping?:
    torch_impl.training.optim.Optimizer.step.grads
number:
    padding_value total
numbers:
    ids logits common.batches.shuffled.lengths common.batches.windows.tokens convert.comparison.compare.a
    convert.comparison.compare.b parts.losses.cross_entropy_forward.targets
numbers?:
    pos_weight
object:
    given model module optimizer stack target
packed:
    dpacked sequence source
padded:
    condition dpadded h input packed padded_sequences past q sample tokens cells.layers.Layer.infer.x cells.layers.Layer.vjp.x
    convert.diagnosis.diagnose.x convert.diagnosis.diagnose.y models.forecaster.Forecaster.ahead.known
    parts.losses.sequence_forward.logits parts.modules.Linear.__call__.x parts.modules.Linear.vjp.x
padded?:
    models.forecaster.Forecaster.forecast.known
path:
    path
path?:
    folder
places:
    places
probability:
    dropout end_factor k label_smoothing ratio test common.teacher_forcing.linear.end common.vocabulary.split.validation
    parts.dropout.draw.p parts.dropout.forward.p
quantiles:
    quantiles
real:
    a b dampening gain mean
real?:
    forget_bias slope
scheme:
    scheme
scheme?:
    others recurrent
sequences:
    dsequences sequences common.batches.translated.sources common.batches.translated.targets
shape:
    shape
share:
    start_factor
share?:
    top_p
size:
    classes columns conditions embedding_dim gates hidden_size in_features input_size memory_size num_embeddings num_layers
    out_features query_size sources tags targets models.forecaster.Forecaster.horizon
size or 0:
    known proj_size
size?:
    attention_size horizon
symbols:
    symbols common.vocabulary.Vocabulary.encode.sequence common.vocabulary.Vocabulary.of.sequences
token:
    bos eos
tokens:
    common.vocabulary.Vocabulary.decode.tokens
torch's:
    torch_impl.cells.layers.GRU.hidden_size torch_impl.cells.layers.GRU.input_size torch_impl.cells.layers.GRU.num_layers
    torch_impl.cells.layers.LSTM.hidden_size torch_impl.cells.layers.LSTM.input_size torch_impl.cells.layers.LSTM.num_layers
    torch_impl.cells.layers.RNN.hidden_size torch_impl.cells.layers.RNN.input_size torch_impl.cells.layers.RNN.num_layers
trusted:
    device ds_n more p room s common.sampling.beam_run.state common.sampling.beam_search.state common.sampling.free_run.state
    gradients.checkpointed_bptt.forward.way gradients.checkpointed_bptt.forward.x gradients.truncated_bptt.backward.dy
    gradients.truncated_bptt.backward.k gradients.truncated_bptt.forward.way gradients.truncated_bptt.forward.x
    gradients.truncated_bptt.windows.x parts.attention.forward.h parts.attention.forward.q parts.dropout.forward.x
whole:
    ignore_index
word:
    cell engine feedback kind mode nonlinearity padding_side pooling reduction way convert.files.write.library
    convert.stacks.theirs.library
word?:
    attention library convert.stacks.ours.nonlinearity
"""


def read(table: str) -> dict[str, str]:
    """argument -> kind"""
    kinds: dict[str, str] = {}
    kind = ""
    for line in table.splitlines():
        if line.endswith(":"):
            kind = line[:-1]
        else:
            kinds |= dict.fromkeys(line.split(), kind)
    return kinds


KINDS = read(TABLE)
# What a sentence calls an argument, if not by its name.
CALLED = {
    "x": ("input", "sequence", "batch_sizes", "_indices"),
    "tokens": ("token", "ids", "input"),
    "condition": ("ids",),
    "known": ("future",),
    "ids": ("tokens",),
    "q": ("query",),
    "h": ("memory",),
    "y": ("targets",),
    "batch": (
        *("input", "ids", "tokens", "targets", "condition", "source", "batch_sizes", "_indices", "past", "future", "masks"),
        *("first", "which"),
    ),
    "source": ("ids", "tokens", "batch_sizes", "_indices"),
    "sequences": ("lengths",),
    "dpacked": ("sequence", "batch_sizes", "_indices"),
    "sequence": ("symbol", "batch_sizes", "_indices"),
    "batches": ("batch", "ids", "tokens", "targets", "_indices"),
    "path": ("must end in",),
    "arrays": ("no recurrent layer",),
    "packed": ("vector",),
    "target": ("initialise",),
    "params": ("parameter",),
    "grads": ("gradient",),
    "state_dict": ("optimiser", "of 'v'", "of 'w'", "v must", "w must", *OPTIONS),
    "state": ("hidden", "hx"),
    "ratio": ("teacher_forcing",),
    "classes": ("sequences",),
    "symbols": ("vocabulary",),
    "value": ("lr",),
}
