"""``smartvm upload``: weights of a .npz file become a contract's weight blocks."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import numpy as np
import pytest

CONTRACT = """// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;
contract Network {
    address immutable owner;
    constructor() { owner = msg.sender; }
    function upload(uint256 id, uint256 width, bytes calldata items) external {
        require(msg.sender == owner, "only the owner");
        assembly {
            let data := mload(0x40)
            for { let at := 0 } lt(at, items.length) { } {
                let size := sub(items.length, at)
                if gt(size, 24576) { size := 24576 }
                calldatacopy(data, add(items.offset, at), size)
                mtob_pack(data, div(size, width), width)
                at := add(at, size)
            }
            btos1(id, div(items.length, width))
        }
    }
    function forgets(uint256 id, uint256 width, bytes calldata items) external { }
    function narrow(uint256 id, bytes calldata items) external { }
    function item(uint256 id, uint256 count, uint256 at) external view returns (int256 value) {
        assembly { buf_init(count) buf_bias(id) value := btos0(at, 1) }
    }
}
"""


@pytest.fixture
def weights(tmp_path):
    """A file of three arrays, the second of which is stored in 4 bytes an item."""
    arrays = {
        "first": np.arange(-30000, 30000, dtype=np.int32).reshape(4, 15000),
        "bias": np.array([1 << 20, -5], np.int64),
        "last": np.array([[7, -7]], np.int8),
    }
    np.savez(tmp_path / "w.npz", **arrays)
    return arrays


@pytest.fixture
def network(smartvm, tmp_path):
    """The contract's artifact."""
    (tmp_path / "n.sol").write_text(CONTRACT)
    assert smartvm("compile", "n.sol", "-o", "out").status == 0
    return next((tmp_path / "out").rglob("Network.json"))


def item(smartvm, network, block, count, at):
    result = smartvm("run", network, "--state", "s", "--call", "item", "--args", block, count, at, "--json")
    return json.loads(result.out)["result"]["value"]


def test_blocks_are_numbered_from_two_on_in_the_order_of_the_file(smartvm, network, weights):
    report = json.loads(smartvm("upload", network, "w.npz", "--state", "s", "--json").out)
    assert (report["blocks_sent"], report["blocks_skipped"]) == (3, 0)
    assert report["stored_bytes"] == (1 + 120000) + (1 + 8) + (1 + 2)
    assert item(smartvm, network, 2, 60000, 59999) == 29999
    assert item(smartvm, network, 3, 2, 0) == 1 << 20
    assert item(smartvm, network, 4, 2, 1) == -7


def test_second_upload_sends_only_what_is_different(smartvm, network, weights, tmp_path):
    assert smartvm("upload", network, "w.npz", "--state", "s").status == 0
    weights["bias"][1] = 6
    np.savez(tmp_path / "w.npz", **weights)
    report = json.loads(smartvm("upload", network, "w.npz", "--state", "s", "--json").out)
    assert (report["blocks_sent"], report["blocks_skipped"]) == (1, 2)
    assert item(smartvm, network, 3, 2, 1) == 6


def test_map_names_blocks_and_splits_arrays(smartvm, network, weights, tmp_path):
    (tmp_path / "ids.json").write_text(
        json.dumps({"first": {"id": "0x10", "parts": 4}, "bias": 5, "last": {"id": 6}})
    )
    result = smartvm("upload", network, "w.npz", "--state", "s", "--map", "ids.json", "--json")
    assert json.loads(result.out)["blocks_sent"] == 6
    assert item(smartvm, network, 16, 15000, 0) == -30000
    assert item(smartvm, network, 19, 15000, 14999) == 29999
    assert item(smartvm, network, 6, 2, 0) == 7


def test_names_that_are_numbers_are_ids(smartvm, network, tmp_path):
    np.savez(tmp_path / "w.npz", **{"7": np.array([1, 2]), "3": np.array([3])})
    assert smartvm("upload", network, "w.npz", "--state", "s").status == 0
    assert item(smartvm, network, 7, 2, 1) == 2
    assert item(smartvm, network, 3, 1, 0) == 3


