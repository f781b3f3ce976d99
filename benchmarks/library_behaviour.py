"""Deploys smartvm's and solc's code of npm packages' libraries and contracts, calls both with the same random
arguments on one EVM (revm), and compares results, reverts, logs and storage.

    python benchmarks/library_behaviour.py --calls 20 --seed 1 solady solmate @openzeppelin/contracts

Internal functions of libraries and free functions are called through a generated contract that exposes each
whose parameters the ABI can carry; a storage parameter becomes a state variable. Contracts that can be
deployed are called directly. Needs pyrevm, and what ``artifacts/compare.py`` needs. Exit status 1 when any
behaviour differs.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent / "artifacts"))

import pyrevm
from compare import run_solc, sources_of
from smartvm import abi as contract_abi
from smartvm.compiler.standard_json import compile_standard

SENDER = "0x" + "5e" * 20
GAS = 5_000_000
FIRST_SLOTS = 16
ELEMENTARY = re.compile(r"(u?int\d*|bytes\d*|address|bool|string)((?:\[\d*\])*)$")
STORAGE = re.compile(r"struct ((?:\w+\.)?\w+)( storage pointer)?$")
IMPORTED = re.compile(r"^\s*(?:import|\}?[^;\n]*\bfrom)\s+\"([^\"]+)\"", re.M)
EDGES = (0, 1, 2, 3, 31, 32, 33, 255, 256, 10**18, 2**64 - 1, 2**128 - 1, 2**255 - 1, 2**255, 2**256 - 1)
#: Functions whose result is the gas they were given, or memory that was never written.
GAS_DEPENDENT = re.compile(r"gas|burn|brutaliz|checkMemory|malloc|freeMemory", re.I)


@dataclass
class Exposure:
    """A generated contract that calls a library's internal functions."""

    source: str
    library: str
    state: dict[str, str] = field(default_factory=dict)
    functions: list[str] = field(default_factory=list)

    def text(self, number: int) -> str:
        """The contract's source."""
        state = "".join(f"    {type_} internal {name};\n" for type_, name in self.state.items())
        body = "\n".join(self.functions)
        return (
            f'// SPDX-License-Identifier: MIT\npragma solidity ^0.8.4;\nimport "{self.source}";\n'
            f"contract Exposed{number} {{\n{state}{body}\n    receive() external payable {{}}\n}}\n"
        )

    def parameter(self, node: Mapping[str, Any], index: int) -> tuple[str, str] | None:
        """Declaration and argument for a parameter; None when the ABI cannot carry it."""
        type_ = node["typeDescriptions"]["typeString"]
        storage = STORAGE.match(type_)
        if storage and node["storageLocation"] == "storage":
            name = self.state.setdefault(storage[1], f"state{len(self.state)}")
            return "", name
        plain = re.sub(r" (memory|calldata|ref|pointer)", "", type_)
        if not ELEMENTARY.match(plain) or node["storageLocation"] == "storage":
            return None
        location = f" {node['storageLocation']}" if node["storageLocation"] != "default" else ""
        return f"{plain}{location} p{index}", f"p{index}"

    def add(self, function: Mapping[str, Any]) -> None:
        """Expose an internal function if its types allow."""
        taken = [self.parameter(p, i) for i, p in enumerate(function["parameters"]["parameters"])]
        given = [self.parameter(p, 99) for p in function["returnParameters"]["parameters"]]
        if any(t is None for t in taken) or any(g is None or not g[0] for g in given):
            return
        declared = ", ".join(t[0] for t in taken if t and t[0])
        arguments = ", ".join(t[1] for t in taken if t)
        results = [g[0].rsplit(" ", 1)[0].replace("calldata", "memory") for g in given if g]
        returns = f" returns ({', '.join(results)})" if results else ""
        name = f"call{len(self.functions)}_{function['name']}"
        self.functions.append(
            f"    function {name}({declared}) external{returns} "
            f"{{ {'return ' if results else ''}{self.library}.{function['name']}({arguments}); }}"
        )


def exposures(asts: Mapping[str, Any]) -> Iterator[Exposure]:
    """One for each library that has a function to expose."""
    for source, entry in asts.items():
        for node in entry["ast"]["nodes"]:
            if node["nodeType"] != "ContractDefinition" or node["contractKind"] != "library":
                continue
            exposure = Exposure(source, node["name"])
            for function in node["nodes"]:
                if (
                    function["nodeType"] == "FunctionDefinition"
                    and function["visibility"] == "internal"
                    and function["implemented"]
                    and not GAS_DEPENDENT.search(function["name"])
                ):
                    exposure.add(function)
            if exposure.functions:
                yield exposure


