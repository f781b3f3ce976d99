"""Compares Standard JSON answers with solc's, key by key, over requests that are right, odd or malformed.

    python benchmarks/artifacts/standard_json.py [PATTERN ...]

Values are compared where both compilers must agree (ABI, documentation, metadata but for its version, messages about
the request, places of diagnostics); of code and what follows from it (bytecode, source maps, gas), only whether it is
there. Needs node and ``SMARTVM_SOLC`` (the npm package solc, 0.8.37), or ``SMARTVM_NODE_MODULES`` with it. Prints each
difference and what it stands for; exit status 1 where one is not among ``KNOWN``.
"""

from __future__ import annotations

import copy
import fnmatch
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from smartvm.compiler.standard_json import compile_standard_text

Json = dict[str, Any]

MAIN = """// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;
import "./L.sol";
/// @title T
contract C is B { uint public x; uint immutable im; constructor(uint a) payable { im = a; x = 1; }
 function f(uint[] memory a, string calldata s) external returns (uint) { return L.g(a.length) + im + bytes(s).length; }
 function h() public view returns (uint y) { for (uint i = 0; i < x; i++) y += i; }
}
"""
LIBRARY = """// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;
library L { function g(uint a) external pure returns (uint) { return a + 1; } }
abstract contract B { function q() public pure returns (uint8) { return 3; } }
interface I { function z() external; }
"""
YUL = """object "a" { code { let x := calldataload(0) sstore(x, 1)
 datacopy(0, dataoffset("a_deployed"), datasize("a_deployed")) setimmutable(0, "x", 7)
 return(0, datasize("a_deployed")) }
 object "a_deployed" { code { sstore(0, linkersymbol("L.sol:L")) mstore(0, loadimmutable("x")) } data "d" "abc" } }"""

#: Values of every JSON type, to stand where something else belongs.
ODD: tuple[Any, ...] = (None, 1, "x", [], True, {})

#: Where smartvm means to differ: pattern of the case, part of the difference, why.
KNOWN = (
    ("*", ".legacyAssembly", "solc's own assembly format; smartvm has `assembly`"),
    ("*", "library_deploy_address", "the library's own address is an immutable here, as in solc's IR pipeline"),
    ("*", "functionDebugData", "other utility functions"),
    ("*", "generatedSources", "code without utility functions has none"),
    ("sel*:evm.legacyAssembly", ".contracts", "see above"),
    ("yul*", "errorCode: extra", "diagnostics of Yul have their codes here too"),
    ("yul:immutable", "", "solc gives the outputs beside the error"),
    ("yul*", "errors[0].sourceLocation", "the message points at the assignment's place"),
    ("t:*", "message", "another JSON reader's words"),
    ("src:*url*", "", "solc-js has a stub for the reader that native solc lacks without one"),
    ("urls:[[]]", "", "the same"),
    ("yul:url", "", "the same"),
    ("mc*", "", "there is no model checker: one warning says so"),
    ("lang:EVMAssembly", ".errors[0]", "not imported"),
    ("sel:evm.bytecode.immutableReferences", ".contracts", "an empty group"),
)


def base(**settings: Any) -> Json:
    """The usual request with more settings."""
    request = {
        "language": "Solidity",
        "sources": {"A.sol": {"content": MAIN}, "L.sol": {"content": LIBRARY}},
        "settings": {"outputSelection": {"*": {"*": ["*"], "": ["*"]}}},
    }
    request["settings"].update(settings)  # type: ignore[attr-defined]
    return request


def only(*outputs: str, **settings: Any) -> Json:
    """The usual request for some outputs."""
    return base(outputSelection={"*": {"*": list(outputs)}}, **settings)


def sources(given: Any) -> Json:
    """A request for the ABI and the tree of other sources."""
    return {
        "language": "Solidity",
        "sources": given,
        "settings": {"outputSelection": {"*": {"*": ["abi"], "": ["ast"]}}},
    }


def cases() -> Iterator[tuple[str, Any]]:
    """All requests by name; texts instead of objects where the JSON itself is at stake."""
    yield "base", base()
    yield from _selections()
    yield from _odd_values()
    yield from _settings()
    yield from _sources()
    yield from _yul()
    yield from _texts()


