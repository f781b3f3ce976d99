"""How long a compilation takes: cold, from the cache, with one file changed, in processes; and soljson in the same run.

    python benchmarks/compile_speed.py [--package @openzeppelin/contracts] [--jobs N] [--without-peer]

Needs the npm packages below ``$SMARTVM_NODE_MODULES``, for the peer ``solc`` there too and node in the PATH. Every line
is a process of its own (start-up included) that compiles all sources of the package, or one contract, to forge's
outputs with the optimizer; CPU seconds of the process and its children, wall-clock seconds, and the CPU time in
relation to soljson's legacy pipeline. soljson's time is that of the call alone: loading it takes a second more.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OUTPUTS = [
    "abi", "metadata", "evm.methodIdentifiers", "evm.bytecode.object", "evm.bytecode.sourceMap",
    "evm.bytecode.linkReferences", "evm.deployedBytecode.object", "evm.deployedBytecode.sourceMap",
    "evm.deployedBytecode.linkReferences", "evm.deployedBytecode.immutableReferences",
]  # fmt: skip

#: Compiles the request in a file with soljson and prints seconds of CPU, of wall-clock, and how many errors there are.
PEER = """
const solc = require(process.argv[1] + "/solc");
const text = require("fs").readFileSync(process.argv[2], "utf8");
const cpu = process.cpuUsage(), wall = process.hrtime.bigint();
const output = JSON.parse(solc.compile(text));
const used = process.cpuUsage(cpu);
const errors = (output.errors || []).filter(error => error.severity === "error").length;
console.log((used.user + used.system) / 1e6, Number(process.hrtime.bigint() - wall) / 1e9, errors);
"""


@dataclass(frozen=True)
class Measured:
    """Seconds of CPU and of wall-clock; the digest of what was printed; what the compiler said about its work."""

    cpu: float
    wall: float
    digest: str = ""
    said: str = ""


def request(sources: Mapping[str, str], via_ir: bool = False) -> dict[str, Any]:
    """Standard JSON for some sources."""
    return {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in sources.items()},
        "settings": {
            "optimizer": {"enabled": True, "runs": 200},
            "viaIR": via_ir,
            "outputSelection": {"*": {"*": OUTPUTS}},
        },
    }


def used() -> float:
    """CPU seconds of the children that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def compile_with_smartvm(path: Path, *options: str) -> Measured:
    """One run of smartvm-solc."""
    command = [sys.executable, "-m", "smartvm.commands.solc", "--standard-json", "--report-compiled"]
    cpu, wall = used(), time.perf_counter()
    ended = subprocess.run([*command, *options, str(path)], capture_output=True, check=True)
    cpu, wall = used() - cpu, time.perf_counter() - wall
    errors = [e["message"] for e in json.loads(ended.stdout).get("errors", []) if e["severity"] == "error"]
    if errors:
        raise SystemExit(f"the sources have errors: {errors[0]}")
    said = ended.stderr.decode().partition(" compiled")[0].removeprefix("smartvm: ").strip()
    processes = ended.stderr.decode().partition(" compiled in ")[2].partition(" processes")[0]
    said += f" compiled in {processes} processes" if processes else " compiled"
    return Measured(cpu, wall, hashlib.sha256(ended.stdout).hexdigest(), said)


def compile_with_peer(modules: str, path: Path) -> Measured:
    """One call of soljson."""
    ended = subprocess.run(["node", "-e", PEER, modules, str(path)], capture_output=True, text=True, check=True)
    cpu, wall, errors = ended.stdout.split()[-3:]
    return Measured(float(cpu), float(wall), said=f"{errors} errors" if errors != "0" else "")


def package_sources(modules: Path, package: str) -> dict[str, str]:
    """All Solidity sources of a package by import path."""
    paths = sorted((modules / package).rglob("*.sol"))
    return {
        path.relative_to(modules).as_posix(): path.read_text("utf-8")
        for path in paths
        if not {"node_modules", "test", "tests", "mocks"} & set(path.relative_to(modules / package).parts)
    }


