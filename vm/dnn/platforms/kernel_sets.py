"""The sets of CPU kernels: what vector instructions they use, and which set this process runs.

One source emits all sets; they differ in the width of a vector, in how many rows and vectors a tile keeps in
registers, and in the instruction that multiplies pairs of 16-bit items. LLVM aborts on an instruction that the
host lacks, so a set can be run only where the features that Numba compiles for include its own.

``SMARTVM_KERNELS=NAME`` forces a set (it is read once, at import). Every set gives the same bits: they compute the same
exact integers. Machine code is kept on disk for each set by itself.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from smartvm.errors import SmartVMError
from smartvm.vm.native.host import machine_name, this_host

#: The environment variable that forces a set.
VARIABLE = "SMARTVM_KERNELS"

#: Items that ``native.gather_windows`` copies at a time.
COPY_STEP = 8
#: Rows that ``row_kernels`` multiplies together.
ROWS_TOGETHER = 4


@dataclass(frozen=True, slots=True)
class KernelSet:
    """``lanes`` 32-bit sums a vector; a tile sums ``rows`` positions by ``vectors`` vectors of output channels.

    ``rows * vectors`` accumulators, ``vectors`` vectors of weights and one of items stay in registers together.
    ``pairs`` and ``quads`` name how pairs of 16-bit items and quads of 8-bit items are multiplied and summed
    (``dot_products``); ``needs`` the processor features.
    """

    name: str
    lanes: int
    vectors: int
    rows: int
    pairs: str
    quads: str
    needs: frozenset[str]

    @property
    def channels(self) -> int:
        """Output channels of a tile: the width of a panel of packed weights."""
        return self.lanes * self.vectors

    @property
    def bytes_pay(self) -> bool:
        """Whether quads are faster than pairs."""
        return self.quads != "plain bytes"

    @property
    def signed_quads(self) -> bool:
        """Whether items of quads are signed; else they are unsigned."""
        return self.quads in ("sdot", "smull")

    @property
    def narrow_sums(self) -> bool:
        """Whether two products of 8-bit items are added in 16 bits."""
        return self.quads in ("vpmaddubsw", "smull")


#: From the fastest to the one that runs everywhere.
KERNEL_SETS = (
    KernelSet("avx512-vnni", 16, 2, 12, "vpdpwssd", "vpdpbusd", frozenset({"avx512f", "avx512bw", "avx512vnni"})),
    KernelSet("avx512", 16, 2, 12, "vpmaddwd", "vpmaddubsw", frozenset({"avx512f", "avx512bw"})),
    KernelSet("avx-vnni", 8, 2, 6, "vpdpwssd", "vpdpbusd", frozenset({"avx2", "avxvnni"})),
    KernelSet("avx2", 8, 2, 6, "vpmaddwd", "vpmaddubsw", frozenset({"avx2"})),
    KernelSet("neon-dotprod", 4, 4, 5, "smlal", "sdot", frozenset({"neon", "dotprod"})),
    KernelSet("neon", 4, 4, 5, "smlal", "smull", frozenset({"neon"})),
    KernelSet("portable", 4, 2, 6, "plain words", "plain bytes", frozenset()),
)


def compiled_features() -> frozenset[str]:
    """The processor features that Numba compiles for; Numba is not asked, since it need not be there to run."""
    chosen = os.environ.get("NUMBA_CPU_FEATURES")
    if chosen is not None:
        return frozenset(name[1:] for name in chosen.split(",") if name.startswith("+"))
    if os.environ.get("NUMBA_CPU_NAME") not in (None, "host"):
        return frozenset()
    found = this_host().present
    # part of the architecture
    return found | {"neon"} if machine_name().lower() in ("aarch64", "arm64") else found


def available_sets() -> tuple[KernelSet, ...]:
    """The sets that this process can run, the fastest first."""
    features = compiled_features()
    return tuple(kernels for kernels in KERNEL_SETS if kernels.needs <= features)


def forced_name() -> str | None:
    """The set that the environment asks for, if any."""
    return os.environ.get(VARIABLE) or None


def _chosen() -> KernelSet:
    available = available_sets()
    name = forced_name()
    if name is None:
        return available[0]
    for kernels in available:
        if kernels.name == name:
            return kernels
    names = ", ".join(kernels.name for kernels in available)
    raise SmartVMError(f"{VARIABLE} is `{name}`, which this processor cannot run", hint=f"it can run {names}")


#: The set that this process runs.
KERNELS = _chosen()
