"""Libraries by others that have an adapter in parity_tests/strangers, by a short name."""

from typing import NamedTuple


class Stranger(NamedTuple):
    """One adapter."""

    library: str  # as people call it
    module: str  # in parity_tests.strangers
    needs: tuple[str, ...]  # what pip installs for it, in the versions that were judged
    cases: tuple[str, ...] = ()  # globs, where it compiles for too long to be given all
    findings: tuple[str, ...] = ()  # what is wrong in the library: scripts in parity_tests/strangers/findings
    converts: str = ""  # its name in reference/convert, whose tests run it too

    @property
    def address(self) -> str:
        """The module's dotted name."""
        return f"parity_tests.strangers.{self.module}"


# Every pair of options in small sizes, and unusual numbers: for what compiles for seconds at each form.
PAIRS = (
    "*-T5B4I3H6", "*-T5B4I3H6-*nostate", "*-T5B4I3H6-2layers-bidirectional-nobias", "*-T5B4I3H6-3layers-bidirectional-batch_first",
    "*-T5B4I3H6*-lengths?_?_?_?", "*_padding", "*_inside", "*-other_*", "*-far_state", "*-spikes",
)  # fmt: skip
# One form of each sort, where the equations are ours and only the compiler is judged.
SOME = (
    "*-T5B4I3H6",
    "*-T5B4I3H6-nostate",
    "*-2layers-bidirectional-nobias*",
    "*-3layers-bidirectional-batch_first*",
    "*nan_padding",
)
# A few forms, where each takes a minute.
FEW = ("*-T1B1I1H1-size1", "*-T5B4I3H6-nostate", "*-T5B4I3H6-2layers-bidirectional-nobias")
JAX, FLAX, KERAS = "jax==0.10.2", "flax==0.12.8", "keras==3.15.1"
ONNX, ORT, TENSORFLOW, TORCH = "onnx==1.23.2", "onnxruntime==1.32.0", "tensorflow-cpu==2.21.0", "torch==2.13.0"

