"""The shape of lowered objects: names, sharing, memory guard, dispatch, source ranges, refusals."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import smartvm
from smartvm.compiler.diagnostics import FatalDiagnostic
from smartvm.compiler.source import NO_SOURCE
from smartvm.compiler.yul import ast as yul
from smartvm.compiler.yul.printer import print_block

Lower = Callable[..., yul.Object]


def deployed(lowered: yul.Object) -> yul.Object:
    """The object of the deployed code."""
    (found,) = (o for o in lowered.sub_objects if isinstance(o, yul.Object) and o.name.endswith("_deployed"))
    return found


def functions(lowered: yul.Object) -> dict[str, yul.FunctionDefinition]:
    """The functions of an object's code by name."""
    return {s.name: s for s in lowered.code.statements if isinstance(s, yul.FunctionDefinition)}


def test_object_names_end_with_the_contract_id(lower: Lower) -> None:
    lowered = lower("contract C { }")
    assert lowered.name.startswith("C_")
    assert deployed(lowered).name == f"{lowered.name}_deployed"


def test_function_and_variable_names_are_readable(lower: Lower) -> None:
    lowered = lower("contract C { function f(uint amount) public pure returns (uint r) { r = amount + 1; } }")
    names = functions(deployed(lowered))
    (function,) = (f for n, f in names.items() if n.startswith("fun_f_"))
    assert function.parameters[0].startswith("var_amount_")
    assert function.returns[0].startswith("var_r_")
    assert "checked_add_t_uint256" in names


def test_only_needed_utilities_are_included_and_each_once(lower: Lower) -> None:
    lowered = lower("contract C { function f(uint a) public pure returns (uint) { return a * a * a; } }")
    listed = [s.name for s in deployed(lowered).code.statements if isinstance(s, yul.FunctionDefinition)]
    assert len(listed) == len(set(listed))
    assert "checked_mul_t_uint256" in listed
    assert "checked_add_t_uint256" not in listed


def test_a_created_contract_is_lowered_once_and_shared(lower: Lower) -> None:
    lowered = lower("contract D { } contract C { D a = new D(); function f() public { new D(); } }")
    (in_creation,) = (o for o in lowered.sub_objects if isinstance(o, yul.Object) and o.name.startswith("D_"))
    (in_deployed,) = (o for o in deployed(lowered).sub_objects if isinstance(o, yul.Object))
    assert in_creation is in_deployed


def test_memory_guard_needs_every_assembly_block_to_be_memory_safe(lower: Lower) -> None:
    source = "contract C {{ function f() public pure {{ assembly {flag} {{ mstore(0x80, 1) }} }} }}"
    assert "memoryguard(128)" in print_block(deployed(lower(source.format(flag='("memory-safe")'))).code)
    unsafe = lower(source.format(flag=""))
    assert "memoryguard" not in print_block(deployed(unsafe).code)
    # The creation code has no assembly.
    assert "memoryguard(128)" in print_block(unsafe.code)


def test_immutables_reserve_memory_while_the_contract_is_created(lower: Lower) -> None:
    lowered = lower(
        "contract C { uint immutable a = 1; uint immutable b = 2; function f() public view { a; } }"
    )
    assert "memoryguard(192)" in print_block(lowered.code)
    assert "loadimmutable" in print_block(deployed(lowered).code)


def test_many_functions_are_found_by_halving(lower: Lower) -> None:
    several = " ".join(f"function f{i}() public {{}}" for i in range(20))
    text = print_block(deployed(lower(f"contract C {{ {several} }}")).code)
    assert text.count("switch lt(selector_1, ") >= 3


def test_value_is_refused_once_when_nothing_is_payable(lower: Lower) -> None:
    source = "contract C {{ function f() public {{}} function g() public {mutability} {{}} }}"
    plain = print_block(deployed(lower(source.format(mutability=""))).code)
    assert plain.count("callvalue()") == 1
    payable = print_block(deployed(lower(source.format(mutability="payable"))).code)
    assert payable.count("callvalue()") == 1
    assert payable.index("selector") < payable.index("callvalue()")


def test_function_pointers_of_the_constructor_can_be_called_when_deployed(lower: Lower) -> None:
    lowered = lower(
        "contract C { function() internal pure returns (uint) p; constructor() { p = one; }"
        " function one() internal pure returns (uint) { return 1; }"
        " function f() public view returns (uint) { return p(); } }"
    )
    names = functions(deployed(lowered))
    assert "dispatch_internal_in_0_out_1" in names
    assert any(n.startswith("fun_one_") for n in names)


def statements(block: yul.Block) -> Iterator[yul.Statement]:
    """All statements of a block, nested ones too."""
    for part in block.statements:
        yield part
        match part:
            case yul.Block():
                yield from statements(part)
            case yul.If() | yul.FunctionDefinition():
                yield from statements(part.body)
            case yul.ForLoop():
                for inner in (part.pre, part.post, part.body):
                    yield from statements(inner)
            case yul.Switch():
                for case in part.cases:
                    yield from statements(case.body)


def test_everything_written_for_user_code_has_a_source_range(lower: Lower) -> None:
    lowered = lower(
        "contract C { uint[] x; event E(uint a); struct S { uint a; bytes b; }"
        " modifier m(uint v) { require(v > 0, 'v'); _; }"
        " function f(uint a, S calldata s) public m(a) returns (uint r) {"
        " for (uint i = 0; i < a; i++) { x.push(i * 2); if (i > 5) break; } emit E(x[0]);"
        " r = s.a > 3 ? this.g(a) : a ** 2; try this.g(a) returns (uint v) { r += v; } catch { delete x; } }"
        " function g(uint a) external pure returns (uint) { return a; } }"
    )
    own = [f for n, f in functions(deployed(lowered)).items() if n.startswith(("fun_", "modifier_"))]
    assert len(own) >= 3
    for function in own:
        assert function.source != NO_SOURCE
        for part in statements(function.body):
            assert part.source != NO_SOURCE, f"{function.name}: {part}"


def test_fixed_point_values_are_refused_with_their_statement(lower: Lower) -> None:
    with pytest.raises(FatalDiagnostic) as refusal:
        lower("contract C { fixed x; function f() public { fixed y = x; } }")
    assert refusal.value.diagnostic.code == 1834
    assert refusal.value.diagnostic.source != NO_SOURCE


def test_a_refusal_reaches_standard_json() -> None:
    source = "contract C { fixed x; function f() public { fixed y = x; } }"
    result = smartvm.compile_standard(
        {
            "language": "Solidity",
            "sources": {"a.sol": {"content": source}},
            "settings": {"outputSelection": {"*": {"*": ["evm.bytecode.object"]}}},
        }
    )
    assert any(e.get("errorCode") == "1834" for e in result["errors"])