_OUTPUTS = (
    "*", "abi", "ast", "devdoc", "userdoc", "metadata", "ir", "irAst", "irOptimized", "irOptimizedAst",
    "storageLayout", "transientStorageLayout", "evm", "evm.bytecode", "evm.deployedBytecode",
    "evm.bytecode.object", "evm.bytecode.opcodes", "evm.bytecode.sourceMap", "evm.bytecode.linkReferences",
    "evm.bytecode.generatedSources", "evm.bytecode.functionDebugData", "evm.bytecode.immutableReferences",
    "evm.deployedBytecode.immutableReferences", "evm.deployedBytecode.object",
    "evm.deployedBytecode.linkReferences", "evm.deployedBytecode.sourceMap", "evm.gasEstimates",
    "evm.methodIdentifiers", "evm.assembly", "evm.legacyAssembly", "evm.*", "evm.bytecode.*", "ewasm",
    "ewasm.wast", "nonsense", "evm.nonsense", "yulCFGJson", "evm.bytecode.ethdebug",
    "evm.deployedBytecode.ethdebug", "ethdebug",
)  # fmt: skip


def _selections() -> Iterator[tuple[str, Any]]:
    for output in [*_OUTPUTS, ""]:
        yield f"sel:{output}", only(output)
        yield f"sel0:{output}", base(outputSelection={"*": {"": [output]}})
    named: dict[str, Any] = {
        "named": {"A.sol": {"C": ["abi"]}},
        "contract-missing": {"A.sol": {"D": ["abi"]}},
        "file-missing": {"Q.sol": {"*": ["abi", "evm.bytecode"]}},
        "mixed": {"A.sol": {"*": ["abi"]}, "*": {"B": ["evm.methodIdentifiers"]}, "L.sol": {"": ["ast"]}},
        "library": {"L.sol": {"*": ["evm.bytecode", "evm.gasEstimates", "evm.assembly"]}},
        "empty": {},
        "no-contract": {"*": {}},
        "no-output": {"*": {"*": []}},
    }
    for name, selection in named.items():
        yield f"sel:{name}", base(outputSelection=selection)
    for value in (*ODD, {"*": 1}, {"*": None}, {"*": []}, {"*": {"*": 1}}, {"*": {"*": [1]}}, {"*": {"*": {"a": 1}}}):
        yield f"sel-odd:{json.dumps(value)}", base(outputSelection=value)
    yield "no-settings", {key: value for key, value in base().items() if key != "settings"}


_FIELDS: dict[str, tuple[str, ...]] = {
    "optimizer": ("enabled", "runs", "details", "foo"),
    "metadata": ("useLiteralContent", "bytecodeHash", "appendCBOR", "foo"),
    "debug": ("revertStrings", "debugInfo", "foo"),
    "modelChecker": (
        "bmcLoopIterations", "contracts", "divModNoSlacks", "engine", "extCalls", "invariants", "printQuery",
        "showProvedSafe", "showUnproved", "showUnsupported", "solvers", "targets", "timeout", "foo",
    ),
}  # fmt: skip
_DETAILS = (
    "peephole", "inliner", "jumpdestRemover", "orderLiterals", "deduplicate", "cse", "constantOptimizer", "yul",
    "yulDetails", "simpleCounterForLoopUncheckedIncrement", "foo",
)  # fmt: skip
_SETTINGS = (
    "optimizer", "metadata", "libraries", "remappings", "evmVersion", "stopAfter", "debug", "modelChecker", "viaIR",
    "parserErrorRecovery", "experimental", "viaSSACFG", "eofVersion", "foo",
)  # fmt: skip


def _odd_values() -> Iterator[tuple[str, Any]]:
    wanted = {"outputSelection": {"*": {"*": ["abi", "metadata"]}}}
    for value in ODD:
        shown = json.dumps(value)
        yield f"root:{shown}", value
        for key in ("settings", "sources", "language", "auxiliaryInput"):
            yield f"{key}:{shown}", {**base(**wanted), key: value}
        for key in _SETTINGS:
            yield f"{key}:{shown}", base(**{**wanted, key: value})
        for key, fields in _FIELDS.items():
            for field in fields:
                name = "mc" if key == "modelChecker" else key
                yield f"{name}.{field}:{shown}", base(**{**wanted, key: {field: value}})
        for field in _DETAILS:
            yield f"details.{field}:{shown}", base(**wanted, optimizer={"enabled": True, "details": {field: value}})
        for field in ("stackAllocation", "optimizerSteps", "foo"):
            for enabled in (True, False):
                details = {"yul": enabled, "yulDetails": {field: value}}
                optimizer = {"enabled": enabled, "details": details}
                yield f"yulDetails{enabled:d}.{field}:{shown}", base(**wanted, optimizer=optimizer)
        yield f"library:{shown}", base(**wanted, libraries={"L.sol": value})
        yield f"library-address:{shown}", base(**wanted, libraries={"L.sol": {"L": value}})
        yield f"remapping:{shown}", base(**wanted, remappings=[value])
        for field, source in (("source", value), ("content", {"content": value}), ("urls", {"urls": value})):
            request = base(**wanted)
            request["sources"]["A.sol"] = source
            yield f"{field}:{shown}", request
        request = base(**wanted)
        request["sources"]["A.sol"]["keccak256"] = value
        yield f"keccak256:{shown}", request


