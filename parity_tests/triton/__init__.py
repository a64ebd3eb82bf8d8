"""The kernels of torch_impl/triton, judged in Triton's interpreter, and compiled for a GPU that need not be there.

Triton decides when it is imported whether it interprets, so what does runs in processes of its own.
"""
