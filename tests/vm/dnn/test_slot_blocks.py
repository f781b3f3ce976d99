"""Weights as ordinary slots (``--no-blocks``): the same results, at slots' price."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import smartvm

SOURCE = """// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;
contract Network {
    function upload(uint256 id, uint256 width, bytes calldata items) external {
        assembly {
            let data := mload(0x40)
            calldatacopy(data, items.offset, items.length)
            mtob_pack(data, div(items.length, width), width)
            btos1(id, div(items.length, width))
        }
    }
    function layer(uint256 x) public view returns (int256 a, int256 b) {
        assembly {
            buf_init(50) buf_fil(x)
            conv_mul(2, 2, 3, 5, 5, 3, 1, 0)
            buf_bias(3)
            a, b := btos0(8, 2)
        }
    }
    function twice(uint256 x) external view returns (int256 a, int256 b) { layer(x); return layer(x); }
    function overwriteAndFail() external { assembly { buf_init(3) btos1(3, 3) } revert("no"); }
    function survive(uint256 x) external returns (int256 a, int256 b) {
        try this.overwriteAndFail() {} catch {}
        return layer(x);
    }
    function remove() external { assembly { btos1(3, 0) } }
}
"""

WEIGHTS = np.arange(-27, 27).reshape(3, 2, 3, 3) * 1000


@pytest.fixture(scope="module")
def compiled() -> dict[str, Any]:
    return next(iter(smartvm.Chain().compile(SOURCE).values()))


def network(compiled: dict[str, Any], **options: Any) -> smartvm.Contract:
    contract = smartvm.Chain(**options).deploy_compiled(compiled)
    contract.upload_weights({"w": WEIGHTS, "b": [-(1 << 40), -1, 5]})
    return contract


def test_results_are_those_of_blocks(compiled: dict[str, Any]) -> None:
    blocks, slots = network(compiled), network(compiled, weights_as_slots=True)
    for x in (0, 1, 70_000, 2**200):
        assert slots.layer(x) == blocks.layer(x)
        assert slots.survive(x) == blocks.survive(x)
    assert slots.chain.weight_block(slots.address, 2) == blocks.chain.weight_block(blocks.address, 2)
    assert slots.chain.state.block(_address(slots), 2) is None


def _address(contract: smartvm.Contract) -> bytes:
    return bytes.fromhex(contract.address[2:])


def test_every_item_is_a_slot_at_its_price(compiled: dict[str, Any]) -> None:
    blocks, slots = network(compiled), network(compiled, weights_as_slots=True)
    once, again = (contract.function("layer").look(1).gas_used for contract in (blocks, slots))
    items = 54 + 3 + 2  # and a length for each
    assert again - once == items * 2100
    twice, twice_again = (contract.function("twice").look(1).gas_used for contract in (blocks, slots))
    assert twice_again - twice == items * (2100 + 100)


def test_deleting_a_block_clears_its_slots(compiled: dict[str, Any]) -> None:
    slots = network(compiled, weights_as_slots=True)
    address = _address(slots)
    before = sum(map(bool, slots.chain.state.changes()[address].slots.values()))  # type: ignore[union-attr]
    slots.remove()
    after = sum(map(bool, slots.chain.state.changes()[address].slots.values()))  # type: ignore[union-attr]
    assert before - after == 4
    with pytest.raises(smartvm.Reverted, match="expected weight block 0x3, found no such block"):
        slots.layer(1)
