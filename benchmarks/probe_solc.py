"""Compiles Solidity files with smartvm (with and without its optimizer) and with solc's IR pipeline, calls every
function of every contract with the same random arguments, some of them malformed, on one EVM (revm), and compares
results, reverts, logs and storage.

    python benchmarks/probe_solc.py tests/functional/solidity/cases/*.sol --calls 10 --seed 1

Needs pyrevm, node, and ``SMARTVM_SOLC`` (the folder of the npm package solc). Exit status 1 when any behaviour differs.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent / "artifacts"))

from compare import run_solc
from library_behaviour import EDGES, SENDER, Deployed, new_evm, random_value
from smartvm import abi as contract_abi
from smartvm.compiler.standard_json import compile_standard

Json = Mapping[str, Any]


def value_of(parameter: Json, chance: random.Random) -> Any:
    """A random value of a parameter as the ABI describes it."""
    type_ = parameter["type"]
    if type_.endswith("]"):
        inner, _, length = type_[:-1].rpartition("[")
        count = int(length) if length else chance.choice((0, 1, 2, 3, 5))
        return [value_of({**parameter, "type": inner}, chance) for _ in range(count)]
    if type_ == "tuple":
        return tuple(value_of(component, chance) for component in parameter["components"])
    return chance.randbytes(24) if type_ == "function" else random_value(type_, chance)


def call_data(entry: Json, chance: random.Random) -> bytes:
    """A call of a function; one in four is cut short, or has a word that is an edge case."""
    signature = contract_abi.signature_of(entry)
    values = [value_of(parameter, chance) for parameter in entry["inputs"]]
    data = bytearray(contract_abi.encode(signature.types, values))
    kind = chance.random()
    if data and kind < 0.05:
        del data[chance.randrange(len(data)) :]
    elif data and kind < 0.25:
        word = chance.randrange(len(data) // 32 or 1)
        edge = chance.choice((*EDGES, 64, 96, 128, len(data), len(data) - 32, 2**64, 2**256 - 32, 2**256 - 1))
        data[32 * word : 32 * word + 32] = (edge % 2**256).to_bytes(32, "big")
    return signature.selector + bytes(data)


def request_for(name: str, text: str, optimize: bool, version: str, strings: str) -> dict[str, Any]:
    """Standard JSON for one file."""
    return {
        "language": "Solidity",
        "sources": {name: {"content": text}},
        "settings": {
            "viaIR": True,
            "evmVersion": version,
            "optimizer": {"enabled": optimize},
            "metadata": {"appendCBOR": False},
            "debug": {"revertStrings": strings},
            "outputSelection": {"*": {"*": ["abi", "evm.bytecode", "storageLayout"]}},
        },
    }


def errors_of(answer: Json) -> list[tuple[str, str]]:
    """Code and text of each error."""
    return [
        (str(e.get("errorCode")), e["formattedMessage"]) for e in answer.get("errors", []) if e["severity"] == "error"
    ]


def compare_file(path: Path, options: argparse.Namespace) -> Iterator[str]:
    """A line for each difference."""
    text = path.read_text(encoding="utf-8")
    arguments = (options.evm_version, options.revert_strings)
    reference = run_solc(options.solc, request_for(path.name, text, True, *arguments))
    for optimize in options.modes:
        own = compile_standard(request_for(path.name, text, optimize, *arguments))
        mine, theirs = errors_of(own), errors_of(reference)
        if [code for code, _ in mine] != [code for code, _ in theirs]:
            yield f"{path.name}: errors differ: smartvm {mine}, solc {theirs}"
            return
        if theirs:
            print(f"{path.name}: both refuse it: {theirs[0][1]}")
            return
        for name, contract in reference.get("contracts", {}).get(path.name, {}).items():
            code = contract["evm"]["bytecode"]
            if not code["object"]:
                continue
            found = own["contracts"][path.name][name]
            if found["abi"] != contract["abi"]:
                yield f"{path.name}:{name}: ABIs differ"
            libraries = {
                library: tuple(
                    side["contracts"][path.name][library]["evm"]["bytecode"]["object"] for side in (own, reference)
                )
                for library in code["linkReferences"].get(path.name, {})
            }
            codes = (found["evm"]["bytecode"], code)
            chance = random.Random(f"{options.seed} {name}")
            # Numbers that stand for internal functions are each compiler's own.
            kinds = contract["storageLayout"]["types"] or {}
            stores_functions = any("t_function_internal" in kind for kind in kinds)
            label = f"{path.name}:{name} ({'optimized' if optimize else 'plain'})"
            yield from compare_contract(
                label, contract["abi"], codes, libraries, options.calls, chance, stores_functions
            )


def linked(bytecode: Json, addresses: Mapping[str, str]) -> str:
    """The code in hex with the libraries' addresses in it."""
    code = bytecode["object"]
    for libraries in bytecode["linkReferences"].values():
        for library, places in libraries.items():
            for place in places:
                start = 2 * place["start"]
                code = code[:start] + addresses[library] + code[start + 40 :]
    return code


