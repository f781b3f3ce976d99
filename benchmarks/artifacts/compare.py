"""Compares smartvm's artifacts with solc's over all contracts of npm packages, and prints the first
difference of each.

    python benchmarks/artifacts/compare.py @openzeppelin/contracts solady solmate
    python benchmarks/artifacts/compare.py --outputs abi,storageLayout solady

Needs node, ``SMARTVM_NODE_MODULES`` (the packages) and ``SMARTVM_SOLC`` (the npm package solc, 0.8.37). AST
ids may differ as long as they differ consistently: both sides' ids are numbered anew by their place in the
AST.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from smartvm.compiler.standard_json import compile_standard

OUTPUTS = (
    "abi",
    "evm.methodIdentifiers",
    "storageLayout",
    "transientStorageLayout",
    "devdoc",
    "userdoc",
    "metadata",
    "ast",
)
_RUN_SOLC = (
    "const solc = require(process.argv[1]);"
    "process.stdout.write(solc.compile(require('fs').readFileSync(0, 'utf8')))"
)
_TYPE_ID = re.compile(
    r"(t_(?:struct|contract|enum|userDefinedValueType|super)(?:\$_|\()[A-Za-z_$][\w$]*?(?:_\$_?|\))|t_module_)(\d+)"
)


def sources_of(modules: Path, package: str) -> dict[str, dict[str, str]]:
    """All Solidity files of a package that this compiler's version can compile."""
    found = {}
    for path in sorted((modules / package).rglob("*.sol")):
        text = path.read_text("utf-8")
        if "test" in path.relative_to(modules).parts:
            continue  # needs packages that npm does not have
        if re.search(r"pragma solidity 0\.8\.(?!37)\d+;", text):
            continue
        found[path.relative_to(modules).as_posix()] = {"content": text}
    return found