def test_killed_upload_continues_where_it_was(smartvm, network, weights):
    killed_at_the_fourth_commit = (
        "import os, signal, sys\n"
        "from smartvm import cli\n"
        "from smartvm.commands.session import Session\n"
        "kept, commits = Session.commit, []\n"
        "def commit(self):\n"
        "    commits.append(1)\n"
        "    if len(commits) == 4: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    kept(self)\n"
        "Session.commit = commit\n"
        "cli.main(sys.argv[1:])\n"
    )
    command = [sys.executable, "-c", killed_at_the_fourth_commit, "upload", str(network), "w.npz", "--state", "s"]
    killed = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert killed.returncode == -signal.SIGKILL
    report = json.loads(smartvm("upload", network, "w.npz", "--state", "s", "--json").out)
    assert (report["blocks_sent"], report["blocks_skipped"]) == (1, 2)
    assert "deploy_gas_used" not in report
    assert item(smartvm, network, 4, 2, 0) == 7


def test_state_in_one_file_still_works(smartvm, network, weights, tmp_path):
    from smartvm.vm.state import PersistentStore

    PersistentStore.open(tmp_path / "s").close()
    assert smartvm("upload", network, "w.npz", "--state", "s").status == 0
    assert (tmp_path / "s").is_file()
    assert item(smartvm, network, 4, 2, 0) == 7


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["missing.npz"], 2, "no file `missing.npz`"),
        (["n.sol"], 2, "`n.sol` is no .npz file"),
        (["."], 2, "`.` is a folder"),
        (["one.npy"], 2, "one array without a name"),
        (["float.npz"], 2, "the array `x` is of float64, expected integers"),
        (["objects.npz"], 2, "holds Python objects"),
        (["empty.npz"], 2, "the array `x` is empty"),
        (["nothing.npz"], 2, "there are no arrays"),
        (["w.npz", "--map", "short.json"], 2, "no block is named for the array `bias`"),
        (["w.npz", "--map", "long.json"], 2, "the array `more` is missing"),
        (["w.npz", "--map", "twice.json"], 2, "block 2 is given to both `first` and `bias`"),
        (["w.npz", "--map", "thirds.json"], 2, "cannot be split into 3 equal parts"),
        (["w.npz", "--map", "w.npz"], 2, "is no JSON"),
        (["w.npz", "--map", "words.json"], 2, "`first` has no block id"),
        (["w.npz", "--function", "store"], 2, "no function store(uint256,uint256,bytes)"),
        (["w.npz", "--function", "narrow"], 2, "it has narrow(uint256,bytes)"),
        (["w.npz", "--function", "forgets"], 1, "did not store these items under this id"),
        (["w.npz", "--block-gas-limit", "16777216"], 2, "at least 24,000,200 gas"),
        (["w.npz", "--block-gas-limit", "24100000"], 1, "hint: raise the block gas limit"),
        (["w.npz", "--at", "0x" + "11" * 20], 2, "there is no code at"),
        (["w.npz", "--sender", "0x" + "11" * 20], 1, "reverted: only the owner"),
        (["w.npz", "--table", "paper"], 2, "was compiled with the table `default`"),
    ],
)
def test_wrong_upload_is_one_message(smartvm, network, weights, tmp_path, arguments, status, message):
    np.save(tmp_path / "one.npy", np.arange(3))
    np.savez(tmp_path / "float.npz", x=np.array([1.5]))
    np.savez(tmp_path / "objects.npz", x=np.array([{}], object))
    np.savez(tmp_path / "empty.npz", x=np.zeros((0, 3), int))
    np.savez(tmp_path / "nothing.npz")
    maps = {
        "short": {"first": 2},
        "long": {"first": 2, "bias": 3, "last": 4, "more": 5},
        "twice": {"first": 2, "bias": 2, "last": 4},
        "thirds": {"first": {"id": 2, "parts": 3}, "bias": 9, "last": 10},
        "words": {"first": "two", "bias": 9, "last": 10},
    }
    for name, content in maps.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    assert smartvm("run", network, "--state", "s").status == 0  # deployed by the default sender
    result = smartvm("upload", network, *arguments, "--state", "s")
    assert result.status == status, result.err
    assert message in result.err


def test_weights_as_slots_give_the_same_result(smartvm, network, tmp_path):
    np.savez(tmp_path / "w.npz", first=np.arange(-50, 50) * 1000)
    assert smartvm("upload", network, "w.npz", "--state", "s", "--no-blocks").status == 0
    again = smartvm("upload", network, "w.npz", "--state", "s", "--no-blocks", "--json")
    assert json.loads(again.out)["blocks_skipped"] == 1
    call = ["run", network, "--state", "s", "--call", "item", "--args", 2, 100, 7]
    assert "= -43000" in smartvm(*call, "--no-blocks").out
    assert "no such block" in smartvm(*call).err
    assert smartvm(*call, "--no-blocks", "--no-prefetch", "--block-cache", 0).status == 0
