"""Weights uploaded from Python."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import smartvm
from smartvm.api.weights import Place, UploadFailed, WeightsError

LENET = Path(__file__).resolve().parents[2] / "examples" / "lenet5"


@pytest.fixture(scope="module")
def network() -> smartvm.Contract:
    return smartvm.Chain().deploy(LENET / "LeNet5.sol", "LeNet5")


def test_file_becomes_the_blocks_that_the_contract_reads(network: smartvm.Contract) -> None:
    result = network.upload_weights(LENET / "weights.npz")
    assert (result.sent, result.skipped, result.stored_bytes) == (10, 0, 89_334)
    with np.load(LENET / "held_out.npz") as held_out:
        pictures, labels = held_out["pictures"][:5], held_out["labels"][:5]
    assert [network.classify(picture.reshape(-1)) for picture in pictures] == labels.tolist()
    assert network.upload_weights(LENET / "weights.npz").skipped == 10


def test_items_of_any_size_are_stored_at_the_narrowest_width(network: smartvm.Contract) -> None:
    arrays = {
        "unsigned": np.array([255, 0], np.uint8),
        "large": np.array([2**64 - 1], np.uint64),
        "big_endian": np.array([-2, 300], ">i4"),
        "list": [1, -1],
    }
    network.upload_weights(arrays, first_id=100)
    address = network.address
    assert network.chain.weight_block(address, 100) == b"\x02" + bytes([0, 255, 0, 0])
    assert network.chain.weight_block(address, 101) == b"\x10" + bytes(8) + b"\xff" * 8
    assert network.chain.weight_block(address, 102) == b"\x02" + b"\xff\xfe\x01\x2c"
    assert network.chain.weight_block(address, 103) == b"\x01\x01\xff"


def test_places_may_be_ids_or_split_arrays(network: smartvm.Contract) -> None:
    arrays = {"a": np.arange(6).reshape(3, 2), "b": np.array([9])}
    network.upload_weights(arrays, places={"a": Place(200, parts=3), "b": 210})
    assert network.chain.weight_block(network.address, 202) == b"\x01\x04\x05"
    assert network.chain.weight_block(network.address, 210) == b"\x01\x09"


def test_progress_is_told_block_by_block(network: smartvm.Contract) -> None:
    seen: list[int] = []
    network.upload_weights(
        {"a": [1], "b": [2]}, first_id=300, progress=lambda block: seen.append(block.block_id)
    )
    assert seen == [300, 301]


def test_failures_are_one_error(network: smartvm.Contract) -> None:
    with pytest.raises(UploadFailed, match="only the owner uploads"):
        network.upload_weights({"a": [1]}, first_id=400, sender=network.chain.accounts[3])
    with pytest.raises(WeightsError, match="no function send"):
        network.upload_weights({"a": [1]}, function="send")
    with pytest.raises(WeightsError, match="a transaction may use 1,000"):
        network.upload_weights({"a": [1] * 100}, block_gas_limit=1000)