def _settings() -> Iterator[tuple[str, Any]]:
    versions = (
        "homestead tangerineWhistle spuriousDragon byzantium constantinople petersburg istanbul berlin london paris "
        "shanghai cancun prague osaka amsterdam Osaka frontier default"
    )
    for version in [*versions.split(), ""]:
        yield f"evm:{version}", only("abi", "metadata", evmVersion=version)
    for steps in ("", "dhfoDgvulfnTUtnIf", ":", "a:c", "a:c:u", "[a", "a]", "[[a]]", "xyz!", "a d\ng", "q", " ", "[:]"):
        for name, enabled in (("on", True), ("off", False)):
            details = {"yul": enabled, "yulDetails": {"optimizerSteps": steps}}
            yield f"steps-{name}:{steps}", only("metadata", optimizer={"enabled": enabled, "details": details})
    optimizers: tuple[Json, ...] = (
        {}, {"enabled": True}, {"enabled": True, "runs": 1}, {"runs": 0}, {"runs": -1}, {"runs": 1.5}, {"runs": 2**32},
        {"runs": 2**64}, {"details": {}}, {"enabled": True, "details": {}}, {"details": {"yul": True}},
        {"enabled": True, "details": {"yul": False}}, {"enabled": True, "details": {"peephole": False}},
        {"enabled": True, "details": {"yulDetails": {"stackAllocation": False}}},
        {"enabled": True, "details": {"yulDetails": {"stackAllocation": True}}}, {"details": {"yulDetails": {}}},
    )  # fmt: skip
    for optimizer in optimizers:
        yield f"optimizer:{json.dumps(optimizer)}", only("metadata", optimizer=optimizer)
    for digest in ("ipfs", "bzzr1", "none", "IPFS"):
        for append in (None, True, False):
            metadata = {"bytecodeHash": digest} | ({} if append is None else {"appendCBOR": append})
            yield f"metadata:{digest}:{append}", only("metadata", "evm.deployedBytecode.object", metadata=metadata)
    yield "metadata:literal", only("metadata", metadata={"useLiteralContent": True})
    yield "metadata:bare", only("metadata", metadata={"appendCBOR": False})
    for stop in ("parsing", "analysis", ""):
        yield f"stop:{stop}", base(stopAfter=stop, outputSelection={"*": {"": ["ast"]}})
    yield "stop:code", base(stopAfter="parsing")
    yield "stop:abi", base(stopAfter="parsing", outputSelection={"*": {"*": ["abi"], "": ["ast"]}})
    for strings in ("default", "strip", "debug", "verboseDebug", "x"):
        yield f"revert:{strings}", only("metadata", debug={"revertStrings": strings})
    for info in ([], ["*"], ["location"], ["snippet"], ["location", "snippet"], ["ast-id"], ["ethdebug"], ["foo"]):
        yield f"debugInfo:{json.dumps(info)}", only("metadata", "evm.bytecode.object", debug={"debugInfo": info})
    for remapping in ("a=b", "a:b=c", "=b", "a:=c", ":=", "a", "a=", "x:y:z=1", "", "a=b=c", ":a=b"):
        yield f"remapping:{remapping}", only("metadata", remappings=[remapping])
    for address in ("0x" + "ab" * 20, "ab" * 20, "0x" + "ab" * 19, "0x" + "zz" * 20, "0X" + "ab" * 20, ""):
        outputs = ("metadata", "evm.bytecode.linkReferences", "evm.deployedBytecode.linkReferences")
        yield f"address:{address}", only(*outputs, libraries={"L.sol": {"L": address}})
    yield "via-ir", base(viaIR=True)
    yield "via-ir:optimized", base(viaIR=True, optimizer={"enabled": True})
    yield "optimized", base(optimizer={"enabled": True})
    checker: tuple[Json, ...] = (
        {"engine": "none"}, {"engine": "bmc"}, {"engine": "x"}, {"contracts": {"A.sol": "C"}}, {"targets": ["foo"]},
        {"contracts": {"": ["C"]}}, {"targets": []}, {"solvers": ["foo"]}, {"timeout": -1}, {"bmcLoopIterations": 3},
    )  # fmt: skip
    for value in checker:
        yield (
            f"{'mc' if value == {'engine': 'bmc'} else 'checker'}:{json.dumps(value)}",
            only("abi", modelChecker=value),
        )


