"""What is refused or warned of, with solc's codes and ranges."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


def _in_function(statements: str, header: str = "public") -> str:
    return f"contract C {{ function f() {header} {{ {statements} }} }}"


ERRORS = [
    # names
    (_in_function("y;"), 7576, "y"),
    ("contract C { uint a; uint a; }", 2333, "uint a"),
    ("contract C is D {}", 7920, "D"),
    ("contract C { uint this; }", 3726, "uint this"),
    ("contract C is D {} contract D {}", 2449, "D"),
    ('import {nothing} from "A.sol";', 2904, 'import {nothing} from "A.sol";'),
    # declarations
    ("contract C { function f(uint[] a) external {} }", 6651, "uint[] a"),
    ("uint x;", 8342, "uint x"),
    ("struct S { S s; }", 2046, "struct S { S s; }"),
    ("contract C { uint[0] a; }", 1406, "0"),
    ("uint constant A = B; uint constant B = A;", 6161, "uint constant A = B"),
    ("contract C { mapping(uint[] => uint) m; }", None, ""),
    ("contract C { uint immutable x; function f() public { x = 1; } }", 1581, "x"),
    ("contract C { function f() public {} function f() public {} }", 1686, "function f() public {}"),
    ("interface I { function f() external; } contract C is I {}", 3656, "contract C is I {}"),
    ("contract A { constructor(uint) {} } contract C is A {}", 3415, "contract C is A {}"),
    ("contract A { function f() public {} } contract B is A { function f() public override {} }", 4334, None),
    ("contract A { function f() public virtual {} } contract B is A { function f() public {} }", 9456, None),
    (
        "contract A { function f() public virtual {} } contract B { function f() public virtual {} } "
        "contract C is A, B {}",
        6480,
        "contract C is A, B {}",
    ),
    ("library L { uint x; }", 9957, "uint x"),
    ("contract C { receive() external {} }", 7793, "receive() external {}"),
    ("contract C layout at 1.5 {}", 1763, "1.5"),
    ("contract C { function f() public { new C(); } }", 7813, "new C"),
    # types
    (_in_function('uint x = "a"; x;'), 9574, 'uint x = "a"'),
    (_in_function("uint8 x = 256; x;"), 9574, "uint8 x = 256"),
    (_in_function("true + 1;"), 2271, "true + 1"),
    (_in_function("f(1);"), 6160, "f(1)"),
    (_in_function("msg.nothing;"), 9582, "msg.nothing"),
    (_in_function("address(1).transfer(1);"), 9862, "address(1).transfer"),
    (_in_function("uint8(256);"), 9640, "uint8(256)"),
    (_in_function("1 = 2;"), 4247, "1"),
    (_in_function("abi.encodePacked(1);"), 7279, "1"),
    (_in_function("return 1;"), 8863, "return 1"),
    (_in_function("uint[] memory a; a.push(1);"), 4994, "a.push"),
    (_in_function("try f() {} catch {}"), 2536, "f()"),
    ("error E(); contract C { function f() public { E(); } }", 7757, "E()"),
    ("event E(); contract C { function f() public { E(); } }", 3132, "E()"),
    ("contract C { function f(uint x) public { f({y: 1}); } }", 4974, "f({y: 1})"),
    # control flow and mutability
    ("contract C { struct S { uint a; } function f() internal { S storage s; s.a; } }", 3464, "s"),
    ("contract C { uint x; function f() public pure returns (uint) { return x; } }", 2527, "x"),
    ("contract C { uint x; function f() public view { x = 1; } }", 8961, "x"),
    (_in_function("msg.value;"), 5887, "msg.value"),
    # syntax
    (_in_function("break;"), 6102, "break"),
    ("contract C { modifier m() { } }", 2883, "{ }"),
    ("contract C { function f() {} }", 4937, "function f() {}"),
    ("pragma nothing;", 4936, "pragma nothing;"),
    # inline assembly
    ("contract C { uint x; function f() public { assembly { x := 1 } } }", 1408, "x"),
    (_in_function("uint a; assembly { let a := 1 }"), 3859, "a"),
    (_in_function("assembly { nothing() }"), 4619, "nothing"),
    # documentation
    ("contract C { /// @param a text\n function f() public {} }", 3881, None),
    ("contract C { /// @inheritdoc D\n function f() public {} }", 9397, None),
]


@pytest.mark.parametrize(("source", "code", "text"), ERRORS, ids=lambda value: str(value)[:40])
def test_mistakes_are_reported_with_solcs_code_and_range(
    analyse: Callable[..., Any], source: str, code: int | None, text: str | None
) -> None:
    errors = analyse(source).found("error")
    if code is None:
        assert errors
        return
    assert code in [found for found, _ in errors], errors
    if text is not None:
        assert (code, text) in errors


WARNINGS = [
    (_in_function("uint a;", "public pure"), 2072, "uint a"),
    ("contract C { function f(uint a) public pure { return; } }", 5667, "uint a"),
    (_in_function("return; f();"), 5740, "f()"),
    (_in_function("1;", "public pure"), 6133, "1"),
    ("contract C { uint x; function f() public returns (uint) { return x; } }", 2018, None),
    (
        "contract C { uint x; function f() public view returns (uint) { uint x = 1; return x; } }",
        2519,
        "uint x",
    ),
    ("contract C { function f(bool b) public pure returns (uint) { if (b) return 1; } }", 6321, "uint"),
    (_in_function('payable(0).call("");'), 9302, 'payable(0).call("")'),
    (_in_function("selfdestruct(payable(0));"), 5159, "selfdestruct"),
    ("contract C { fallback() external payable {} function f() public {} }", 3628, None),
    ("contract C { constructor() public {} }", 2462, "constructor() public {}"),
    ("contract C { uint transient; }", 6335, "uint transient"),
    ("contract C { modifier m() virtual { _; } }", 8429, "modifier m() virtual { _; }"),
    ("pragma abicoder v1; contract C {}", 9511, "pragma abicoder v1;"),
]


@pytest.mark.parametrize(("source", "code", "text"), WARNINGS, ids=lambda value: str(value)[:40])
def test_doubtful_code_is_warned_of(
    analyse: Callable[..., Any], source: str, code: int, text: str | None
) -> None:
    analysis = analyse(source)
    warnings = analysis.found("warning")
    assert code in [found for found, _ in warnings], warnings
    if text is not None:
        assert (code, text) in warnings


def test_several_errors_are_reported_in_one_run(analyse: Callable[..., Any]) -> None:
    source = _in_function('uint a = "x"; bool b = 1; address c = true; a; b; c;')
    assert [code for code, _ in analyse(source).found("error")] == [9574, 9574, 9574]


def test_what_the_evm_version_lacks_is_refused(analyse: Callable[..., Any]) -> None:
    source = (
        "contract C { uint transient x; function f() public view returns (uint) { return block.basefee; } }"
    )
    assert analyse(source).model is not None
    assert 7985 in [code for code, _ in analyse(source, evm_version="berlin").found("error")]


def test_a_function_that_always_reverts_ends_the_flow(analyse: Callable[..., Any]) -> None:
    analysis = analyse(
        """contract C {
            function fail() internal pure { revert(); }
            function f(bool b) public pure returns (uint) { if (b) return 1; fail(); }
        }"""
    )
    assert analysis.found() == []


def test_modifiers_overridden_in_a_derived_contract_change_the_flow(analyse: Callable[..., Any]) -> None:
    analysis = analyse(
        """contract A { modifier m() virtual { revert(); _; } function f() public m returns (uint) { g(); }
            function g() internal {} }
        contract B is A { modifier m() override { _; } }"""
    )
    assert 6321 in [code for code, _ in analysis.found("warning")]