def changed(sources: Mapping[str, str], name: str) -> dict[str, str]:
    """The sources with one more function in the first contract of one of them, so that all node ids after it move."""
    text = sources[name].rstrip()
    return {**sources, name: text[: text.rindex("}")] + "    function addedByTheBenchmark() external pure {}\n}\n"}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--package", default="@openzeppelin/contracts")
    parser.add_argument("--one", default="@openzeppelin/contracts/token/ERC20/ERC20.sol", help="the one contract")
    parser.add_argument("--change", default="@openzeppelin/contracts/token/ERC721/ERC721.sol", help="changes")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--without-peer", action="store_true")
    given = parser.parse_args(arguments)
    modules = Path(os.environ["SMARTVM_NODE_MODULES"])
    sources = package_sources(modules, given.package)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)

        def written(name: str, listed: Mapping[str, str], via_ir: bool = False) -> Path:
            path = work / f"{name}.json"
            path.write_text(json.dumps(request(listed, via_ir)), "utf-8")
            return path

        everything, by_ir = written("all", sources), written("ir", sources, True)
        edited = written("edited", changed(sources, given.change))
        needed = package_sources(modules, given.one.rpartition("/contracts/")[0] + "/contracts")
        single = written("one", reachable(needed, given.one))
        cache = ("--cache-dir", str(work / "cache"), "--jobs", "1")
        print(f"{given.package}: {len(sources)} sources, {sum(map(len, sources.values())):,} characters")
        compile_with_smartvm(single, "--no-cache")  # parse tables and bytecode are in their caches from here on
        peer = None
        if not given.without_peer:
            peer = show("soljson, legacy", lambda: compile_with_peer(str(modules), everything), None)
            show("soljson, via IR", lambda: compile_with_peer(str(modules), by_ir), peer)
        fresh = show("cold, one process", lambda: compile_with_smartvm(everything, *cache), peer)
        warm = show("warm", lambda: compile_with_smartvm(everything, *cache), peer)
        parallel = show(
            "cold, processes", lambda: compile_with_smartvm(everything, "--no-cache", "--jobs", str(given.jobs)), peer
        )
        again = show("one file changed", lambda: compile_with_smartvm(edited, *cache), peer)
        alone = compile_with_smartvm(edited, "--no-cache", "--jobs", "1")
        print("the same bytes:", fresh.digest == warm.digest == parallel.digest and again.digest == alone.digest)
        alone_peer = None
        if not given.without_peer:
            alone_peer = show("one contract, soljson", lambda: compile_with_peer(str(modules), single), None)
        show("one contract, cold", lambda: compile_with_smartvm(single, "--no-cache"), alone_peer)
        compile_with_smartvm(single, *cache)
        show("one contract, warm", lambda: compile_with_smartvm(single, *cache), alone_peer)
        show("--version", version, None)


def reachable(sources: Mapping[str, str], start: str) -> dict[str, str]:
    """A source and all that it imports."""
    from smartvm.compiler.imports import ImportRules, no_reader
    from smartvm.compiler.source_set import SourceSet

    found = SourceSet(sources, ImportRules(), no_reader).closure([start])
    return {name: sources[name] for name in sorted(found)}


def version() -> Measured:
    """A run that only says the version."""
    cpu, wall = used(), time.perf_counter()
    subprocess.run([sys.executable, "-m", "smartvm.commands.solc", "--version"], capture_output=True, check=True)
    return Measured(used() - cpu, time.perf_counter() - wall)


def show(what: str, measure: Callable[[], Measured], peer: Measured | None) -> Measured:
    """Measure and print a line."""
    measured = measure()
    ratio = f"{measured.cpu / peer.cpu:8.2f}" if peer is not None else f"{'':8}"
    print(f"{what:22} {measured.cpu:7.2f} s CPU {measured.wall:7.2f} s {ratio}  {measured.said}", flush=True)
    return measured


if __name__ == "__main__":
    main()