def random_value(type_: str, chance: random.Random) -> Any:
    """A value of an ABI type, edges often."""
    if array := re.match(r"(.*)\[(\d*)\]$", type_):
        length = int(array[2]) if array[2] else chance.choice((0, 1, 2, 5))
        return [random_value(array[1], chance) for _ in range(length)]
    if type_ == "bool":
        return chance.random() < 0.5
    if type_ == "address":
        return "0x" + chance.choice((0, 1, 0x5E5E5E5E, chance.getrandbits(160))).to_bytes(20, "big").hex()
    if type_ == "string":
        return "".join(
            chance.choice('aZ09 -,."\\\u00e9\u6f22=+/x') for _ in range(chance.choice((0, 1, 5, 31, 32, 70)))
        )
    if type_ == "bytes":
        return chance.randbytes(chance.choice((0, 1, 4, 20, 31, 32, 33, 64, 65, 100)))
    if type_.startswith("bytes"):
        return chance.randbytes(int(type_[5:]))
    bits = int(type_.removeprefix("u").removeprefix("int") or 256)
    value = chance.choice(
        (chance.choice(EDGES), chance.getrandbits(chance.randint(1, bits)), chance.randint(0, 40))
    )
    value %= 1 << bits
    return value if type_.startswith("u") or value < 1 << (bits - 1) else value - (1 << bits)


def new_evm() -> pyrevm.EVM:
    """An EVM with one rich sender."""
    evm = pyrevm.EVM(env=pyrevm.Env(block=pyrevm.BlockEnv(number=1000, timestamp=1_700_000_000)))
    evm.set_balance(SENDER, 10**30)
    return evm


@dataclass
class Deployed:
    """One compiler's contract on an EVM of its own, so that addresses agree."""

    code: str
    evm: pyrevm.EVM = field(default_factory=new_evm)

    def __post_init__(self) -> None:
        self.address: str | None = None
        try:
            self.address = self.evm.deploy(SENDER, bytes.fromhex(self.code), 0, 30_000_000)
        except RuntimeError:
            self.address = None

    def call(self, data: bytes, value: int) -> tuple[bool, bytes, list[Any], dict[int, int]]:
        """Success, output, logs, and the contract's first storage slots after the call."""
        assert self.address is not None
        try:
            output, success = self.evm.message_call(SENDER, self.address, data, value, GAS), True
        except RuntimeError as error:
            reverted = re.search(r"Revert \{.*output: 0x([0-9a-f]*)", str(error))
            output, success = bytes.fromhex(reverted[1]) if reverted else b"halted", False
        result = self.evm.result
        logged = result.logs if result else []
        logs = [(log.address, tuple(log.topics), bytes(log.data[1])) for log in logged]
        slots = {slot: self.evm.storage(self.address, slot) for slot in range(FIRST_SLOTS)}
        return success, bytes(output), logs, slots


def compare_contract(
    name: str, abi: list[Any], codes: tuple[str, str], calls: int, chance: random.Random
) -> Iterator[str]:
    """A line for each call that differs."""
    constructor = next((e["inputs"] for e in abi if e["type"] == "constructor"), [])
    types = [contract_abi.type_from_json(i) for i in constructor]
    try:
        tail = contract_abi.encode(types, [random_value(i["type"], chance) for i in constructor]).hex()
    except ValueError:
        return
    own, reference = Deployed(codes[0] + tail), Deployed(codes[1] + tail)
    if own.address is None or reference.address is None:
        if own.address != reference.address:
            yield f"{name}: deployment: smartvm {own.address}, solc {reference.address}"
        return
    for entry in abi:
        if entry["type"] != "function" or any("tuple" in i["type"] for i in entry["inputs"]):
            continue
        signature = contract_abi.signature_of(entry)
        for _ in range(calls):
            arguments = [random_value(i["type"], chance) for i in entry["inputs"]]
            data = signature.selector + contract_abi.encode(signature.types, arguments)
            if chance.random() < 0.1:
                data = data[: chance.randrange(4, len(data) + 1)]
            value = chance.choice((0, 0, 1)) if entry["stateMutability"] == "payable" else 0
            ours, theirs = own.call(data, value), reference.call(data, value)
            if ours != theirs:
                parts = zip(("success", "output", "logs", "storage"), ours, theirs, strict=True)
                differ = ", ".join(part for part, own_part, their_part in parts if own_part != their_part)
                yield (
                    f"{name}.{entry['name']}({arguments}): {differ} differ\n"
                    f"    data    0x{data.hex()}\n    smartvm {ours[0]} 0x{ours[1].hex()[:400]}\n"
                    f"    solc    {theirs[0]} 0x{theirs[1].hex()[:400]}"
                )
                break


