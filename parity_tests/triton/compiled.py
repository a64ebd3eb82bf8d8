"""``python -m parity_tests.triton.compiled DTYPE... [--largest]``: compiles every kernel for a GPU, which need not be there.

What the interpreter takes, the compiler may refuse.  Prints a JSON object: the bytes of each thread's stack, to which what does not
fit into registers goes, by kernel and options.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from reference.common.command import entered, parser
from torch_impl.triton import blocks, gru, lstm, rnn

TARGET = GPUTarget("cuda", 90, 32)
POINTERS = {"float32": "*fp32", "float64": "*fp64", "bfloat16": "*bf16", "float16": "*fp16"}
SIZES = ("T", "B", "H")
OPTIONS: dict[Any, tuple[dict, ...]] = {
    rnn.rnn_step_forward: ({"RELU": False}, {"RELU": True}),
    rnn.rnn_step_backward: ({"RELU": False}, {"RELU": True}),
    rnn.rnn_persistent_forward: ({"RELU": False}, {"RELU": True}),
    rnn.rnn_persistent_backward: ({"RELU": False}, {"RELU": True}),
    lstm.lstm_step_forward: ({"SAVE": False}, {"SAVE": True}),
    lstm.lstm_step_backward: ({},),
    lstm.lstm_persistent_forward: ({"SAVE": False}, {"SAVE": True}),
    lstm.lstm_persistent_backward: ({},),
    gru.gru_step_forward: ({"SAVE": False}, {"SAVE": True}),
    gru.gru_step_backward: ({},),
    gru.gru_step_reset_forward: ({},),
    gru.gru_step_blend_forward: ({},),
    gru.gru_step_blend_backward: ({},),
    gru.gru_step_reset_backward: ({},),
    gru.gru_persistent_forward: tuple({"AFTER": a, "SAVE": s} for a in (True, False) for s in (True, False)),
    gru.gru_persistent_backward: ({"AFTER": True}, {"AFTER": False}),
}
WEIGHTS = {"rnn": 1, "lstm": 4, "gru": 3}


def kernels(dtype: torch.dtype, largest: bool) -> Iterator[tuple[Any, dict, dict]]:
    """Each kernel with its constants, and the options of its launch."""
    for kernel, options in OPTIONS.items():
        gates = WEIGHTS[kernel.__name__.partition("_")[0]]
        H = max(H for H in (16, 32, 64, 128) if blocks.fits(gates, H, dtype)) if largest else 16
        whole = blocks.persistent(gates, H, dtype)
        for option in options:
            constants = option | {"ACC": blocks.wide(torch.empty(0, dtype=dtype))}
            if "persistent" in kernel.__name__:
                yield kernel, constants | {"BLOCK": whole["BLOCK"]}, {"num_warps": whole["num_warps"]}
            else:
                yield kernel, constants | blocks.tile(64, 64)[1], {}


def compiled(kernel: Any, constants: dict, launch: dict, pointer: str) -> bytes:
    """The machine's code."""
    types = dict.fromkeys(kernel.arg_names, pointer) | dict.fromkeys(SIZES, "i32") | dict.fromkeys(constants, "constexpr")
    source = ASTSource(kernel, {name: types[name] for name in kernel.arg_names}, constants, {})
    return triton.compile(source, target=TARGET, options=launch).asm["cubin"]


def stack(code: bytes) -> int:
    """Bytes of each thread's stack."""
    with TemporaryDirectory() as folder:
        file, tool = Path(folder) / "kernel.cubin", Path(triton.__file__).parent / "backends" / "nvidia" / "bin" / "cuobjdump"
        file.write_bytes(code)
        said = subprocess.run([tool, "-res-usage", file], capture_output=True, encoding="utf-8", check=True)
    (found,) = re.findall(r"STACK:(\d+)", said.stdout + said.stderr)
    return int(found)


def main() -> int:
    options = parser("python -m parity_tests.triton.compiled", __doc__ or "")
    options.add_argument("dtypes", choices=POINTERS, nargs="+", metavar="DTYPE")
    options.add_argument("--largest", action="store_true", help="at the largest sizes, and where all are 1")
    given = options.parse_args()
    print(json.dumps(stacks(given.dtypes, given.largest)))
    return 0


def stacks(dtypes: list[str], largest: bool) -> dict[str, int]:
    found = {}
    for dtype in dtypes:
        for kernel, constants, launch in kernels(getattr(torch, dtype), largest):
            name = " ".join([dtype, kernel.__name__, *(f"{k}={v}" for k, v in (constants | launch).items() if k != "ACC")])
            found[name] = stack(compiled(kernel, constants, launch, POINTERS[dtype]))
            if largest:  # sizes of 1 are constants to Triton
                compiled(kernel, constants | {size: 1 for size in SIZES if size in kernel.arg_names}, launch, POINTERS[dtype])
    return found


if __name__ == "__main__":
    sys.exit(entered(main))