def run_solc(solc: str, request: dict[str, Any]) -> dict[str, Any]:
    """solc's answer to Standard JSON input, kept in the folder ``SMARTVM_SOLC_CACHE`` if that is set."""
    cache = os.environ.get("SMARTVM_SOLC_CACHE")
    text = json.dumps(request)
    kept = Path(cache) / f"{hashlib.sha256(text.encode()).hexdigest()}.json" if cache else None
    if kept is not None and kept.exists():
        known: dict[str, Any] = json.loads(kept.read_text())
        return known
    done = subprocess.run(
        ["node", "--stack-size=8000", "-e", _RUN_SOLC, solc],
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(done.stdout)
    return answer


def first_difference(own: Any, reference: Any, path: str = "") -> str | None:
    """Where two JSON values first differ, or None."""
    if isinstance(own, dict) and isinstance(reference, dict):
        for key in sorted(own.keys() | reference.keys()):
            if key not in own:
                return f"{path}.{key}: missing, solc has {_short(reference[key])}"
            if key not in reference:
                return f"{path}.{key}: {_short(own[key])}, solc has none"
            if found := first_difference(own[key], reference[key], f"{path}.{key}"):
                return found
        return None
    if isinstance(own, list) and isinstance(reference, list):
        for index, (left, right) in enumerate(zip(own, reference, strict=False)):
            if found := first_difference(left, right, f"{path}[{index}]"):
                return found
        if len(own) != len(reference):
            return f"{path}: {len(own)} entries, solc has {len(reference)}"
        return None
    if own != reference or isinstance(own, bool) != isinstance(reference, bool):
        return f"{path}: {_short(own)}, solc has {_short(reference)}"
    return None


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 200 else text[:197] + "..."


class IdNumbering:
    """Maps one compiler's AST ids to the other's by walking both trees side by side."""

    def __init__(self) -> None:
        self.to_reference: dict[int, int] = {}

    def learn(self, own: Any, reference: Any) -> None:
        """Note the ids of nodes at the same place."""
        if isinstance(own, dict) and isinstance(reference, dict):
            if "nodeType" in own and "nodeType" in reference and "id" in own and "id" in reference:
                self.to_reference[own["id"]] = reference["id"]
            for key in own.keys() & reference.keys():
                self.learn(own[key], reference[key])
        elif isinstance(own, list) and isinstance(reference, list):
            for left, right in zip(own, reference, strict=False):
                self.learn(left, right)

    def translate(self, value: Any, key: str = "") -> Any:
        """The value with ids replaced, also within type identifiers."""
        if isinstance(value, dict):
            if key == "exportedSymbols":
                return value  # see exported_symbols
            if key == "internalFunctionIDs":
                return {str(self.to_reference.get(int(i), int(i))): number for i, number in value.items()}
            return {self._text(name): self.translate(part, name) for name, part in value.items()}
        if isinstance(value, list):
            parts = [self.translate(part, key) for part in value]
            return sorted(parts) if key in _UNORDERED and all(isinstance(p, int) for p in parts) else parts
        if isinstance(value, bool):
            return value
        if isinstance(value, int):
            return self.to_reference.get(value, value) if key in _ID_KEYS else value
        if isinstance(value, str):
            return self._text(value)
        return value

    def _text(self, text: str) -> str:
        return _TYPE_ID.sub(lambda m: m[1] + str(self.to_reference.get(int(m[2]), m[2])), text)


_ID_KEYS = frozenset(
    [
        "id",
        "astId",
        "scope",
        "referencedDeclaration",
        "declaration",
        "sourceUnit",
        "functionReturnParameters",
        "linearizedBaseContracts",
        "contractDependencies",
        "usedEvents",
        "usedErrors",
        "baseFunctions",
        "baseModifiers",
        "overloadedDeclarations",
        "assignments",
        "exportedSymbols",
        "function",
    ]
)
_UNORDERED = frozenset(
    ["usedEvents", "usedErrors", "contractDependencies", "overloadedDeclarations", "baseFunctions"]
)


def exported_symbols(tree: dict[str, Any], numbering: IdNumbering) -> None:
    """Translate a source unit's exported symbols: their lists stand under names, not under an id's key."""
    symbols = tree.get("exportedSymbols", {})
    for name, ids in symbols.items():
        symbols[name] = [numbering.to_reference.get(i, i) for i in ids]


def without_bytecode_facts(metadata: str) -> Any:
    """Metadata without the compiler's version."""
    decoded = json.loads(metadata)
    decoded.pop("compiler")
    return decoded


def compare(
    package: str, outputs: list[str], modules: Path, solc: str, shown: int
) -> Counter[tuple[str, str]]:
    """Compile a package with both; print and count the differences."""
    wanted = [output for output in outputs if output != "ast"]
    request = {
        "language": "Solidity",
        "sources": sources_of(modules, package),
        "settings": {"outputSelection": {"*": {"*": wanted, "": ["ast"] if "ast" in outputs else []}}},
    }
    start = time.perf_counter()
    own = compile_standard(request)
    middle = time.perf_counter()
    reference = run_solc(solc, request)
    end = time.perf_counter()
    print(
        f"{package}: {len(request['sources'])} files; "
        f"smartvm {middle - start:.1f} s, solc {end - middle:.1f} s"
    )
    counts: Counter[tuple[str, str]] = Counter()
    printed: Counter[str] = Counter()

    def note(output: str, where: str, difference: str | None) -> None:
        counts[output, "different" if difference else "equal"] += 1
        if difference and printed[output] < shown:
            printed[output] += 1
            print(f"  {output} {where}: {difference}")

    for side, answer in (("smartvm", own), ("solc", reference)):
        errors = [e["formattedMessage"] for e in answer.get("errors", []) if e["severity"] == "error"]
        if errors:
            print(f"  {side} reports {len(errors)} errors, first: {errors[0]}")
            return counts
    numbering = IdNumbering()
    for name, entry in reference["sources"].items():
        numbering.learn(own["sources"].get(name, {}).get("ast"), entry.get("ast"))
    if "ast" in outputs:
        for name, entry in reference["sources"].items():
            tree = numbering.translate(own["sources"][name].get("ast"))
            exported_symbols(tree, numbering)
            note("ast", name, first_difference(_ordered(tree), _ordered(entry["ast"])))
    for name, contracts in reference.get("contracts", {}).items():
        for contract, entry in contracts.items():
            mine = own["contracts"].get(name, {}).get(contract, {})
            for output in wanted:
                left: Any = mine
                right: Any = entry
                for part in output.split("."):
                    left, right = left.get(part, {}), right.get(part, {})
                if output == "metadata":
                    left, right = without_bytecode_facts(left), without_bytecode_facts(right)
                note(output, f"{name}:{contract}", first_difference(numbering.translate(left), right))
    return counts


def _ordered(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _ordered(part, name) for name, part in value.items()}
    if isinstance(value, list):
        if key in _UNORDERED and all(isinstance(part, int) for part in value):
            return sorted(value)
        return [_ordered(part, key) for part in value]
    return value


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("packages", nargs="+")
    parser.add_argument("--outputs", default=",".join(OUTPUTS))
    parser.add_argument("--show", type=int, default=5, help="differences printed per output")
    arguments = parser.parse_args()
    modules = Path(os.environ["SMARTVM_NODE_MODULES"])
    solc = os.environ.get("SMARTVM_SOLC", str(modules / "solc"))
    failed = False
    for package in arguments.packages:
        counts = compare(package, arguments.outputs.split(","), modules, solc, arguments.show)
        for (output, verdict), count in sorted(counts.items()):
            print(f"  {output}: {count} {verdict}")
            failed |= verdict == "different"
        failed |= not counts
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