def with_imports(name: str, sources: Mapping[str, Any]) -> dict[str, Any]:
    """A source and all that it imports, directly or not."""
    found: dict[str, Any] = {}
    waiting = [name]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found[name] = sources[name]
        for path in IMPORTED.findall(sources[name]["content"]):
            relative = path.startswith(".")
            waiting.append(os.path.normpath(os.path.join(os.path.dirname(name), path)) if relative else path)
    return found


def solc_contracts(
    solc: str, request: Mapping[str, Any], exposed: list[str], via_ir: bool
) -> dict[str, Any]:
    """solc's contracts. Each exposure is compiled alone, through the IR pipeline if ``via_ir`` or where the legacy
    one finds the stack too deep."""
    sources = request["sources"]
    package = {name: source for name, source in sources.items() if name not in exposed}
    output = run_solc(solc, {**request, "sources": package})
    contracts = dict(output.get("contracts", {}))
    for name in exposed:
        selection = {name: {"*": ["abi", "evm.bytecode.object", "evm.bytecode.linkReferences"]}}
        for through_ir in (True,) if via_ir else (False, True):
            settings = {**request["settings"], "viaIR": through_ir, "outputSelection": selection}
            answer = run_solc(
                solc, {**request, "sources": with_imports(name, sources), "settings": settings}
            )
            failed = [e["formattedMessage"] for e in answer.get("errors", []) if e["severity"] == "error"]
            if not failed:
                contracts[name] = answer["contracts"][name]
                break
        else:
            print(f"solc refuses {name}: {failed[0][:400]}")
    return contracts


def main() -> int:
    """Compare package by package; print each difference and the counts."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("packages", nargs="+")
    parser.add_argument("--calls", type=int, default=10, help="calls of each function")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--filter", default="", help="compare only contracts whose name contains this")
    parser.add_argument("--contract", default="*", help="compile only this contract beside the exposed libraries")
    parser.add_argument("--library", default="", help="only libraries whose name contains this")
    parser.add_argument("--via-ir", action="store_true", help="compare with solc's IR pipeline")
    parser.add_argument("--no-optimize", action="store_true")
    options = parser.parse_args()
    modules, solc = Path(os.environ["SMARTVM_NODE_MODULES"]), os.environ["SMARTVM_SOLC"]
    differing = contracts = 0
    for package in options.packages:
        sources: dict[str, Any] = dict(sources_of(modules, package))
        started = time.perf_counter()
        only_trees = {"outputSelection": {"*": {"": ["ast"]}}}
        asts = run_solc(solc, {"language": "Solidity", "sources": sources, "settings": only_trees})
        exposed = []
        for number, exposure in enumerate(exposures(asts["sources"])):
            if options.library not in exposure.library:
                continue
            exposed.append(f"exposed/{exposure.library}{number}.sol")
            sources[exposed[-1]] = {"content": exposure.text(number)}
        request = {
            "language": "Solidity",
            "sources": sources,
            "settings": {
                "viaIR": options.via_ir,
                "optimizer": {"enabled": not options.no_optimize},
                "metadata": {"appendCBOR": False},
                "outputSelection": {
                    "*": {options.contract: ["abi", "evm.bytecode.object", "evm.bytecode.linkReferences"]},
                    **{name: {"*": ["abi", "evm.bytecode.object", "evm.bytecode.linkReferences"]} for name in exposed},
                },
            },
        }
        reference, own = solc_contracts(solc, request, exposed, options.via_ir), compile_standard(request)
        for error in own.get("errors", []):
            if error["severity"] == "error":
                print(f"{package}: smartvm: {error['formattedMessage'][:600]}")
        print(f"{package}: compiled in {time.perf_counter() - started:.0f} s", flush=True)
        for source, found in reference.items():
            for name, contract in found.items():
                code = contract.get("evm", {}).get("bytecode", {"object": ""})
                mine = own.get("contracts", {}).get(source, {}).get(name)
                if options.filter not in name or mine is None or not code["object"] or code["linkReferences"]:
                    continue
                contracts += 1
                chance = random.Random(f"{options.seed} {name}")
                codes = (mine["evm"]["bytecode"]["object"], code["object"])
                for line in compare_contract(
                    f"{source}:{name}", contract["abi"], codes, options.calls, chance
                ):
                    differing += 1
                    print(line, flush=True)
    print(f"{contracts} contracts compared, {differing} functions differ")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
