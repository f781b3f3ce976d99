"""What this machine is to LLVM: the target, the processor and its features.

LLVM is asked once for each processor and version of LLVM; its answer is kept on disk, so that a process whose
machine code is all kept needs no LLVM to know which machine code is for it. Where the system does not say what
processor it runs on, LLVM is asked each time.
"""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.machinery import PathFinder
from pathlib import Path

from smartvm.disk_cache import DiskCache, cache_folder

#: What of a processor's description decides which instructions it has and how code is scheduled for it.
_IDENTITY = frozenset(
    {
        "vendor_id", "cpu family", "model", "model name", "stepping", "flags",
        "CPU implementer", "CPU architecture", "CPU variant", "CPU part", "CPU revision", "Features",
    }
)  # fmt: skip
_FEATURES = frozenset({"flags", "Features"})

#: Bytes within which the description of the first processor ends.
_DESCRIPTION_BYTES = 8192


@dataclass(frozen=True, slots=True)
class Host:
    """``features`` is LLVM's list of those present (``+``) and absent (``-``)."""

    triple: str
    processor: str
    features: str

    @property
    def present(self) -> frozenset[str]:
        """The features that are present."""
        return frozenset(name[1:] for name in self.features.split(",") if name.startswith("+"))


def machine_code_cache() -> DiskCache:
    """Where machine code, and what it depends on, is kept: the folder is the user's alone."""
    return DiskCache(cache_folder() / "machine-code")


@cache
def llvm_version() -> bytes:
    """What tells LLVM's version: llvmlite's, and the size of the library, which one version may link anew."""
    found = PathFinder.find_spec("llvmlite")
    sizes = [
        entry.stat().st_size
        for folder in (found.submodule_search_locations if found else None) or ()
        for entry in sorted(Path(folder, "binding").glob("*llvmlite.*"))
    ]
    return version_of("llvmlite") + repr(sizes).encode()


@cache
def version_of(package: str) -> bytes:
    """What tells an installed package's version: found without importing it, where it is where packages usually are."""
    found = PathFinder.find_spec(package)
    for folder in (found.submodule_search_locations if found else None) or ():
        try:
            return (Path(folder) / "_version.py").read_bytes()
        except OSError:
            continue
    return str(import_module(package).__version__).encode()


def _processor() -> str | None:
    """What the system says of the first processor; None where it does not say what instructions it has."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            description = file.read(_DESCRIPTION_BYTES)
    except OSError:
        return None
    first, end, _ = description.partition("\n\n")
    lines = [line for line in first.splitlines() if line.partition(":")[0].strip() in _IDENTITY]
    if not end or not any(line.partition(":")[0].strip() in _FEATURES for line in lines):
        return None
    return "\n".join(lines)


def _ask_llvm() -> Host:
    import llvmlite.binding as llvm

    return Host(llvm.get_default_triple(), llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten())


def machine_name() -> str:
    """The architecture's name, as the system says it."""
    return os.uname().machine if hasattr(os, "uname") else platform.machine()  # the second takes milliseconds


@cache
def this_host() -> Host:
    """The machine that runs this process."""
    processor = _processor()
    if processor is None:
        return _ask_llvm()
    facts = (processor, machine_name(), sys.platform, sys.maxsize)
    name = "host-" + hashlib.sha256(repr(facts).encode() + llvm_version()).hexdigest()[:32]
    kept = machine_code_cache()
    lines = (kept.read(name) or b"").decode().split("\n")
    if len(lines) == 3:
        return Host(*lines)
    host = _ask_llvm()
    kept.write(name, "\n".join((host.triple, host.processor, host.features)).encode())
    return host
