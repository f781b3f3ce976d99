"""Case files: a Solidity source, then what its last contract does, in comments.

    // ----
    // constructor(5)                      arguments of the deployment (may be left out)
    // f(1, [2, 3]) -> 4, "text"           a call and what it returns
    // pay(){7} -> 7                       with 7 wei
    // f(0) -> ! panic 0x11                a failure, told as ``smartvm.abi.describe_revert`` does;
    //                                     ``!`` alone: without data
    // set(1) -> ; Changed(by: 1)          the events that a call logs, after a semicolon each

Arguments are Python literals, results are written as ``smartvm.abi.format_value`` writes them.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import smartvm
from case_evms import Evm, Outcome
from smartvm import abi as contract_abi

_CALL = re.compile(r"(?P<name>\w+)\((?P<arguments>.*?)\)(\{(?P<value>\d+)\})?( -> ?(?P<expected>.*))?$")


@dataclass(frozen=True)
class Step:
    """A call and what is expected of it."""

    text: str
    name: str
    arguments: tuple[Any, ...]
    value: int
    expected: str


@dataclass(frozen=True)
class Case:
    """A source and its calls."""

    path: Path
    source: str
    steps: tuple[Step, ...]


def _arguments(text: str) -> tuple[Any, ...]:
    """Python literals, with ``**``, ``*``, ``+`` and ``-`` between numbers."""

    def value(node: ast.expr) -> Any:
        match node:
            case ast.BinOp(left, ast.Pow(), right):
                return value(left) ** value(right)
            case ast.BinOp(left, ast.Mult(), right):
                return value(left) * value(right)
            case ast.BinOp(left, ast.Add(), right):
                return value(left) + value(right)
            case ast.BinOp(left, ast.Sub(), right):
                return value(left) - value(right)
            case ast.UnaryOp(ast.USub(), operand):
                return -value(operand)
            case ast.List(elements):
                return [value(e) for e in elements]
            case ast.Tuple(elements):
                return tuple(value(e) for e in elements)
        return ast.literal_eval(node)

    parsed = ast.parse(f"({text},)", mode="eval").body
    assert isinstance(parsed, ast.Tuple)
    return tuple(value(e) for e in parsed.elts)


def read_case(path: Path) -> Case:
    """A case file's content."""
    source, _, expectations = path.read_text(encoding="utf-8").partition("// ----\n")
    steps = []
    for line in expectations.splitlines():
        text = line.removeprefix("//").strip()
        if not text:
            continue
        match = _CALL.match(text)
        assert match is not None, f"{path.name}: cannot read `{text}`"
        arguments = _arguments(match["arguments"]) if match["arguments"] else ()
        steps.append(
            Step(text, match["name"], arguments, int(match["value"] or 0), (match["expected"] or "").strip())
        )
    return Case(path, source, tuple(steps))


def compile_case(case: Case, optimize: bool, version: str = "osaka") -> tuple[bytes, list[dict[str, Any]]]:
    """Creation code and ABI of the source's last contract."""
    name = re.findall(r"^(?:abstract )?contract (\w+)", case.source, re.MULTILINE)[-1]
    result = smartvm.compile_standard(
        {
            "language": "Solidity",
            "sources": {case.path.name: {"content": case.source}},
            "settings": {
                "evmVersion": version,
                "optimizer": {"enabled": optimize},
                "metadata": {"appendCBOR": False},
                "outputSelection": {"*": {"*": ["abi", "evm.bytecode.object"]}},
            },
        }
    )
    errors = [e["formattedMessage"] for e in result.get("errors", ()) if e["severity"] == "error"]
    assert not errors, "\n".join(errors)
    contract = result["contracts"][case.path.name][name]
    return bytes.fromhex(contract["evm"]["bytecode"]["object"]), contract["abi"]


def _entry(abi: list[dict[str, Any]], step: Step) -> dict[str, Any]:
    found = [
        e
        for e in abi
        if e["type"] == "function" and e["name"] == step.name and len(e["inputs"]) == len(step.arguments)
    ]
    assert len(found) == 1, f"`{step.name}` with {len(step.arguments)} arguments is not one function"
    return found[0]


def _described(abi: list[dict[str, Any]], outcome: Outcome, outputs: list[dict[str, Any]]) -> str:
    if not outcome.success:
        if outcome.halted:
            return "! halt"
        if not outcome.output:
            return "!"
        # A panic's code is enough; its meaning in words follows a colon.
        described = contract_abi.describe_revert(abi, outcome.output)
        return "! " + re.sub(r"^(panic 0x[0-9a-f]+):.*", r"\1", described)
    types = [contract_abi.type_from_json(item) for item in outputs]
    values = contract_abi.decode(types, outcome.output)
    # What is not canonical encoding is a mistake even if it decodes.
    assert contract_abi.encode(types, values) == outcome.output
    parts = [", ".join(map(contract_abi.format_value, values))]
    parts += [contract_abi.describe_log(abi, topics, data) for topics, data in outcome.logs]
    return "; ".join(parts).strip()


#: EVM versions without REVERT, where every failure is an exceptional halt without data.
WITHOUT_REVERT = ("homestead", "tangerineWhistle", "spuriousDragon")


def run_case(case: Case, evm: Evm, optimize: bool, version: str = "osaka") -> None:
    """Deploy and make all calls; ``AssertionError`` names the first that differs."""
    code, abi = compile_case(case, optimize, version)
    steps = list(case.steps)
    value = 0
    expected = ""
    if steps and steps[0].name == "constructor":
        first = steps.pop(0)
        inputs = next((e["inputs"] for e in abi if e["type"] == "constructor"), [])
        code += contract_abi.encode([contract_abi.type_from_json(i) for i in inputs], first.arguments)
        value, expected = first.value, first.expected
    address, outcome = evm.create(code, value)
    if expected or address is None:
        assert _described(abi, outcome, []) == expected, f"{case.path.name}: constructor"
    if address is None:
        return
    for step in steps:
        entry = _entry(abi, step)
        signature = contract_abi.signature_of(entry)
        data = signature.selector + contract_abi.encode(signature.types, step.arguments)
        actual = _described(abi, evm.call(address, data, step.value), entry["outputs"])
        wanted = "! halt" if version in WITHOUT_REVERT and step.expected.startswith("!") else step.expected
        assert actual == wanted, f"{case.path.name}: {step.text}: {actual}"
