"""Standard JSON: what comes in, what goes out, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from smartvm.compiler.imports import SourceNotFound
from smartvm.compiler.standard_json import compile_standard, compile_standard_text
from smartvm.keccak import keccak256

HEAD = "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.0;\n"
CONTRACT = (
    HEAD + "contract C { uint public x; function f() external {} }\ninterface I { function g() external; }"
)

Json = dict[str, Any]


def compile_(sources: dict[str, str], settings: Json | None = None, **more: Any) -> Json:
    request = {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in sources.items()},
        "settings": settings or {},
    }
    return compile_standard(request, **more)


def selected(*outputs: str) -> Json:
    return {"outputSelection": {"*": {"*": list(outputs)}}}


def errors(result: Json) -> list[tuple[str, str | None]]:
    return [(e["type"], e.get("errorCode")) for e in result.get("errors", []) if e["severity"] == "error"]


def test_output_not_asked_for_is_absent() -> None:
    result = compile_({"a.sol": CONTRACT}, selected("abi"))
    assert errors(result) == []
    assert result["sources"] == {"a.sol": {"id": 0}}
    assert set(result["contracts"]["a.sol"]) == {"C", "I"}
    assert set(result["contracts"]["a.sol"]["C"]) == {"abi"}
    assert "contracts" not in compile_({"a.sol": CONTRACT})


def test_star_selects_everything_but_ir() -> None:
    contract = compile_({"a.sol": CONTRACT}, selected("*"))["contracts"]["a.sol"]["C"]
    assert set(contract) == {
        "abi", "devdoc", "evm", "metadata", "storageLayout", "transientStorageLayout", "userdoc"
    }  # fmt: skip
    assert set(contract["evm"]) >= {
        "assembly", "bytecode", "deployedBytecode", "gasEstimates", "methodIdentifiers"
    }  # fmt: skip
    assert set(contract["evm"]["deployedBytecode"]) == {
        "functionDebugData", "generatedSources", "immutableReferences", "linkReferences", "object", "opcodes",
        "sourceMap",
    }  # fmt: skip


def test_group_selects_its_parts() -> None:
    contract = compile_({"a.sol": CONTRACT}, selected("evm.bytecode"))["contracts"]["a.sol"]["C"]
    assert set(contract["evm"]) == {"bytecode"}
    assert len(contract["evm"]["bytecode"]) == 6


def test_selection_by_source_and_contract_name() -> None:
    settings = {
        "outputSelection": {"a.sol": {"C": ["abi"], "": ["ast"]}, "b.sol": {"*": ["evm.methodIdentifiers"]}}
    }
    result = compile_(
        {"a.sol": CONTRACT, "b.sol": HEAD + "contract D { function h() external {} }"}, settings
    )
    assert set(result["contracts"]["a.sol"]) == {"C"}
    assert result["contracts"]["b.sol"]["D"] == {"evm": {"methodIdentifiers": {"h()": "b8c9d365"}}}
    assert result["sources"]["a.sol"]["ast"]["nodeType"] == "SourceUnit"
    assert "ast" not in result["sources"]["b.sol"]


def test_contract_that_is_not_selected_is_not_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    from smartvm.compiler.pipeline import CompiledContract

    compiled: list[str] = []
    assembled = CompiledContract.assembled.func  # type: ignore[attr-defined]

    def note(contract: CompiledContract) -> Any:
        compiled.append(contract.name)
        return assembled(contract)

    monkeypatch.setattr(CompiledContract, "assembled", property(note))
    text = HEAD + "contract A {} contract B {}"
    compile_({"a.sol": text}, {"outputSelection": {"a.sol": {"A": ["evm.bytecode.object"]}}})
    assert set(compiled) == {"A"}
    compiled.clear()
    compile_({"a.sol": text}, selected("abi"))
    assert compiled == []


def test_interface_has_empty_bytecode() -> None:
    interface = compile_({"a.sol": CONTRACT}, selected("evm.bytecode.object"))["contracts"]["a.sol"]["I"]
    assert interface["evm"]["bytecode"] == {"object": ""}


def test_error_has_solcs_shape() -> None:
    text = HEAD + "contract C { uint x = true; }"
    result = compile_({"a.sol": text}, selected("abi"))
    (error,) = result["errors"]
    start = text.index("true")
    assert error["sourceLocation"] == {"file": "a.sol", "start": start, "end": start + 4}
    assert (error["severity"], error["component"], error["errorCode"]) == ("error", "general", "7407")
    assert error["formattedMessage"].startswith(f"TypeError: {error['message']}\n --> a.sol:3:23:\n")
    assert "contracts" not in result
    json.dumps(result)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (5, "not a JSON object"),
        ({"language": "Vyper", "sources": {"a": {"content": ""}}}, "language"),
        ({"language": "SolidityAST", "sources": {"a": {}}, "settings": {"experimental": True}}, "not import"),
        ({"language": "Solidity"}, "No input sources"),
        ({"language": "Solidity", "sources": []}, '"sources"'),
        ({"language": "Solidity", "sources": {"a": {}}}, "Invalid input source"),
        ({"language": "Solidity", "sources": {"a": {"contents": ""}}}, "Unknown key"),
        ({"language": "Solidity", "sources": {"a": {"urls": ["x"]}}}, "import callback"),
        ({"language": "Solidity", "sources": {"a": {"content": ""}}, "extra": 1}, "Unknown key"),
    ],
)
def test_malformed_request_is_a_json_error(request_: Any, message: str) -> None:
    (error,) = compile_standard(request_)["errors"]
    assert error["type"] == "JSONError"
    assert message in error["message"]


@pytest.mark.parametrize(
    "settings",
    [
        {"unknown": 1},
        {"evmVersion": 5},
        {"evmVersion": "berlin2"},
        {"optimizer": {"enabled": 1}},
        {"optimizer": {"runs": -1}},
        {"optimizer": {"details": {"cse": 1}}},
        {"optimizer": {"details": {"yulDetails": {"optimizerSteps": "u"}}}},
        {"remappings": "a=b"},
        {"remappings": ["a"]},
        {"libraries": {"a": {"L": "0x12"}}},
        {"libraries": {"a": {"L": "12"}}},
        {"libraries": {"a": {"L": "0x" + "g" * 40}}},
        {"metadata": {"bytecodeHash": "md5"}},
        {"metadata": {"appendCBOR": False, "bytecodeHash": "ipfs"}},
        {"debug": {"revertStrings": "loud"}},
        {"debug": {"debugInfo": ["snippet"]}},
        {"outputSelection": {"*": ["abi"]}},
        {"outputSelection": {"*": {"*": [1]}}},
        {"stopAfter": "analysis"},
        {"stopAfter": "parsing", "outputSelection": {"*": {"*": ["evm.bytecode"]}}},
        {"viaIR": "yes"},
        {"instructionTable": 5},
        {"instructionTable": "no-such-table"},
    ],
)
def test_malformed_settings_are_a_json_error(settings: Json) -> None:
    (error,) = compile_({"a.sol": CONTRACT}, settings)["errors"]
    assert error["type"] == "JSONError"


def test_text_that_is_no_json_is_answered_in_json() -> None:
    (error,) = json.loads(compile_standard_text("{"))["errors"]
    assert error["type"] == "JSONError"


def test_stop_after_parsing_gives_a_tree_without_types() -> None:
    text = HEAD + "contract C { Unknown x; }"
    result = compile_({"a.sol": text}, {"stopAfter": "parsing", "outputSelection": {"*": {"": ["ast"]}}})
    assert errors(result) == []
    variable = result["sources"]["a.sol"]["ast"]["nodes"][1]["nodes"][0]
    assert variable["typeDescriptions"] == {}


def test_imports_follow_remappings_and_relative_paths() -> None:
    sources = {
        "main.sol": HEAD + 'import "lib/x.sol"; import "./sub/y.sol";',
        "vendor/x.sol": HEAD,
        "sub/y.sol": HEAD + 'import "../main.sol";',
    }
    assert errors(compile_(sources, {"remappings": ["lib/=vendor/"]})) == []
    assert errors(compile_(sources)) == [("ParserError", "6275")]


def test_reader_finds_imports_that_are_not_given() -> None:
    def reader(name: str) -> str:
        if name == "b.sol":
            return HEAD + "contract B {}"
        raise SourceNotFound("File not found.")

    result = compile_({"a.sol": HEAD + 'import "b.sol"; contract A is B {}'}, selected("abi"), reader=reader)
    assert set(result["contracts"]) == {"a.sol", "b.sol"}
    missing = compile_({"a.sol": HEAD + 'import "c.sol";'}, reader=reader)
    assert errors(missing) == [("ParserError", "6275")]
    assert 'Source "c.sol" not found: File not found.' in missing["errors"][0]["message"]


def test_content_must_match_its_hash() -> None:
    digest = "0x" + keccak256(CONTRACT.encode()).hex()
    source = {"content": CONTRACT, "keccak256": digest}
    request = {"language": "Solidity", "sources": {"a.sol": source}}
    assert errors(compile_standard(request)) == []
    source["keccak256"] = "0x" + "00" * 32
    assert errors(compile_standard(request)) == [("IOError", None)]


def test_library_addresses_are_linked() -> None:
    text = HEAD + (
        "library L { function f(uint a) external pure returns (uint) { return a; } }\n"
        "contract C { function g() external pure returns (uint) { return L.f(5); } }"
    )
    code = compile_({"a.sol": text}, selected("evm.bytecode"))["contracts"]["a.sol"]["C"]["evm"]["bytecode"]
    (reference,) = code["linkReferences"]["a.sol"]["L"]
    place = slice(2 * reference["start"], 2 * reference["start"] + 40)
    assert code["object"][place] == f"__${keccak256(b'a.sol:L').hex()[:34]}$__"
    address = "12" * 20
    settings = {**selected("evm.bytecode"), "libraries": {"a.sol": {"L": "0x" + address}}}
    linked = compile_({"a.sol": text}, settings)["contracts"]["a.sol"]["C"]["evm"]["bytecode"]
    assert linked["object"][place] == address
    assert linked["linkReferences"] == {}


@pytest.mark.parametrize(
    ("settings", "length"), [({}, 53), ({"bytecodeHash": "none"}, 12), ({"appendCBOR": False}, 0)]
)
def test_deployed_code_ends_in_the_metadata_trailer(settings: Json, length: int) -> None:
    request = {**selected("evm.deployedBytecode.object"), "metadata": settings}
    contract = compile_({"a.sol": CONTRACT}, request)["contracts"]["a.sol"]["C"]
    code = bytes.fromhex(contract["evm"]["deployedBytecode"]["object"])
    if length:
        assert int.from_bytes(code[-2:], "big") + 2 == length
        assert b"solc" in code[-length:]
    else:
        assert b"solc" not in code


def test_yul_is_compiled_alone() -> None:
    text = 'object "A" { code { return(0, datasize("A_deployed")) } object "A_deployed" { code { stop() } } }'
    request = {"language": "Yul", "sources": {"a.yul": {"content": text}}, "settings": selected("*")}
    entry = compile_standard(request)["contracts"]["a.yul"]["A"]
    assert entry["evm"]["deployedBytecode"]["object"] == "00"
    assert entry["ir"].startswith('object "A"')
    request["sources"] = {"a.yul": {"content": "{ nope() }"}}
    assert errors(compile_standard(request)) == [("DeclarationError", "4619")]


def test_other_instruction_table_decides_what_assembly_knows() -> None:
    text = HEAD + "contract C { function f() external { assembly { buffer_clear() } } }"
    source = {"a.sol": text}
    assert errors(compile_(source, {"instructionTable": "evm"})) != []


def test_recursion_limit_is_restored() -> None:
    import sys

    before = sys.getrecursionlimit()
    compile_({"a.sol": CONTRACT}, selected("evm.bytecode"))
    assert sys.getrecursionlimit() == before