def _sources() -> Iterator[tuple[str, Any]]:
    given: dict[str, Any] = {
        "no-content": {"A.sol": {}},
        "unknown-key": {"A.sol": {"content": "contract C{}", "foo": 1}},
        "hash": {"A.sol": {"content": "contract C{}", "keccak256": "0x" + "00" * 32}},
        "bad-hash": {"A.sol": {"content": "contract C{}", "keccak256": "zz"}},
        "url": {"A.sol": {"urls": ["a.sol"]}},
        "no-url": {"A.sol": {"urls": []}},
        "odd-url": {"A.sol": {"urls": [1]}},
        "content-and-url": {"A.sol": {"content": "contract C{}", "urls": ["a.sol"]}},
        "missing-import": {"A.sol": {"content": "import 'x.sol'; contract C{}"}},
        "no-name": {"": {"content": "contract C{}"}},
        "unicode": {"A.sol": {"content": "contract C{} // \U0001f600 é"}},
        "errors": {
            "A.sol": {"content": "contract C{ uint x = y; uint z = w; }"},
            "B.sol": {"content": "contract D{ uint x = y; }"},
        },
        "syntax-errors": {
            "A.sol": {"content": "contract C{ uint x = ; }"},
            "B.sol": {"content": "contract D{ uint x = ; }"},
        },
        "homonyms": {"A.sol": {"content": "contract C{ uint x; uint x; function f() public { uint x; uint y = 2; } }"}},
        "candidates": {"A.sol": {"content": "contract C{ function f() public { require('a', 'b', 'c'); } }"}},
        "version": {"A.sol": {"content": "pragma solidity ^0.7.0; contract C{}"}},
    }
    for name, listed in given.items():
        yield f"src:{name}", sources(listed)
    for language in ("Solidity", "Yul", "EVMAssembly", "SolidityAST", "Vyper", "solidity", ""):
        yield f"lang:{language}", {**base(), "language": language}


def _yul() -> Iterator[tuple[str, Any]]:
    def request(code: str = YUL, **settings: Any) -> Json:
        return {
            "language": "Yul",
            "sources": {"A.yul": {"content": code}},
            "settings": {"outputSelection": {"*": {"*": ["*"], "": ["*"]}}, **settings},
        }

    yield "yul", request()
    yield "yul:optimized", request(optimizer={"enabled": True})
    yield "yul:block", request("{ sstore(0, 1) }")
    for output in ("abi", "ir", "irOptimized", "evm.bytecode.object", "evm.assembly", "evm", "metadata"):
        yield f"yul:sel:{output}", request(outputSelection={"*": {"*": [output]}})
    for name, code in (("arity", "{ sstore(0) }"), ("syntax", "{ sstore(0 }"), ("names", "{ foo(x) }")):
        yield f"yul:{name}", request(code)
    immutable = 'object "a" { code { stop() } object "a_deployed" { code { mstore(0, loadimmutable("x")) } } }'
    yield "yul:immutable", request(immutable)
    yield "yul:two", {**request(), "sources": {"A.yul": {"content": YUL}, "B.yul": {"content": YUL}}}
    for name, settings in (
        ("remapping", {"remappings": ["a=b"]}), ("strip", {"debug": {"revertStrings": "strip"}}),
        ("stop", {"stopAfter": "parsing"}), ("via-ir", {"viaIR": True}), ("byzantium", {"evmVersion": "byzantium"}),
        ("library", {"libraries": {"L.sol": {"L": "0x" + "ab" * 20}}}),
    ):  # fmt: skip
        yield f"yul:{name}", request(**settings)
    yield "yul:url", {**request(), "sources": {"A.yul": {"urls": ["a"]}}}


def _texts() -> Iterator[tuple[str, Any]]:
    texts = {
        "empty": "", "word": "foo", "cut": '{"language":', "trailing": "{} x", "comma": '{"a":1,}', "list": "[]",
        "comment": "{/*x*/}", "quotes": "{'a':1}", "nan": '{"language":NaN}', "lines": '{\n"sources": {"a": ]}',
        "escape": '{"a":"\\q"}', "control": '{"a":"\n"}', "deep": "[" * 3000, "surrogate": '{"language":"\\ud800"}',
        "integer": '{"settings":{"optimizer":{"runs":123456789012345678901234567890}}}',
    }  # fmt: skip
    for name, text in texts.items():
        yield f"t:{name}", text


