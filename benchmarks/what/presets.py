"""What is measured under each name.  Data only.

DeepBench: the shapes of ``training_set`` and ``inference_server_set`` in code/kernels/rnn_problems.h of the repository
baidu-research/DeepBench, at commit 7b75e76ba0fa60e67a1f4c11ea5ff9381072eb67: (hidden units, batch, time steps), input
size equal to hidden size, "vanilla" being an RNN with ReLU.  DeepBench leaves out the input product and the gradient of
the input (README.md there, "Recurrent Layers"; code/nvidia/rnn_bench.cu: CUDNN_SKIP_INPUT); here both are inside for
everybody, which doubles the products.  So a published time is a landmark, not a rival.

V100: the four recurrent results in README.md of that repository at commit a5a2b60f176cd81ab258612586102e8f2d1569b4,
"Recurrent Ops Results", Tesla V100 Mixed Precision: total time in ms (forward and backward), and TFLOP/s of the forward.
All others are in a spreadsheet there, results/train/DeepBench_NV_V100.xlsx, and are not quoted here.
"""

from dataclasses import dataclass, replace
from itertools import chain

from .config import PHASES, Config
from .model import model

CELLS = ("rnn", "lstm", "gru")
V100_SOURCE = (
    "https://github.com/baidu-research/DeepBench/blob/a5a2b60f176cd81ab258612586102e8f2d1569b4/README.md#recurrent-ops-results"
)


@dataclass(frozen=True)
class Preset:
    """A list of configurations, in float32 on the CPU; the command line puts other dtypes and devices in their place."""

    about: str
    configs: tuple[Config, ...]
    forward_only: tuple[Config, ...] = ()  # inference shapes, which are not trained
    on_cuda: tuple[Config, ...] = ()  # too large for most CPUs
    implementations: tuple[str, ...] | None = None  # by default; None: all built in
    without: tuple[str, ...] = ()  # of those, left out by default
    phases: tuple[str, ...] = PHASES
    both_devices: bool = False  # by default on the CPU and on CUDA where there is one
    seconds: float = 0.5  # of measuring, per implementation and phase
    rounds: int = 5

    def jobs(self, device: str = "cpu") -> list[tuple[Config, str]]:
        """Every configuration with its phases, on a device."""
        configs = self.configs + (self.on_cuda if device == "cuda" else ())
        jobs = [(c, phase) for c in configs for phase in self.phases] + [(c, "forward") for c in self.forward_only]
        return [(replace(c, device=device), phase) for c, phase in jobs]


def each(*sizes: tuple[int, int, int], **options) -> tuple[Config, ...]:
    """(T, B, I = H) for each kind of cell."""
    return tuple(dict.fromkeys(Config(cell, T, B, H, H, **options) for cell in CELLS for T, B, H in sizes))


GRID = ((20, 1, 32), (100, 1, 128), (50, 16, 64), (100, 32, 128), (100, 64, 256), (50, 64, 512), (25, 64, 1024), (1000, 1, 64))

# Sides of the edges where cuDNN and GEMM libraries change their kernels; then lengths, layers and directions.
EDGES = (*((50, 16, H) for H in (127, 128, 129, 191, 192, 193, 255, 256, 257, 511, 512, 513)), *((50, B, 256) for B in (7, 8, 9)))
CLIFFS = (
    *each(*EDGES),
    *each((50, 32, 256)),
    *(c for fill in (1.0, 0.75, 0.5, 0.25) for c in each((50, 32, 256), fill=fill)),
    *(c for layers in (2, 3) for c in each((50, 32, 256), num_layers=layers)),
    *(c for layers in (1, 2) for c in each((50, 32, 256), num_layers=layers, bidirectional=True)),
)

SCALING = each(
    *((T, 16, 128) for T in (10, 20, 50, 100, 200, 500, 1000)),
    *((50, B, 128) for B in (1, 2, 4, 8, 16, 32, 64, 128, 256)),
    *((50, 16, H) for H in (16, 32, 64, 128, 256, 512, 1024)),
)
SCALING_CUDA = each(
    *((T, 16, 128) for T in (2000, 5000)), *((50, B, 128) for B in (1024, 4096, 16384)), *((50, 16, H) for H in (2048, 4096, 8192))
)

CROSSOVER = each(*((50, B, H) for H in (16, 32, 64, 128, 256, 512, 1024) for B in (1, 4, 16, 64, 256)))

