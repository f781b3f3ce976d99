"""Diagnostics about DNN instructions: one test for each of smartvm's own codes, and where shapes are known."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from smartvm.compiler.diagnostic_codes import (
    CHANNELS_DIFFER,
    LENGTHS_DIFFER,
    NOT_IN_FORK,
    OPERAND_COUNT,
    OPERAND_RANGE,
    OWN_CODES,
    RESULT_COUNT,
    SAVED_BUFFERS,
    SHAPE_MISFIT,
    TOO_FEW_ITEMS,
    WINDOW_TOO_LARGE,
)

ROOT = Path(__file__).parents[2]


def in_assembly(code: str) -> str:
    return f"contract C {{ function f() external {{ assembly {{ {code} }} }} }}"


#: Code, inline assembly, what is pointed at, what the message says.
CASES = [
    (NOT_IN_FORK, "clz(1)", "clz", "only available for Osaka-compatible VMs"),
    (RESULT_COUNT, "mtob(0, 20) let a := btos0(0, 17)", "17", "from 1 to 16"),
    (OPERAND_COUNT, "conv_mul(2, 1, 6, 28, 28, 5, 1)", "conv_mul",
     "`conv_mul` takes weights, in_channels, out_channels, height, width, kernel, stride, padding; 7 of 8 given."),
    (OPERAND_COUNT, "buf_add(1)", "buf_add", "`buf_add` takes no operands; 1 of 0 given."),
    (OPERAND_RANGE, "conv_mul(2, 1, 6, 28, 28, 5, 0, 0)", "conv_mul(2, 1, 6, 28, 28, 5, 0, 0)", "wants stride from 1"),
    (OPERAND_RANGE, "pool_max(0, 4, 4, 2, 2)", "pool_max(0, 4, 4, 2, 2)", "channels from 1"),
    (OPERAND_RANGE, "act_sm0(0)", "act_sm0(0)", "a scale of at least 1, not 0"),
    (OPERAND_RANGE, "act_tanh(not(0))", "", ""),
    (OPERAND_RANGE, f"act_rl({2**256 - 5})", f"act_rl({2**256 - 5})", "a cap of at least 0, not -5"),
    (OPERAND_RANGE, "mtob_pack(0, 4, 33)", "mtob_pack(0, 4, 33)", "1 to 32 bytes, not 33"),
    (OPERAND_RANGE, "pool_ol(1, 4, 2, 1, 2)", "pool_ol(1, 4, 2, 1, 2)", "padding below its kernel of 2"),
    (WINDOW_TOO_LARGE, "pool_avg(1, 2, 9, 3, 1)", "pool_avg(1, 2, 9, 3, 1)",
     "kernel of 3, larger than the height of 2"),
    (WINDOW_TOO_LARGE, "conv_tpd(1, 1, 1, 2, 2, 1, 1, 1)", "conv_tpd(1, 1, 1, 2, 2, 1, 1, 1)", "leaves 0"),
    (CHANNELS_DIFFER, "conv_sing(1, 2, 3, 4, 4, 1, 1, 0)", "conv_sing(1, 2, 3, 4, 4, 1, 1, 0)", "out_channels is 3"),
    (SHAPE_MISFIT, "mtob(0, 784) conv_mul(2, 1, 6, 28, 28, 5, 1, 0) act_rl(0) conv_mul(4, 16, 6, 24, 24, 5, 1, 0)",
     "conv_mul(4, 16, 6, 24, 24, 5, 1, 0)", "`conv_mul` gets 6x24x24, its kernel wants 16 channels."),
    (SHAPE_MISFIT, "mtob(0, 100) full_con(1, 4, 5, 6, 10)", "full_con(1, 4, 5, 6, 10)",
     "gets 100 items, it wants 4x5x6 = 120 items (channels x height x width)"),
    (TOO_FEW_ITEMS, "mtob(0, 10) btom(0, 11)", "btom(0, 11)", "takes 11 items and gets 10 items"),
    (TOO_FEW_ITEMS, "let a := btos0(0, 1)", "btos0(0, 1)", "takes 1 item and gets an empty Buffer"),
    (SAVED_BUFFERS, "buf_swap()", "buf_swap()", "none is saved"),
    (SAVED_BUFFERS, "buf_copy(0, 0) " * 65, "buf_copy(0, 0)", "one more than 64"),
    (LENGTHS_DIFFER, "buf_init(4) buf_copy(0, 3) buf_add()", "buf_add()",
     "gets 4 items, the last saved Buffer has 3 items"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "assembly", "place", "message"), [case for case in CASES if case[2]])
def test_instruction_that_is_certain_to_halt_is_an_error(analyse, code, assembly, place, message) -> None:
    found = analyse(in_assembly(assembly), evm_version="prague" if code == NOT_IN_FORK else "osaka")
    errors = [d for d in found.diagnostics if d.severity == "error"]
    assert [(d.code, found.text(d)) for d in errors] == [(code, place)]
    assert message in errors[0].message
    assert errors[0].type == "TypeError"


def test_every_own_code_has_a_case_and_a_line_in_the_documentation() -> None:
    documented = {int(code) for code in re.findall(r"^\| (9\d{4}) ", (ROOT / "docs/diagnostics.md").read_text(), re.M)}
    assert documented == set(OWN_CODES)
    assert {case[0] for case in CASES} == set(OWN_CODES)


def test_own_codes_are_written_in_one_place() -> None:
    numbers = re.compile(r"\b9\d{4}\b")
    for path in (ROOT / "compiler").rglob("*.py"):
        if path.name not in ("diagnostic_codes.py", "diagnostics.py"):
            codes = {int(number) for number in numbers.findall(path.read_text())}
            assert not codes & set(OWN_CODES), path


LIBRARY = """import {NN} from "smartvm/nn.sol";
contract C {
    uint256 constant SIDE = 24;
    function layer(uint256 channels) internal { NN.conv2d(2, channels, 6, SIDE, SIDE, 5, 1, 0); }
    function f(bytes calldata picture) external {
        NN.load(picture, 2);
        NN.conv2d(2, 1, 6, 28, 28, 5, 1, 0);
        uint256 side = SIDE / 2;
        NN.relu();
        NN.maxPool(6, SIDE, SIDE, 2, 2);
        %s
    }
}"""


@pytest.mark.parametrize(
    ("statement", "place", "message"),
    [
        ("NN.dense(4, 864, 10); NN.output(10);", None, ""),
        ("NN.conv2d(3, 6, 16, side, side, 5, 1, 0); NN.dense(4, 16 * 8 * 8, 10);", None, ""),
        ("NN.dense(4, 865, 10);", "NN.dense(4, 865, 10)", "it wants 865x1x1"),
        ("NN.conv2d(3, 6, 16, side, side + 1, 5, 1, 0);", "NN.conv2d(3, 6, 16, side, side + 1, 5, 1, 0)", "6x12x13"),
        ("layer(6);", "layer(6)", "gets 6x12x12 = 864 items, it wants 6x24x24 = 3456 items"),
        ("NN.conv2d({weights: 1, padding: 0, stride: 1, kernel: 13, width: 12, height: 12, outChannels: 1, "
         "inChannels: 6});", None, "larger than the height of 12"),
        ("side = block.number; NN.maxPool(6, side, side, 2, 2);", None, ""),
        ("NN.maxPool(5, side, block.number, 2, 2);", "NN.maxPool(5, side, block.number, 2, 2)", "are no 5x12x?"),
    ],
)  # fmt: skip
def test_calls_of_the_library_are_followed(analyse, statement, place, message) -> None:
    found = analyse(LIBRARY % statement)
    errors = [d for d in found.diagnostics if d.severity == "error"]
    assert len(errors) == bool(message)
    for error in errors:
        assert place is None or found.text(error) == place
        assert message in error.message
        assert error.source.file == found.unit.sources["A.sol"].index


def test_note_leads_to_the_instruction(analyse) -> None:
    found = analyse(LIBRARY % "layer(6);")
    (error,) = [d for d in found.diagnostics if d.severity == "error"]
    texts = [found.unit.sources_by_index[place.file].slice(place) for _, place in error.secondary]
    assert texts[0] == "NN.conv2d(2, channels, 6, SIDE, SIDE, 5, 1, 0)"
    assert texts[1].startswith("conv_mul(weights, inChannels")


def test_mistake_of_a_function_is_reported_once_and_there(analyse) -> None:
    found = analyse(
        "contract C { function wrong() internal { assembly { buf_init(3) buf_free(4) } } "
        "function f() external { wrong(); } function g() external { wrong(); wrong(); } }"
    )
    assert found.found("error") == [(TOO_FEW_ITEMS, "buf_free(4)")]


#: Code that may run without a halt for some input or caller.
POSSIBLE = [
    "contract C { function f() public { assembly { btom(0, 5) } } "
    "function g() external { assembly { mtob(0, 5) } f(); } }",
    "contract C { function f() internal { assembly { btom(0, 5) } } }",
    "contract C { function f(uint256 n) external { if (n > 1) { assembly { mtob(0, 5) } } assembly { btom(0, 5) } } }",
    "contract C { function f(uint256 n) external { for (uint256 i; i < n; i++) { assembly { mtob(0, 5) } } "
    "assembly { btom(0, 50) } } }",
    "contract C { function f(uint n) external { uint k = 9; if (n > 1) k = 5; assembly { mtob(0, 5) btom(0, k) } } }",
    "contract C { function f(uint n) external { uint k = 9; while (n > 0) { assembly { mtob(0, k) } k++; n--; } } }",
    "contract C { function f(uint n) external { uint k = 9; assembly { if n { k := 5 } mtob(0, 5) btom(0, k) } } }",
    "contract C { function f(function() g) internal { assembly { buf_init(0) } g(); assembly { btom(0, 5) } } }",
    "abstract contract C { function g() internal virtual {} function f() external { g(); assembly { btom(0, 5) } } }",
    "contract C { modifier m { assembly { mtob(0, 5) } _; } function f() external m { assembly { btom(0, 5) } } }",
    "contract C { function f(uint256 n) external { assembly { switch n case 0 { mtob(0, 5) } default { mtob(0, 6) } "
    "btom(0, 6) } } }",
    "contract C { function f(uint256 n) external { assembly { function g() { mtob(0, 5) } g() btom(0, 5) } } }",
    "contract C { function f() external { assembly { function g() -> x { x := 5 } mtob(0, 5) btom(0, g()) } } }",
    "contract C { function g(bool b) internal { assembly { if b { mtob(0, 5) } } } "
    "function f(bool b) external { b || h(); g(b); assembly { btom(0, 5) } } function h() internal returns (bool) "
    "{ assembly { mtob(0, 5) } } }",
    "contract C { function g(uint256 n) internal { if (n == 0) return; assembly { mtob(0, 1) } g(n - 1); } "
    "function f() external { g(5); assembly { btom(0, 5) } } }",
    "contract C { constructor() { assembly { btom(0, 5) } } } ",
]


@pytest.mark.parametrize("text", POSSIBLE)
def test_what_may_run_is_no_error(analyse, text: str) -> None:
    assert analyse(text).found("error") == []


#: Code that halts on every way, seen through control flow.
CERTAIN = [
    ("contract C { function f(uint256 n) external { if (n > 1) { assembly { mtob(0, 5) } } "
     "else { assembly { buf_init(5) } } assembly { btom(0, 6) } } }", "btom(0, 6)"),
    ("contract C { function f(uint256 n) external { if (n > 1) revert(); "
     "assembly { mtob(0, n) pool_max(1, 2, 2, 3, 1) } } }",
     "pool_max(1, 2, 2, 3, 1)"),
    ("contract C { function f(uint256 n) external { for (uint256 i; i < n; i++) n += i; assembly { btom(0, 1) } } }",
     "btom(0, 1)"),
    ("contract C { function f() external { assembly { function g(n) { mtob(0, n) } g(5) btom(0, 6) } } }",
     "btom(0, 6)"),
    ("contract C { function f() external { assembly { function g(n) { buf_free(n) } mtob(0, 5) g(6) } } }", "g(6)"),
    ("contract C { function f(address a) external { C(a).f(a); (bool ok,) = a.call(''); assembly { btom(0, 1) } } }",
     "btom(0, 1)"),
    ("library L { function put(uint256 n) internal { assembly { mtob(0, n) } } } contract C { using L for uint256; "
     "function f() external { uint256 n = 3; n.put(); assembly { btom(0, 4) } } }", "btom(0, 4)"),
    ("contract C { function f() external { assembly { mtob(0, 5) let n := mul(buf_size(), 2) btom(0, n) } } }",
     "btom(0, n)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "place"), CERTAIN)
def test_what_never_runs_is_an_error(analyse, text: str, place: str) -> None:
    assert [found for _, found in analyse(text).found("error")] == [place]


def test_public_function_that_halts_only_for_callers_from_outside_is_a_warning(analyse) -> None:
    text = "contract C { function f() public pure { assembly { btom(0, 5) } } %s }"
    assert analyse(text % "").found("warning") == [(TOO_FEW_ITEMS, "btom(0, 5)")]
    assert analyse(text % "").found("error") == []
    assert analyse(text % "function g() external pure { assembly { mtob(0, 5) } f(); }").found() == []
    assert analyse(text.replace("public", "public virtual") % "").found("error") == []
    certain = text.replace("btom(0, 5)", "pool_max(1, 2, 2, 3, 1)") % "function g() external pure { f(); }"
    assert analyse(certain).found("error") == [(WINDOW_TOO_LARGE, "pool_max(1, 2, 2, 3, 1)")]


def test_yul_objects_are_checked_too() -> None:
    from smartvm.compiler.standard_json import compile_standard

    text = 'object "A" { code { buf_init(4) } object "B" { code { mtob(0, 4) function g() { buf_free(5) } g() } } }'
    request = {"language": "Yul", "sources": {"a.yul": {"content": text}}, "settings": {}}
    (error,) = compile_standard(request)["errors"]
    assert error["errorCode"] == str(TOO_FEW_ITEMS)
    assert error["sourceLocation"]["start"] == text.rindex("g()")