_RUN_SOLC = """
const solc = require(process.argv[1]);
const texts = JSON.parse(require('fs').readFileSync(0, 'utf8'));
process.stdout.write(JSON.stringify(texts.map(text => {
  try { return JSON.parse(solc.compile(text)) } catch (error) { return {crash: String(error)} }
})));
"""


def solc_answers(solc: str, texts: list[str]) -> list[Json]:
    """solc's answer to each text."""
    run = ["node", "--stack-size=8000", "-e", _RUN_SOLC, solc]
    done = subprocess.run(run, input=json.dumps(texts), capture_output=True, text=True, check=True)
    answers: list[Json] = json.loads(done.stdout)
    return answers


_CODE_KEYS = ("object", "opcodes", "sourceMap", "assembly", "ir", "irOptimized")
_PRESENT_KEYS = ("functionDebugData", "generatedSources", "gasEstimates", "ast", "immutableReferences")


def differences(own: Any, reference: Any, path: str = "") -> list[str]:
    """Where two answers differ."""
    key = path.rsplit(".", 1)[-1]
    if key in _CODE_KEYS and isinstance(own, str) and isinstance(reference, str):
        return [] if bool(own) == bool(reference) else [f"{path}: {_short(own)}, solc has {_short(reference)}"]
    if key in _PRESENT_KEYS or (key == "L" and "linkReferences" in path):
        same = type(own) is type(reference) and bool(own) == bool(reference)
        return [] if same else [f"{path}: {_short(own)}, solc has {_short(reference)}"]
    if key == "metadata" and isinstance(own, str) and isinstance(reference, str) and own and reference:
        left, right = json.loads(own), json.loads(reference)
        left.pop("compiler"), right.pop("compiler")
        return differences(left, right, path + "!")
    if isinstance(own, dict) and isinstance(reference, dict):
        found: list[str] = []
        for name in sorted(own.keys() | reference.keys()):
            if name in ("astId", "formattedMessage"):
                continue
            if name not in own:
                found.append(f"{path}.{name}: missing, solc has {_short(reference[name])}")
            elif name not in reference:
                found.append(f"{path}.{name}: extra {_short(own[name])}")
            else:
                found += differences(own[name], reference[name], f"{path}.{name}")
        return found
    if isinstance(own, list) and isinstance(reference, list):
        if key == "errors":
            own, reference = _without_words(own), _without_words(reference)
        found = []
        for index, (left, right) in enumerate(zip(own, reference, strict=False)):
            found += differences(left, right, f"{path}[{index}]")
        if len(own) != len(reference):
            found.append(f"{path}: {len(own)} entries, solc has {len(reference)}")
        return found
    if own == reference and isinstance(own, bool) == isinstance(reference, bool):
        return []
    return [f"{path}: {_short(own)}, solc has {_short(reference)}"]


def _without_words(errors: list[Json]) -> list[Json]:
    """Diagnostics about source texts without their wording, which is each compiler's own."""
    plain = copy.deepcopy(errors)
    for error in plain:
        if "sourceLocation" in error or "errorCode" in error or error["type"].endswith("GenerationError"):
            error.pop("message")
        for note in error.get("secondarySourceLocations", ()):
            note.pop("message", None)
    return plain


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 120 else text[:117] + "..."


def compare(solc: str, patterns: list[str]) -> tuple[int, list[str]]:
    """How many cases were compared, and the differences that are not known ones."""
    chosen = [
        (name, request if name.startswith("t:") else json.dumps(request))
        for name, request in cases()
        if not patterns or any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
    ]
    unknown: list[str] = []
    for (name, text), reference in zip(chosen, solc_answers(solc, [text for _, text in chosen]), strict=True):
        own = json.loads(compile_standard_text(text))
        crashed = any(error["type"] == "InternalCompilerError" for error in reference.get("errors", ()))
        if crashed or "crash" in reference:
            # solc fails on some values of the wrong type; smartvm takes them for nothing, or has a message.
            if any(error["type"] == "InternalCompilerError" for error in own.get("errors", ())):
                unknown.append(f"{name}: fails, as solc does")
            continue
        unknown += [
            f"{name}: {difference}"
            for difference in differences(own, reference)
            if not any(fnmatch.fnmatchcase(name, case) and part in difference for case, part, _ in KNOWN)
        ]
    return len(chosen), unknown


def main() -> int:
    """Command line."""
    modules = os.environ.get("SMARTVM_NODE_MODULES", "node_modules")
    solc = os.environ.get("SMARTVM_SOLC", str(Path(modules) / "solc"))
    count, unknown = compare(solc, sys.argv[1:])
    for line in unknown:
        print(line)
    print(f"{count} requests, {len(unknown)} differences besides the known ones")
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main())
