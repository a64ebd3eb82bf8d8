"""The processor's caches, as Linux tells."""

import re
from contextlib import suppress
from pathlib import Path

CPU = Path("/sys/devices/system/cpu")
FACTORS = {"K": 2**10, "M": 2**20, "G": 2**30, "": 1}


def caches(root: Path = CPU) -> dict[str, int]:
    """Bytes of each level for data, "L1", "L2", "L3", of one core; the last is often shared.  Empty where nothing is said.

    A virtual machine says what its host lets it say.
    """
    sizes: dict[str, int] = {}
    for place in sorted((root / "cpu0" / "cache").glob("index*")):
        with suppress(OSError, ValueError):
            kind, level, size = ((place / name).read_text(encoding="utf-8").strip() for name in ("type", "level", "size"))
            number = re.fullmatch(r"(\d+)([KMG]?)", size)
            if kind != "Instruction" and number:
                sizes[f"L{int(level)}"] = int(number[1]) * FACTORS[number[2]]
    return sizes