STRANGERS: dict[str, Stranger] = {
    "torch.jit": Stranger("torch.jit.script", "torch.scripted", (TORCH,), converts="torch.nn"),
    "torch.func": Stranger(
        "torch.func", "torch.functional", (TORCH,), findings=("torch/func_packed", "torch/func_shared_gradients")
    ),
    "torch.compile": Stranger("torch.compile", "torch.compiled", (TORCH,), FEW),
    "torch.quantizable": Stranger(
        "torch.ao quantizable LSTM",
        "torch.quantizable",
        (TORCH,),
        findings=("torch/quantizable_float64", "torch/quantizable_dropout"),
    ),
    "torch.int8": Stranger("torch.ao dynamic int8 (8 bits, judged as float32)", "torch.dynamic_int8", (TORCH,)),
    "torch.bfloat16": Stranger("torch.nn in bfloat16", "torch.bfloat16", (TORCH,), findings=("torch/gru_bfloat16",)),
    "opacus": Stranger("Opacus", "torch.opacus", ("opacus==1.6.0",), findings=("opacus/packed_float64", "opacus/dropout")),
    "onnxruntime": Stranger(
        "ONNX Runtime", "onnx.runtime", (ONNX, ORT), findings=("onnxruntime/nan_lost", "onnxruntime/sigmoid"), converts="ONNX"
    ),
    "onnx.reference": Stranger(
        "ONNX reference evaluator",
        "onnx.reference_evaluator",
        (ONNX,),
        findings=("onnx/reference_lengths", "onnx/reference_activations"),
    ),
    "openvino": Stranger(
        "OpenVINO",
        "onnx.openvino",
        (ONNX, "openvino==2026.4.1"),
        findings=("openvino/lengths_ignored", "openvino/relu_nan"),
    ),
    "openvino.static": Stranger(
        "OpenVINO, fixed shapes", "onnx.openvino_static", (ONNX, "openvino==2026.4.1"), findings=("openvino/relu_nan",)
    ),
    "autograd": Stranger("HIPS autograd", "others.hips_autograd", ("autograd==1.9.1",)),
    "jax.scan": Stranger("JAX, lax.scan", "jax.scan", (JAX,), SOME),
    "jax.rnn": Stranger("jax.experimental.rnn", "jax.experimental_rnn", (JAX,), converts="JAX"),
    "flax.linen": Stranger("Flax linen", "jax.flax_linen", (JAX, FLAX), findings=("flax/nan_padding",), converts="flax.linen"),
    "flax.linen.optimized": Stranger(
        "Flax linen, optimized LSTM", "jax.flax_linen_optimized", (JAX, FLAX), PAIRS, findings=("flax/nan_padding",)
    ),
    "flax.nnx": Stranger("Flax nnx", "jax.flax_nnx", (JAX, FLAX), findings=("flax/nnx_gru_bias",), converts="flax.nnx"),
    "flax.nnx.optimized": Stranger("Flax nnx, optimized LSTM", "jax.flax_nnx_optimized", (JAX, FLAX), PAIRS),
    "equinox": Stranger("Equinox", "jax.equinox", (JAX, "equinox==0.13.8"), converts="equinox"),
    "haiku": Stranger("Haiku", "jax.haiku", (JAX, "dm-haiku==0.0.17"), converts="haiku"),
    "brainstate": Stranger("brainstate", "jax.brainstate", (JAX, "brainstate==0.5.4"), PAIRS),
    "keras.torch": Stranger(
        "Keras on torch", "keras.on_torch", (KERAS,), findings=("keras/torch_float64_matmul", "keras/nan_padding"), converts="Keras"
    ),
    "keras.jax": Stranger(
        "Keras on JAX",
        "keras.on_jax",
        (KERAS, JAX),
        PAIRS,
        findings=("keras/jax_float64", "keras/jax_gru_nobias", "keras/nan_padding"),
    ),
    "keras.tensorflow": Stranger(
        "Keras on TensorFlow", "keras.on_tensorflow", (KERAS, TENSORFLOW), PAIRS, findings=("keras/nan_padding",)
    ),
    "tensorflow.block": Stranger(
        "TensorFlow BlockLSTM, GRUBlockCell", "keras.tensorflow_raw", (TENSORFLOW,), findings=("tensorflow/block_lstm_clip",)
    ),
    "tensorflow.block_v2": Stranger(
        "TensorFlow BlockLSTMV2", "keras.tensorflow_raw_v2", (TENSORFLOW,), findings=("tensorflow/block_lstm_v2_gradient",)
    ),
    "mlx": Stranger("MLX", "others.mlx", ("mlx[cpu]==0.32.4",), findings=("mlx/float64_exp",), converts="MLX"),
    "mlx.0.31": Stranger(
        "MLX, an older release", "others.mlx", ("mlx[cpu]==0.31.1",), findings=("mlx/gru_without_state", "mlx/float64_exp")
    ),
    "paddle": Stranger(
        "PaddlePaddle",
        "others.paddle",
        ("paddlepaddle==3.3.1",),
        findings=("paddle/reverse_gradient", "paddle/no_bias_crash", "paddle/gru_gradient_nan", "paddle/relu_nan"),
        converts="Paddle",
    ),
    "chainer": Stranger(
        "Chainer",
        "others.chainer",
        ("setuptools==59.8.0", "wheel==0.45.1", "chainer==7.8.1"),
        findings=("chainer/lstm_docstring",),
    ),
    "mindspore": Stranger(
        "MindSpore",
        "others.mindspore",
        ("mindspore==2.10.0",),
        ("*-T5B4I3H6-2layers-b*",),
        findings=("mindspore/tanh", "mindspore/numpy_2"),
    ),
    "tinygrad": Stranger(
        "tinygrad", "others.tinygrad", ("tinygrad==0.14.0", "ziglang==0.17.0"), ("*-T1B1I1H1-size1", "*-T5B4I3H6-nostate")
    ),
}
