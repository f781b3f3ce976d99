"""A contract's code depends on the sources that it imports and on no other."""

from __future__ import annotations

from typing import Any

import pytest
from smartvm.compiler.standard_json import compile_standard

SHOP = """
pragma solidity ^0.8.0;
contract Shop {
    enum Kind { Fruit, Bread }
    struct Item { uint8 amount; bool sold; Kind kind; }
    function copy(Item memory item, uint8[] memory more) external pure returns (Item memory, uint8[] memory, Kind) {
        return (item, more, item.kind);
    }
}
"""
ASSEMBLY = """
pragma solidity ^0.8.0;
contract Other {
    enum State { On, Off }
    function f() external pure returns (State state) { assembly { state := 1 mstore(0x80, 2) } }
}
"""


def code_of(sources: dict[str, str], optimize: bool) -> str:
    output: Any = compile_standard(
        {
            "language": "Solidity",
            "sources": {name: {"content": text} for name, text in sources.items()},
            "settings": {
                "optimizer": {"enabled": optimize},
                "metadata": {"appendCBOR": False},
                "outputSelection": {"*": {"*": ["evm.bytecode.object"]}},
            },
        }
    )
    code: str = output["contracts"]["Shop.sol"]["Shop"]["evm"]["bytecode"]["object"]
    return code


@pytest.mark.parametrize("optimize", [False, True])
def test_assembly_elsewhere_changes_nothing(optimize: bool) -> None:
    alone = code_of({"Shop.sol": SHOP}, optimize)
    assert alone == code_of({"Shop.sol": SHOP, "Other.sol": ASSEMBLY}, optimize)
    importing = 'import "Other.sol";' + SHOP
    assert alone != code_of({"Shop.sol": importing, "Other.sol": ASSEMBLY}, optimize)
