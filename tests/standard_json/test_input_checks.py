"""Standard JSON input that is refused, or accepted and ignored, with solc's words for it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from smartvm.compiler.optimizer_input import step_problem
from smartvm.compiler.standard_json import compile_standard, compile_standard_text

Json = dict[str, Any]
TEXT = "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.0;\ncontract C {}"


def answer(settings: Json | None = None, **more: Any) -> Json:
    return compile_standard(
        {
            "language": "Solidity",
            "sources": {"a.sol": {"content": TEXT}},
            "settings": {} if settings is None else settings,
            **more,
        }
    )


def messages(settings: Json | None = None, **more: Any) -> list[str]:
    return [error["message"] for error in answer(settings, **more).get("errors", [])]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"viaIR": 1}, '"settings.viaIR" must be a Boolean.'),
        ({"eofVersion": 1}, 'Unknown key "eofVersion"'),
        ({"optimizer": {"runs": 2**64}}, 'The "runs" setting must be an unsigned number.'),
        ({"libraries": None}, '"libraries" is not a JSON object.'),
        ({"remappings": ["x"]}, 'Invalid remapping: "x"'),
        ({"modelChecker": {"engine": "x"}}, "Invalid model checker engine requested."),
        ({"modelChecker": {"targets": []}}, "settings.modelChecker.targets must be a non-empty array."),
        (
            {"modelChecker": {"bmcLoopIterations": 3}},
            "settings.modelChecker.bmcLoopIterations requires the BMC engine to be enabled.",
        ),
        ({"modelChecker": {"contracts": {"a.sol": [""]}}}, "Contract name cannot be empty."),
        ({"modelChecker": {"timeout": -1}}, "settings.modelChecker.timeout must be an unsigned integer."),
    ],
)
def test_message_names_the_field(settings: Json, message: str) -> None:
    assert messages(settings) == [message]


def test_experiments_need_their_switch() -> None:
    asked = {"outputSelection": {"*": {"*": ["irAst"]}}}
    (refusal,) = answer(asked)["errors"]
    assert refusal["type"] == "FatalError"
    assert "settings.experimental" in refusal["message"]
    assert messages({**asked, "experimental": True}) == []
    assert "experimental" in messages({"evmVersion": "amsterdam"})[0]


def test_old_evm_version_is_a_warning() -> None:
    (warning,) = answer({"evmVersion": "berlin"})["errors"]
    assert (warning["severity"], warning["type"]) == ("warning", "Warning")
    assert messages({"evmVersion": "london"}) == []


def test_engine_that_does_not_run_is_a_warning() -> None:
    (warning,) = answer({"modelChecker": {"engine": "chc"}})["errors"]
    assert warning["severity"] == "warning"
    assert messages({"modelChecker": {"engine": "none", "solvers": ["z3"], "timeout": 5}}) == []


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        ("dhfo[xa]r:fDn", None),
        (":", None),
        ("[a", "Unbalanced brackets"),
        ("]a[", "Unbalanced brackets"),
        ("[a:c]", "Cleanup sequence delimiter cannot be placed inside the brackets"),
        ("a::c", "Too many cleanup sequence delimiters"),
        ("aq", "'q' is not a valid step abbreviation"),
    ],
)
def test_step_sequences_are_checked(steps: str, problem: str | None) -> None:
    assert step_problem(steps) == problem


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "line 1, column 1"),
        ("{", "line 1, column 2"),
        ('{\n"a": ]}', "line 2, column 6"),
        ('{"a": NaN}', "NaN"),
        ('{"a": "\\ud800"}', "surrogate"),
        ("[" * 200_000, "nested too deeply"),
    ],
)
def test_text_that_is_no_json_says_where(text: str, place: str) -> None:
    (error,) = json.loads(compile_standard_text(text))["errors"]
    assert (error["type"], error["severity"]) == ("JSONError", "error")
    assert place in error["message"]


def test_json_may_hold_comments() -> None:
    text = '{ // words "in" quotes\n "language": "Solidity", /* more */ "sources": {"a//b": {"content": "/*c*/"}}}'
    assert list(json.loads(compile_standard_text(text))["sources"]) == ["a//b"]


def test_sources_beside_an_unreadable_one_are_compiled() -> None:
    sources = {"a.sol": {"content": TEXT}, "b.sol": {"content": TEXT, "keccak256": "0x" + "00" * 32}}
    result = answer({"outputSelection": {"*": {"*": ["abi"]}}}, sources=sources)
    assert [error["type"] for error in result["errors"]] == ["IOError"]
    assert list(result["contracts"]) == ["a.sol"]


def test_only_selected_sources_and_their_imports_are_analysed() -> None:
    wrong = TEXT + " contract D { uint x = true; }"
    sources = {
        "a.sol": {"content": TEXT},
        "b.sol": {"content": TEXT.replace("contract C", 'import "a.sol"; contract E')},
        "wrong.sol": {"content": wrong},
    }
    selection = {"b.sol": {"E": ["abi"]}}
    result = answer({"outputSelection": selection}, sources=sources)
    assert "errors" not in result
    assert set(result["contracts"]) == {"b.sol"}
    everything = answer({"outputSelection": {"*": {"*": ["abi"]}}}, sources=sources)
    assert [error["errorCode"] for error in everything["errors"]] == ["7407"]


def test_yul_gives_its_tree_when_asked() -> None:
    code = 'object "A" { code { sstore(0, 1) } data "d" "abc" }'
    request = {
        "language": "Yul",
        "sources": {"a.yul": {"content": code}},
        "settings": {"outputSelection": {"*": {"": ["ast"], "*": ["evm.bytecode"]}}},
    }
    result = compile_standard(request)
    assert result["errors"] == []
    tree = result["sources"]["a.yul"]["ast"]
    assert (tree["nodeType"], tree["name"], tree["code"]["nodeType"]) == ("YulObject", "A", "YulCode")
    assert tree["subObjects"] == [{"nodeType": "YulData", "value": "616263"}]
    assert "generatedSources" not in result["contracts"]["a.yul"]["A"]["evm"]["bytecode"]


def test_warning_about_a_whole_file_names_the_file() -> None:
    result = answer(sources={"a.sol": {"content": "contract C {}"}})
    assert [error["errorCode"] for error in result["errors"]] == ["1878", "3420"]
    for warning in result["errors"]:
        assert warning["sourceLocation"] == {"file": "a.sol", "start": -1, "end": -1}
        assert warning["formattedMessage"].endswith("\n--> a.sol\n\n")