VANILLA = tuple((H, B, 50) for H in (1760, 2048, 2560) for B in (16, 32, 64, 128))
LSTM = (
    *((H, B, 25) for H in (512, 1024, 2048, 4096) for B in (16, 32, 64, 128)),
    *((1536, B, 50) for B in (8, 16, 32)),
    *((256, B, 150) for B in (16, 32, 64)),
)
GRU = (
    *((H, 32, T) for H in (2816, 2048, 1536, 2560) for T in (1500, 750, 375, 187)),
    (512, 32, 1),
    (1024, 32, 1500),
    (1024, 64, 1500),
)
LSTM_SERVER = tuple((H, B, T) for H, T in ((512, 25), (1024, 25), (2048, 25), (1536, 50), (256, 150)) for B in (1, 2, 4))
GRU_SERVER = (
    *((H, B, T) for H in (2816, 2048, 1536, 2560) for B in (1, 2, 4) for T in (1500, 750, 375, 187)),
    *((H, B, T) for H, T in ((512, 1), (1024, 1500)) for B in (1, 2, 4)),
)

# (cell, hidden units, batch, time steps) -> (seconds forward and backward, TFLOP/s of the forward)
V100 = {
    ("rnn", 1760, 16, 50): (8.21e-3, 1.19),
    ("rnn", 2560, 32, 50): (10.50e-3, 4.08),
    ("lstm", 1024, 128, 25): (5.56e-3, 10.91),
    ("gru", 2816, 32, 1500): (380.04e-3, 11.85),
}


def deepbench(cell: str, sizes: tuple[tuple[int, int, int], ...]) -> tuple[Config, ...]:
    """(H, B, T) as DeepBench lists them, the quickest first, so that a budget buys as many as it can."""
    kind = "relu" if cell == "rnn" else "tanh"
    return tuple(sorted((Config(cell, T, B, H, H, kind) for H, B, T in sizes), key=lambda c: c.effort("train")))


# Vocabularies as in text by characters (74), words (10,000), letters and sounds.  The applications at their defaults.
MODELS = (
    *chain.from_iterable(
        (
            model("language_model", 64, 32, 128, 256, 74, cell),
            model("classifier", 12, 64, 32, 64, 30, cell),
            model("generator", 12, 64, 32, 128, 30, cell),
            model("tagger", 30, 32, 32, 64, 1000, cell, classes=40),
            model("seq2seq", 10, 64, 64, 128, 72, cell),
            model("char_lm", 64, 32, 64, 256, 74, cell),
            model("forecast", 48, 64, 1, 32, 1, cell, classes=12),
        )
        for cell in CELLS
    ),
    model("language_model", 35, 20, 128, 256, 10_000),
    *(model("embedding", 64, 32, 256, 1, V, "none") for V in (74, 10_000)),
)

LIBRARIES = ("numpy.fast", "numba", "torch.hoisted", "torch.native", "torch.library", "torch.graphed")

PRESETS = {
    "smoke": Preset(
        "one tiny case of each cell: does everything run?", each((3, 2, 5)), without=("torch.compiled",), seconds=0.02, rounds=3
    ),
    "quick": Preset(
        "three sizes of the grid, about a minute on two cores",
        each((20, 1, 32), (50, 16, 64), (100, 32, 128)),
        without=("torch.compiled",),
        seconds=0.15,
        rounds=3,
    ),
    "grid": Preset("eight sizes, from call overhead to large products: the README's table", each(*GRID)),
    "deepbench": Preset(
        "the shapes of Baidu's DeepBench, training and server inference",
        deepbench("rnn", VANILLA) + deepbench("lstm", LSTM) + deepbench("gru", GRU),
        forward_only=deepbench("lstm", LSTM_SERVER) + deepbench("gru", GRU_SERVER),
        implementations=LIBRARIES,
    ),
    "cliffs": Preset(
        "where a neighbouring size costs much more: hidden size, batch, fill of packed sequences, layers, directions",
        CLIFFS,
        implementations=LIBRARIES,
    ),
    "scaling": Preset("time against T, B and H, each alone", SCALING, on_cuda=SCALING_CUDA, without=("torch.compiled",)),
    "models": Preset(
        "a training step of each model and of both applications, and the embedding's scatter",
        MODELS,
        phases=("train",),
        implementations=("numpy", "numpy.fast", "numba", "torch.hoisted", "torch.native", "torch.library"),
    ),
    "crossover": Preset(
        "CPU against CUDA over B × H",
        CROSSOVER,
        both_devices=True,
        seconds=0.25,
        implementations=("numpy.fast", "numba", "torch.library", "torch.graphed"),
    ),
}
