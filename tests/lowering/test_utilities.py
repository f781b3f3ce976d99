"""Utility functions: complete, well-formed under every setting, and named by their content."""

from __future__ import annotations

import pytest
from smartvm.compiler.analysis import types
from smartvm.compiler.lowering.library import UtilityLibrary
from smartvm.compiler.lowering.settings import EVM_VERSIONS, LoweringSettings
from smartvm.compiler.lowering.type_facts import relocate
from smartvm.compiler.lowering.utilities import Utilities
from smartvm.compiler.yul import ast as yul

BYTES = types.BYTES_MEMORY
VALUE_TYPES = (
    types.UINT256,
    types.INT256,
    types.UINT8,
    types.IntegerType(24, True),
    types.BOOL,
    types.ADDRESS,
    types.BYTES4,
    types.BYTES32,
)
ARRAYS = tuple(
    types.ArrayType(base, location, length)
    for base in (types.UINT256, types.UINT8, types.ADDRESS)
    for location in ("storage", "memory", "calldata")
    for length in (None, 5)
)


def calls(node: object) -> set[str]:
    """Names of all functions called in a tree."""
    found: set[str] = set()
    pending: list[object] = [node]
    while pending:
        part = pending.pop()
        if isinstance(part, yul.FunctionCall):
            found.add(part.name)
        if isinstance(part, tuple):
            pending.extend(part)
        elif hasattr(part, "__dataclass_fields__"):
            pending.extend(getattr(part, name) for name in part.__dataclass_fields__)
    return found


def request_many(utilities: Utilities) -> list[str]:
    """Names of utilities of every family."""
    names = [
        utilities.reverts.panic(0x11),
        utilities.reverts.forward(),
        utilities.reverts.with_reason(b"x" * 40),
    ]
    for type_ in (types.UINT256, types.INT256, types.UINT8, types.IntegerType(200, True)):
        names += [utilities.arithmetic.checked(operator, type_) for operator in "+-*/%"]
        names += [utilities.arithmetic.checked_exp(type_), utilities.arithmetic.wrapping_div(type_)]
        names += [utilities.arithmetic.checked_step(operator, type_) for operator in ("++", "--")]
    for type_ in VALUE_TYPES:
        for offset in (0, None):
            names += [utilities.storage.read(type_, offset), utilities.storage.write(type_, offset)]
        names += [utilities.storage.mapping_slot(type_), utilities.calldata.read_value(type_)]
        names.append(utilities.decoding.decode_tuple([type_, BYTES]))
    for array in ARRAYS:
        memory = relocate(array, "memory")
        storage = relocate(array, "storage")
        assert isinstance(memory, types.ArrayType)
        assert isinstance(storage, types.ArrayType)
        names.append(utilities.encoding.encode_tuple([array, BYTES], [memory, BYTES]))
        names.append(utilities.encoding.packed_hash([array], [memory]))
        names.append(utilities.copies.to_storage(array, storage))
        names.append(utilities.decoding.decode_tuple([memory], from_memory=True))
        names += [utilities.storage_arrays.index_access(storage), utilities.storage_arrays.clear(storage)]
        if storage.length is None:
            names += [utilities.storage_arrays.push(storage), utilities.storage_arrays.pop(storage)]
    for location in ("storage", "memory", "calldata"):
        source = types.ArrayType(types.BYTES1, location, None, "bytes")
        names.append(utilities.copies.to_storage(source, types.BYTES_STORAGE))
        names.append(utilities.encoding.concatenate([source, types.BYTES4]))
    return names


@pytest.mark.parametrize("revert_strings", ["default", "debug"])
@pytest.mark.parametrize(
    "version", [v for v in EVM_VERSIONS if v in ("homestead", "byzantium", "london", "osaka")]
)
def test_every_called_function_comes_along(version: str, revert_strings: str) -> None:
    utilities = Utilities(LoweringSettings(version, revert_strings), memory_is_clean=False)  # type: ignore[arg-type]
    definitions = utilities.library.closure(request_many(utilities))
    defined = {definition.name for definition in definitions}
    assert len(defined) == len(definitions)
    called = set().union(*(calls(definition) for definition in definitions))
    # What is not defined is an instruction: those have no underscores.
    assert not {name for name in called - defined if "_" in name}


@pytest.mark.parametrize("version", ["homestead", "byzantium", "london"])
def test_instructions_of_later_forks_are_not_used(version: str) -> None:
    utilities = Utilities(LoweringSettings(version), memory_is_clean=False)
    called = set().union(*(calls(d) for d in utilities.library.closure(request_many(utilities))))
    assert "mcopy" not in called
    if version != "london":
        assert not called & {"shl", "shr", "sar"}
    if version == "homestead":
        assert not called & {"returndatasize", "returndatacopy", "staticcall"}


def test_a_name_is_made_once() -> None:
    library = UtilityLibrary()
    made: list[int] = []

    def text() -> str:
        made.append(1)
        return "function twice(x) -> y { y := add(x, x) }"

    assert library.define("twice", text) == library.define("twice", text) == "twice"
    assert len(made) == 1


def test_recursive_functions_end() -> None:
    library = UtilityLibrary()

    def text() -> str:
        inner = library.define("down", text)
        return f"function down(n) {{ if n {{ {inner}(sub(n, 1)) }} }}"

    library.define("down", text)
    assert [d.name for d in library.closure(["down"])] == ["down"]


def test_collectors_note_what_is_asked_for_even_if_it_exists() -> None:
    utilities = Utilities(LoweringSettings(), memory_is_clean=True)
    first: dict[str, None] = {}
    second: dict[str, None] = {}
    with utilities.library.collecting(first):
        utilities.arithmetic.checked("+", types.UINT256)
    with utilities.library.collecting(second):
        utilities.arithmetic.checked("+", types.UINT256)
    assert list(first) == list(second) == ["checked_add_t_uint256"]
