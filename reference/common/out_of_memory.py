"""When memory runs out, on either side.  PyTorch's error is known by its words, since nothing here imports it."""

SENTENCE = "there is not enough memory for a model of this size"
WORDS = ("out of memory", "can't allocate memory", "not enough memory")


def is_out_of_memory(e: BaseException) -> bool:
    """Whether an exception means it: NumPy's, CUDA's, or that of torch's allocator on the CPU."""
    return isinstance(e, MemoryError) or type(e).__name__ == "OutOfMemoryError" or any(w in str(e).lower() for w in WORDS)
