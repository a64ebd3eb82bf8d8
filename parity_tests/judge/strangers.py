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


JAX = ("jax==0.10.2",)
ONNX = "onnx==1.23.2"

STRANGERS: dict[str, Stranger] = {
    "jax.scan": Stranger("JAX, lax.scan", "jax.scan", JAX),
    "onnxruntime": Stranger("ONNX Runtime", "onnx.runtime", (ONNX, "onnxruntime==1.32.0")),
    "autograd": Stranger("HIPS autograd", "others.hips_autograd", ("autograd==1.9.1",)),
}
