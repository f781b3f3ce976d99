"""Names, scopes, imports, inheritance and the facts about contracts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from smartvm.compiler.analysis import types as t
from smartvm.compiler.analysis.storage_layout import state_variables_in
from smartvm.compiler.ast import nodes


def test_imports_bring_names_in_all_forms(analyse: Callable[..., Any]) -> None:
    analysis = analyse(
        {
            "A.sol": 'import "B.sol"; import {two as zwei} from "B.sol"; import * as M from "B.sol";'
            'import "B.sol" as N;'
            "uint constant sum = one + zwei + M.one + N.two;",
            "B.sol": "uint constant one = 1; uint constant two = 2;",
        }
    )
    exported = analysis.facts.exported_symbols_of(analysis.facts.units["A.sol"])
    assert set(exported) == {"one", "two", "zwei", "M", "N", "sum"}
    assert [unit.absolute_path for unit in analysis.facts.source_order] == ["B.sol", "A.sol"]


def test_local_variables_are_known_from_their_declaration_on(analyse: Callable[..., Any]) -> None:
    analysis = analyse(
        "contract C { function f() public pure { { uint a; a; } uint b = c; uint c = 1; b; c; a; } }"
    )
    assert (7576, "c") in analysis.found("error")
    assert (7576, "a") in analysis.found("error")


def test_bases_are_ordered_from_most_derived_to_most_basic(analyse: Callable[..., Any]) -> None:
    analysis = analyse("contract A {} contract B is A {} contract C is A {} contract D is B, C {}")
    names = [base.name for base in analysis.facts.facts(analysis.contract("D")).linearized_base_contracts]
    assert names == ["D", "C", "B", "A"]


def test_an_impossible_order_of_bases_is_refused(analyse: Callable[..., Any]) -> None:
    assert [
        code for code, _ in analyse("contract A {} contract B is A {} contract C is B, A {}").found()
    ] == [5005]


def test_overriding_is_recorded(analyse: Callable[..., Any]) -> None:
    analysis = analyse(
        """interface I { function f() external; }
        contract A { function f() external virtual {} }
        contract B is I, A { function f() external override(I, A) {} }"""
    )
    own = next(n for n in analysis.contract("B").nodes if isinstance(n, nodes.FunctionDefinition))
    homes = [analysis.facts.contract_of[base.id].name for base in analysis.facts.base_functions[own.id]]
    assert homes == ["I", "A"]


def test_getters_leave_out_arrays_and_mappings(analyse: Callable[..., Any]) -> None:
    analysis = analyse(
        """contract C {
            struct S { uint a; uint[] b; mapping(uint => uint) c; string d; }
            mapping(address owner => S[] list) public entries;
        }"""
    )
    variable = analysis.named(nodes.VariableDeclaration, "entries")
    getter = t.getter_type(variable, analysis.facts)
    assert getter.external_signature() == "entries(address,uint256)"
    assert getter.return_names == ("a", "d")
    assert [r.text() for r in getter.return_types] == ["uint256", "string memory"]


def test_library_signatures_name_structs_and_storage(analyse: Callable[..., Any]) -> None:
    analysis = analyse(
        """library L { struct S { uint a; } enum E { A }
            function f(S storage s, E e, S memory m, mapping(uint => S) storage t) external {} }"""
    )
    function = analysis.named(nodes.FunctionDefinition, "f")
    type_ = t.type_via_contract_name(function, analysis.facts)
    assert type_.external_signature() == "f(L.S storage,L.E,L.S,mapping(uint256 => L.S) storage)"


def test_contracts_know_what_they_use_and_create(analyse: Callable[..., Any]) -> None:
    analysis = analyse(
        """event Free(); error Wrong();
        library L { event Inside(); function act() internal { emit Inside(); } }
        contract Made {} contract Unused { event Own(); }
        abstract contract A { function open() external payable virtual; event Declared(); }
        contract C is A {
            function open() external payable override {
                L.act(); emit Free(); if (msg.value > 0) revert Wrong(); new Made();
            }
        }"""
    )
    facts = analysis.facts.facts(analysis.contract("C"))
    assert {event.name for event in facts.used_events} == {"Free", "Inside", "Declared"}
    assert [error.name for error in facts.used_errors] == ["Wrong"]
    assert [contract.name for contract in facts.creation_dependencies] == ["Made"]
    assert facts.is_deployable
    abstract = analysis.facts.facts(analysis.contract("A"))
    assert not abstract.is_deployable
    assert [declaration.name for declaration in abstract.unimplemented] == ["open"]


def test_arguments_of_base_constructors_are_found_in_both_places(analyse: Callable[..., Any]) -> None:
    analysis = analyse(
        """contract A { constructor(uint) {} } contract B { constructor(bool) {} }
        contract C is A(1), B { constructor() B(true) {} }"""
    )
    given = analysis.facts.facts(analysis.contract("C")).base_constructor_arguments
    a, b = analysis.contract("A"), analysis.contract("B")
    assert isinstance(given[a.id][0], nodes.InheritanceSpecifier)
    assert isinstance(given[b.id][0], nodes.ModifierInvocation)


def test_storage_starts_where_the_layout_says(analyse: Callable[..., Any]) -> None:
    analysis = analyse(
        """contract A { uint8 a; }
        contract C is A layout at 0x10 * 2 { uint8 b; uint constant c = 1; uint8 transient d; uint e; }
        contract D layout at erc7201("example.main") {}"""
    )
    contract = analysis.contract("C")
    placed, slots = state_variables_in(contract, analysis.facts)
    assert [(v.name, slot, byte) for v, slot, byte in placed] == [("a", 0, 0), ("b", 0, 1), ("e", 1, 0)]
    assert slots == 2
    assert analysis.facts.facts(contract).storage_base == 32
    assert analysis.facts.facts(analysis.contract("D")).storage_base % 256 == 0


def test_inline_assembly_refers_to_variables_around_it(analyse: Callable[..., Any]) -> None:
    analysis = analyse(
        """contract C { uint x; uint constant K = 7;
            function f(bytes calldata d, uint a) external view returns (uint r) {
                assembly ("memory-safe") { r := add(add(sload(x.slot), K), add(a, d.length)) }
            } }"""
    )
    block = next(n for n in analysis.facts.node_by_id.values() if isinstance(n, nodes.InlineAssembly))
    references = analysis.facts.external_references[block.id]
    text = analysis.facts.sources[0].utf8
    found = {
        text[start : start + length].decode(): (reference.declaration.name, reference.suffix)
        for (start, length), reference in references.items()
    }
    assert found == {
        "r": ("r", ""),
        "x.slot": ("x", "slot"),
        "K": ("K", ""),
        "a": ("a", ""),
        "d.length": ("d", "length"),
    }
    assert block.id in analysis.facts.memory_safe_assembly


@pytest.mark.parametrize("count", [1, 3])
def test_array_lengths_may_be_computed_from_constants(analyse: Callable[..., Any], count: int) -> None:
    analysis = analyse(f"uint constant N = {count}; contract C {{ uint8[N * 2 ** N] a; }}")
    variable = analysis.named(nodes.VariableDeclaration, "a")
    assert analysis.facts.variable_types[variable.id].text(True) == f"uint8[{count * 2**count}]"
