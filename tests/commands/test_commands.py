"""The command line as a user meets it: outputs, exit statuses, and one clear error for every mistake."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from smartvm.abi import checksum_address
from smartvm.commands.options import spread_lists

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
TOKEN = EXAMPLES / "erc20" / "Token.sol"
POPCOUNT = EXAMPLES / "new_opcode" / "popcount.toml"

YUL = """
object "Counter" {
    code { datacopy(0, dataoffset("Counter_deployed"), datasize("Counter_deployed"))
           return(0, datasize("Counter_deployed")) }
    object "Counter_deployed" { code {
        if iszero(calldatasize()) { revert(0, 0) }
        sstore(0, add(sload(0), calldataload(0)))
        log1(0, 0, 7)
        mstore(0, sload(0))
        return(0, 32)
    } }
}
"""

SOLIDITY = """
// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;
contract Values {
    event Kept(uint256 indexed number, string what);
    error TooBig(uint256 value);
    uint256 public kept;
    struct Point { int16 x; int16 y; }
    constructor(uint256 start) payable { kept = start; }
    function keep(uint256 value, string calldata what) external payable {
        if (value > 100) revert TooBig(value);
        kept = value;
        emit Kept(value, what);
    }
    function sum(int256[] calldata items) external pure returns (int256 total) {
        for (uint256 i = 0; i < items.length; i++) total += items[i];
    }
    function grid(uint8[2][3] calldata cells) external pure returns (uint8) { return cells[2][1]; }
    function flip(Point calldata p) external pure returns (Point memory q) { q = Point(p.y, p.x); }
    function mix(bool a, address b, bytes4 c, bytes calldata d, string calldata e)
        external pure returns (bool, address, bytes4, bytes memory, string memory) { return (a, b, c, d, e); }
    function fail() external pure { require(false, "no way"); }
    function divide(uint256 a, uint256 b) external pure returns (uint256) { return a / b; }
    function spin() external pure { while (true) {} }
}
"""

WORD5 = "0x" + "05".rjust(64, "0")


@pytest.fixture
def counter(tmp_path):
    (tmp_path / "c.yul").write_text(YUL)
    return "c.yul"


@pytest.fixture
def values(tmp_path):
    (tmp_path / "v.sol").write_text(SOLIDITY)
    return "v.sol"


# --- the whole ------------------------------------------------------------------------------------


def test_help_reads_well_on_every_command(smartvm):
    top = smartvm("--help")
    assert top.status == 0
    for command in ("compile", "run", "inspect", "table"):
        assert command in top.out
        assert len(smartvm(command, "--help").out.splitlines()) > 5
    for sub in ("show", "check", "diff"):
        assert smartvm("table", sub, "--help").status == 0
    assert smartvm("--version").out.startswith("smartvm 0")


def test_wrong_usage_exits_2(smartvm):
    for arguments in (
        ["tabel"],
        ["compile"],
        ["run"],
        ["inspect"],
        ["table", "shwo"],
        ["run", "--nope"],
        ["--nope"],
    ):
        result = smartvm(*arguments)
        assert result.status == 2
        assert result.err
    assert "Did you mean `table`?" in smartvm("tabel").err


def test_help_needs_no_heavy_import():
    code = (
        "import sys\nfrom smartvm import cli\n"
        "try: cli.main(['--help'])\nexcept SystemExit: pass\n"
        "heavy = {'numba', 'numpy', 'lark', 'rich', 'smartvm.compiler', 'smartvm.vm'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_lists_of_values_end_at_the_next_option():
    words = ["x.sol", "--args", "1", "-2", "[3, 4]", "--gas", "5", "--args", "-0x1"]
    spread = spread_lists(words, ("--args",))
    assert spread == ["x.sol", "--args=1", "--args=-2", "--args=[3, 4]", "--gas", "5", "--args=-0x1"]


# --- table ----------------------------------------------------------------------------------------


def test_table_show(smartvm):
    text = smartvm("table", "show", "--family", "dnn").out
    assert "CONV_MUL" in text
    assert "MSTORE" not in text
    document = json.loads(smartvm("table", "show", "evm", "--evm-version", "london", "--json").out)
    names = [row["name"] for row in document["instructions"]]
    assert "BASEFEE" in names
    assert not {"PUSH0", "CONV_MUL"} & set(names)
    assert smartvm("table", "show", "--evm-version", "atlantis").status == 2


def test_table_check(smartvm, tmp_path):
    right = smartvm("table", "check", POPCOUNT)
    assert right.status == 0
    assert "0xb0 popcount(x) -> count: yul, gas 5" in right.out
    (tmp_path / "bad.toml").write_text('extends = "default"\n[instructions.X]\nopcode = 0x01\ngas = 1\n')
    wrong = smartvm("table", "check", "bad.toml")
    assert wrong.status == 2
    assert "bad.toml:3:1: `X` has the opcode 0x01 of `ADD`" in wrong.err
    assert smartvm("table", "check", "missing.toml").status == 2


def test_table_diff(smartvm):
    same = smartvm("table", "diff", "default", "default")
    assert (same.status, same.out) == (0, "no difference\n")
    other = smartvm("table", "diff", "default", "paper")
    assert other.status == 1
    assert "~ ADDRESS: opcode 0x30 -> 0xd4" in other.out
    assert "- CONV_MUL (0x22)" in smartvm("table", "diff", "default", "evm").out


# --- compile --------------------------------------------------------------------------------------


def test_compile_prints_what_is_asked_for(smartvm, values):
    result = smartvm(
        "compile",
        values,
        "--bin",
        "--bin-runtime",
        "--abi",
        "--hashes",
        "--storage-layout",
        "--asm",
        "--opcodes",
        "--ir",
        "--ast-json",
    )
    assert result.status == 0
    for heading in (
        "======= v.sol:Values =======",
        "Binary:",
        "Binary of the runtime part:",
        "Contract JSON ABI",
        "Function signatures:",
        "Contract Storage Layout:",
        "EVM assembly:",
        "Opcodes:",
        "IR:",
    ):
        assert heading in result.out
    assert ": fail()" in result.out
    assert '"nodeType"' in result.out
    assert result.err == ""


def test_compile_writes_artifacts_that_run_takes(smartvm, values, tmp_path):
    assert smartvm("compile", values, "-o", "out").status == 0
    artifact = json.loads((tmp_path / "out" / "Values.json").read_text())
    assert artifact["instructionTable"]["name"] == "default"
    assert {entry["type"] for entry in artifact["abi"]} >= {"function", "event", "error", "constructor"}
    result = smartvm("run", "out/Values.json", "--constructor-args", 7, "--call", "kept")
    assert "kept" not in result.err
    assert "= 7" in result.out
    assert smartvm("inspect", "out/Values.json").status == 0


def test_compile_errors_have_frames_and_exit_1(smartvm, tmp_path):
    (tmp_path / "bad.sol").write_text("contract C { function f() public { g(); } }")
    result = smartvm("compile", "bad.sol")
    assert result.status == 1
    assert "--> bad.sol:1:36:" in result.err
    (tmp_path / "bad.yul").write_text("{ let x := }")
    result = smartvm("compile", "bad.yul")
    assert result.status == 1
    assert "--> bad.yul:1:12:" in result.err
    assert smartvm("compile", "missing.sol").status == 2
    assert smartvm("compile", "missing.yul").status == 2
    (tmp_path / "x.sol").write_bytes(b"\xff")
    assert smartvm("compile", "x.sol").status == 2
    assert smartvm("compile", "bad.sol", "--evm-version", "atlantis").status == 2
    assert smartvm("compile", "bad.sol", "--table", "nope.toml").status == 2


def test_instruction_of_ones_own_in_solidity(smartvm):
    source = EXAMPLES / "new_opcode" / "Popcount.sol"
    call = ["--call", "signatures", "--args", "0xff01"]
    native = smartvm("run", source, "--table", POPCOUNT, *call, "--json")
    expanded = smartvm("run", source, "--table", POPCOUNT, *call, "--json", "--expand-extensions")
    a, b = json.loads(native.out), json.loads(expanded.out)
    assert a["result"] == b["result"] == {"count": 9}
    assert a["gas_used"] < b["gas_used"]
    refused = smartvm("run", source, *call)
    assert refused.status == 1
    assert "popcount" in refused.err


def test_kernel_of_ones_own_in_solidity(smartvm):
    folder = EXAMPLES / "new_opcode"
    arguments = [
        folder / "Argmax.sol",
        "--table",
        folder / "argmax.toml",
        "--args",
        folder / "scores.json",
        "--json",
    ]
    found = [json.loads(smartvm("run", *arguments, "--call", f).out) for f in ("byInstruction", "byLoop")]
    assert found[0]["result"] == found[1]["result"] == {"index": 40}
    assert found[0]["gas_used"] < found[1]["gas_used"]
    halted = smartvm("run", *arguments[:-3], "--args", "[]", "--call", "byInstruction")
    assert halted.status == 1
    assert "BUF_ARGMAX at" in halted.err
    assert "expected at least 1 item in the Buffer, found 0 items" in halted.err


# --- inspect --------------------------------------------------------------------------------------


def test_inspect(smartvm, counter, tmp_path):
    text = smartvm("inspect", counter).out
    assert "block 0x0000; gas" in text
    assert "c.yul:7: sstore(0, add(sload(0), calldataload(0)))" in text
    document = json.loads(smartvm("inspect", "0x600160020100", "--json").out)
    assert [i["mnemonic"] for i in document["blocks"][0]["instructions"]] == ["PUSH1", "PUSH1", "ADD", "STOP"]
    for name in ("cfg.svg", "cfg.dot"):
        assert smartvm("inspect", counter, "--cfg", name).status == 0
        assert (tmp_path / name).stat().st_size > 500
    (tmp_path / "code.txt").write_text("0x6001\n")
    assert "PUSH1 0x01" in smartvm("inspect", "@code.txt").out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["0x123"], "cut in half"),
        (["hello"], "no hexadecimal digit"),
        (["missing.sol"], "no file `missing.sol`"),
        (["missing.json"], "no file `missing.json`"),
        (["@missing"], "no file `missing`"),
        (["0x"], "is empty"),
        (["0x00", "--cfg", "x.gif"], "cannot draw"),
        (["0x00", "--evm-version", "atlantis"], "unknown EVM version"),
        (["0x00", "--contract", "C"], "goes with a source file"),
        (["c.yul", "--contract", "D"], "has no contract `D`"),
    ],
)
def test_inspect_mistakes(smartvm, counter, arguments, message):
    result = smartvm("inspect", *arguments)
    assert result.status == 2
    assert message in result.err


def test_artifact_of_another_table_is_refused(smartvm, counter, tmp_path):
    smartvm("compile", counter, "-o", "out")
    for command in ("inspect", "run"):
        result = smartvm(command, "out/Counter.json", "--table", "paper")
        assert result.status == 2
        assert "was compiled with the table `default`" in result.err
        assert "hint: --table default" in result.err
    for content, message in (
        ("[]", "is no artifact"),
        ("{", "is no JSON"),
        ('{"abi": [], "bytecode": 5}', "holds no bytecode"),
        ('{"abi": [], "bytecode": "0x6"}', "cut in half"),
    ):
        (tmp_path / "x.json").write_text(content)
        result = smartvm("inspect", "x.json")
        assert result.status == 2
        assert message in result.err


# --- run ------------------------------------------------------------------------------------------


def test_raw_code(smartvm, tmp_path):
    result = smartvm(
        "run",
        "--code",
        "0x5f35600101" + "5f5260205ff3",
        "--input",
        WORD5,
        "--gas",
        10**12,
        "--bench",
        2,
        "--json",
    )
    report = json.loads(result.out.splitlines()[-1])
    assert result.status == 0
    assert (int(report["output"], 16), report["success"], len(report["bench_ns"])) == (6, True, 2)
    assert {"gas_used", "jit_ns"} <= set(report)
    (tmp_path / "code.hex").write_text("5f5ffd")
    reverted = smartvm("run", "--code", "@code.hex", "--json")
    assert reverted.status == 1
    assert json.loads(reverted.out)["success"] is False
    halted = smartvm("run", "--code", "0xfe")
    assert halted.status == 1
    assert "INVALID at 0" in halted.err
    assert smartvm("run", "--code", "0x6").status == 2
    assert smartvm("run", "--code", "0x00", "x.sol").status == 2


def test_state_is_kept_between_runs(smartvm, counter):
    first = smartvm("run", counter, "--input", WORD5, "--state", "s")
    assert "deployed at" in first.out
    second = json.loads(smartvm("run", counter, "--input", WORD5, "--state", "s", "--json").out)
    assert int(second["output"], 16) == 10
    fresh = json.loads(smartvm("run", counter, "--input", WORD5, "--state", "s", "--deploy", "--json").out)
    assert int(fresh["output"], 16) == 5
    assert fresh["address"] != second["address"]
    at = json.loads(
        smartvm("run", counter, "--input", WORD5, "--state", "s", "--at", second["address"], "--json").out
    )
    assert int(at["output"], 16) == 15
    assert smartvm("run", counter, "--state", "s", "--at", "0x" + "11" * 20).status == 2
    assert smartvm("run", counter, "--at", "0x" + "11" * 20).status == 2


def test_trace_and_profile(smartvm, counter, tmp_path):
    assert smartvm("run", counter, "--input", WORD5, "--trace-file", "t.jsonl").status == 0
    lines = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text().splitlines()]
    assert {"pc", "op", "gas", "gasCost", "stack", "depth"} <= set(lines[0])
    assert lines[-1]["pass"] is True
    shown = smartvm("run", counter, "--input", WORD5, "--trace", "--json")
    assert [json.loads(line) for line in shown.err.splitlines()] == lines
    assert json.loads(shown.out)["success"] is True
    both = ["--profile", "--trace-file", "again.jsonl", "--json"]
    document = json.loads(smartvm("run", counter, "--input", WORD5, *both).out)
    assert (tmp_path / "again.jsonl").read_text() == (tmp_path / "t.jsonl").read_text()
    assert sum(row["gas"] for row in document["profile"]) == document["gas_used"]
    assert document["profile"][0]["line"] == 7


def test_call_with_values_of_every_kind(smartvm, values, tmp_path):
    def call(*arguments: object) -> dict[str, object]:
        result = smartvm("run", values, "--constructor-args", 1, "--json", *arguments)
        assert result.status == 0, result.err
        return json.loads(result.out)

    assert call("--call", "sum", "--args", "[1, -2, 0x10]")["result"] == {"total": 15}
    np.save(tmp_path / "a.npy", np.array([[1, 2], [3, -10]], dtype=np.int16))
    np.savez(tmp_path / "b.npz", one=np.array([5]), two=np.array([6, 7]))
    (tmp_path / "c.json").write_text("[1, 1]")
    Image.fromarray(np.array([[0, 200], [55, 1]], dtype=np.uint8)).save(tmp_path / "d.png")
    assert call("--call", "sum(int256[])", "--args", "a.npy")["result"] == {"total": -4}
    assert call("--call", "sum", "--args", "b.npz:two")["result"] == {"total": 13}
    assert call("--call", "sum", "--args", "c.json")["result"] == {"total": 2}
    assert call("--call", "sum", "--args", "d.png")["result"] == {"total": 256}
    assert call("--call", "grid", "--args", "[[1,2],[3,4],[5,6]]")["result"] == {"0": 6}
    assert call("--call", "flip", "--args", "(1, -2)")["result"] == {"q": [-2, 1]}
    mixed = call("--call", "mix", "--args", "true", "0x" + "aa" * 20, "0x01020304", "0x", "hi there")[
        "result"
    ]
    address = checksum_address(b"\xaa" * 20)
    assert list(mixed.values()) == [True, address, "0x01020304", "0x", "hi there"]
    kept = call("--call", "keep", "--args", 5, "text", "--value", "1e3")
    assert kept["events"] == ["Kept(number: 5, what: 'text')"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--call", "keep", "--args", "101", "x"], "reverted: TooBig(value: 101)"),
        (["--call", "fail"], "reverted: no way"),
        (["--call", "divide", "--args", "1", "0"], "panic 0x12: division or modulo by zero"),
        (["--call", "spin", "--gas", "200000"], "out of gas"),
        (["--call", "sum", "--args", "[1]", "--value", "1"], "reverted"),
    ],
)
def test_failed_call_exits_1_and_says_why(smartvm, values, arguments, message):
    result = smartvm("run", values, "--constructor-args", 1, *arguments)
    assert result.status == 1
    assert message in result.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--call", "kep"], "has no function `kep`"),
        (["--call", "keep(bool)"], "has no function `keep(bool)`"),
        (["--call", "keep", "--args", "1"], "takes 2 arguments (uint256, string), 1 are given"),
        (["--call", "keep", "--args", "-1", "x"], "-1 is no uint256"),
        (["--call", "keep", "--args", "x", "x"], "`x` is no uint256"),
        (["--call", "sum", "--args", "5"], "`5` is no int256[]"),
        (["--call", "sum", "--args", "missing.npy"], "no file `missing.npy`"),
        (["--call", "sum", "--args", "v.sol.png"], "no file `v.sol.png`"),
        (["--call", "sum", "--args", "f.npy"], "holds float64 numbers"),
        (["--call", "sum", "--args", "bad.png"], "cannot read `bad.png`"),
        (["--call", "flip", "--args", "(1)"], "has 1 components"),
        (["--call", "keep(", "--args", "1"], "no function signature"),
        (["--args", "1"], "--args without --call"),
        (["--call", "kept", "--sender", "0x12"], "is no address"),
        (["--call", "kept", "--contract", "Nope"], "has no contract `Nope`"),
        (["--call", "kept", "--value", "1e60"], "wei"),
        (["--call", "kept", "--input", "0x"], "not both"),
        (["--call", "kept", "--state", "missing/folder/s"], "missing/folder/s"),
        (["--call", "kept", "--trace-file", "missing/t"], "cannot write"),
    ],
)
def test_wrong_call_exits_2(smartvm, values, tmp_path, arguments, message):
    np.save(tmp_path / "f.npy", np.array([1.5]))
    (tmp_path / "bad.png").write_text("no image")
    result = smartvm("run", values, "--constructor-args", 1, *arguments)
    assert result.status == 2
    assert message in result.err


def test_several_contracts_need_a_choice(smartvm):
    assert smartvm("run", TOKEN, "--call", "totalSupply").status == 2
    chosen = smartvm("run", TOKEN, "--constructor-args", "Name", "SYM", 1000, "--call", "totalSupply")
    assert "= 1000" in chosen.out


def test_libraries_are_linked_by_address(smartvm, tmp_path):
    (tmp_path / "lib.sol").write_text(
        "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.0;\n"
        "library L { function f(uint x) external pure returns (uint) { return x + 1; } }\n"
        "contract C { function g() external pure returns (uint) { return L.f(1); } }\n"
    )
    unlinked = smartvm("run", "lib.sol", "--contract", "C", "--call", "g")
    assert unlinked.status == 2
    assert "not linked" in unlinked.err
    assert "block 0x0000" in smartvm("inspect", "lib.sol", "--contract", "C").out
    library = json.loads(smartvm("run", "lib.sol", "--contract", "L", "--state", "s", "--json").out)[
        "address"
    ]
    linked = ["--contract", "C", "--call", "g", "--state", "s", "--libraries"]
    assert json.loads(smartvm("run", "lib.sol", "--json", *linked, f"lib.sol:L={library}").out)["result"] == {
        "0": 2
    }
    assert smartvm("run", "lib.sol", *linked, "L").status == 2
    assert smartvm("run", "lib.sol", *linked, "L=0x12").status == 2


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return 1 // 0", "ZeroDivisionError"),
        ("return 'x'", "gave 'x'"),
        ("return (1, 2)", "gave 2 results, not 1"),
        ("return None", "gave 0 results, not 1"),
        ("return -1", "gave -1"),
        ("return context.operands[5]", "IndexError"),
    ],
)
def test_kernel_that_misbehaves_is_told_without_a_traceback(smartvm, tmp_path, body, message):
    module = f"kernel_{abs(hash(body))}"
    (tmp_path / f"{module}.py").write_text(f"def kernel(context):\n    {body}\n")
    (tmp_path / "t.toml").write_text(
        'extends = "default"\n[instructions.ZZ]\nopcode = 0xb0\noperands = ["x"]\nresults = ["y"]\ngas = 1\n'
        f'kernel = "{module}:kernel"\n'
    )
    (tmp_path / "z.yul").write_text("{ mstore(0, zz(1)) return(0, 32) }")
    result = smartvm("run", "z.yul", "--table", "t.toml")
    assert result.status == 2
    assert message in result.err