def compare_contract(
    name: str,
    abi: list[Any],
    codes: tuple[Json, Json],
    libraries: Mapping[str, tuple[str, str]],
    calls: int,
    chance: random.Random,
    stores_functions: bool,
) -> Iterator[str]:
    """A line for the first call of each function that differs."""
    constructor = next((e for e in abi if e["type"] == "constructor"), {"inputs": []})
    types = [contract_abi.type_from_json(i) for i in constructor["inputs"]]
    tail = contract_abi.encode(types, [value_of(i, chance) for i in constructor["inputs"]]).hex()
    deployed = []
    for side in (0, 1):
        # Libraries are deployed first, at the same addresses on both sides.
        evm = new_evm()
        addresses = {
            library: evm.deploy(SENDER, bytes.fromhex(parts[side]), 0, 30_000_000)[2:]
            for library, parts in libraries.items()
        }
        deployed.append(Deployed(linked(codes[side], addresses) + tail, evm))
    own, reference = deployed
    if own.address is None or reference.address is None:
        print(f"{name}: deployment: smartvm {own.address}, solc {reference.address}")
        if own.address != reference.address:
            sizes = " and solc's ".join(str(len(code["object"]) // 2) for code in codes)
            yield f"{name}: only one can be deployed (code of {sizes} bytes)"
        return
    entries = [entry for entry in abi if entry["type"] == "function"]
    order = [entry for entry in entries for _ in range(1 if not entry["inputs"] else calls)] * 2
    chance.shuffle(order)
    seen: set[str] = set()
    for entry in order:
        data = call_data(entry, chance)
        value = chance.choice((0, 0, 1)) if entry["stateMutability"] == "payable" else 0
        ours, theirs = own.call(data, value), reference.call(data, value)
        if theirs[1] == b"halted" and ours[1] != b"halted":
            continue  # solc's code ran out of gas
        if stores_functions:
            ours, theirs = ours[:3], theirs[:3]
        key = entry["name"] + str(len(entry["inputs"]))
        if ours != theirs and key not in seen:
            seen.add(key)
            parts = zip(("success", "output", "logs", "storage"), ours, theirs, strict=False)
            differ = ", ".join(part for part, own_part, their_part in parts if own_part != their_part)
            yield (
                f"{name}.{entry['name']}: {differ} differ\n"
                f"    data    0x{data.hex()}\n"
                f"    smartvm {ours[0]} 0x{ours[1].hex()[:600]} {ours[2] if 'logs' in differ else ''}\n"
                f"    solc    {theirs[0]} 0x{theirs[1].hex()[:600]} {theirs[2] if 'logs' in differ else ''}"
            )


def main() -> int:
    """Compare file by file; print each difference and the counts."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--calls", type=int, default=10, help="calls of each function with parameters")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--evm-version", default="osaka")
    parser.add_argument("--revert-strings", default="default", choices=("default", "strip", "debug"))
    parser.add_argument("--only-optimized", action="store_true", help="not without the optimizer too")
    options = parser.parse_args()
    options.modes = (True,) if options.only_optimized else (True, False)
    options.solc = os.environ["SMARTVM_SOLC"]
    differing = 0
    for path in options.files:
        for line in compare_file(path, options):
            differing += 1
            print(line, flush=True)
    print(f"{len(options.files)} files compared, {differing} differences")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
