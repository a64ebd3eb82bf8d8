"""What the kernels share: who computes what, loads and stores, and when W_hh fits into registers.

Every array is contiguous, and lies on one device.  Places in it are 64-bit numbers, as T·B·4H may be past 2³¹.  Kernels compute
in float32, or float64 where that is asked for (ACC), whatever the arrays hold.  No kernel writes where it reads: several threads
may hold the same value, and one would write before another has read.
"""

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

ELEMENTS = 512  # of a step's (B, H) that one program computes: four for each of its 128 threads
WIDEST = 128
REGISTERS = 64 * 1024  # bytes of W_hh that a program holds at most


@triton.jit
def places(B, H, BLOCK_B: tl.constexpr, BLOCK_H: tl.constexpr):
    """The part of (B, H) that this program computes  ->  b (BLOCK_B, 1), j (1, BLOCK_H), which of them there are"""
    b = tl.program_id(0).to(tl.int64) * BLOCK_B + tl.arange(0, BLOCK_B)[:, None]
    j = tl.program_id(1) * BLOCK_H + tl.arange(0, BLOCK_H)[None, :]
    return b, j, (b < B) & (j < H)


@triton.jit
def get(pointer, inside, ACC: tl.constexpr):
    """What is there, 0 outside, in the type that is computed in."""
    return tl.load(pointer, mask=inside, other=0.0).to(ACC)


@triton.jit
def put(pointer, value, inside):
    """Rounded to what is stored there."""
    tl.store(pointer, value.to(pointer.dtype.element_ty), mask=inside)


@triton.jit
def square(W, width, H, ACC: tl.constexpr, BLOCK: tl.constexpr):
    """The first H columns of W (H, width) in registers, as (BLOCK, BLOCK), 0 outside"""
    j, k = tl.arange(0, BLOCK)[:, None], tl.arange(0, BLOCK)[None, :]
    return get(W + j * width + k, (j < H) & (k < H), ACC)


@triton.jit
def times(h, W):
    """h (BLOCK,), W (BLOCK, BLOCK)  ->  h W (BLOCK,)

    Every product is of full precision, and of one sequence, where tl.dot wants 16 at least.  The sum is over rows: along a row,
    which is contiguous in memory, lie the threads of a warp, so that each sums by itself and holds few numbers.
    """
    return tl.sum(W * h[:, None], axis=0)


def tile(B: int, H: int) -> tuple[tuple[int, int], dict[str, int]]:
    """The grid of programs over (B, H), and the sizes of one's part."""
    BLOCK_H = min(triton.next_power_of_2(H), WIDEST)
    BLOCK_B = min(triton.next_power_of_2(B), ELEMENTS // BLOCK_H)
    return (triton.cdiv(B, BLOCK_B), triton.cdiv(H, BLOCK_H)), {"BLOCK_B": BLOCK_B, "BLOCK_H": BLOCK_H}


def wide(v: Tensor) -> Any:
    """The type that kernels compute in."""
    return tl.float64 if v.dtype == torch.float64 else tl.float32


def held(gates: int, H: int, dtype: torch.dtype) -> int:
    """Bytes of W_hh in the registers of one program, filled up to a power of two."""
    return gates * triton.next_power_of_2(H) ** 2 * (8 if dtype == torch.float64 else 4)


def fits(gates: int, H: int, dtype: torch.dtype) -> bool:
    """Whether a program can keep W_hh (gates · H, H) in registers.

    A thread has 255 registers of 4 bytes at most.  In a program of 8 warps of 32 threads W_hh may take 64 of them, its products
    with h take as many, and the rest is for addresses and functions.  That makes 64 KiB: H = 128 for an RNN, H = 64 for LSTM and
    GRU; half of that in float64, whose functions need more.
    """
    return held(gates, H, dtype) <= (REGISTERS // 2 if dtype == torch.float64 else REGISTERS)


def persistent(gates: int, H: int, dtype: torch.dtype) -> dict[str, Any]:
    """Options of a launch that keeps W_hh in registers: 4 warps where that is no more than 32 of each thread's, or else 8."""
    share = held(gates, H, dtype) * (2 if dtype == torch.float64 else 1) / REGISTERS
    return {"BLOCK": triton.next_power_of_2(H), "num_warps": 4 if share <= 1 / 4 else 8}
