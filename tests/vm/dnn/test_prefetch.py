"""Prefetch: blocks of the layers to come are prepared in a second thread, and no program can tell."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import smartvm
from smartvm.vm import machine as machine_module
from smartvm.vm.dnn.weights.blocks import WeightBlock
from smartvm.vm.dnn.weights.lookahead import UpcomingInstruction

SIDE = 160

#: Four square layers, each with its bias, in a state that has all, some or none of the blocks.
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
    function layers(uint256 x, uint256 first) internal returns (int256 y) {
        assembly {
            buf_init(250000) buf_free(249840) buf_fil(x) // pays for looking ahead
            full_con(first, 160, 1, 1, 160) buf_scl1(100)
            full_con(add(first, 1), 160, 1, 1, 160) buf_scl1(100)
            full_con(add(first, 2), 160, 1, 1, 160) buf_scl1(100)
            full_con(add(first, 3), 160, 1, 1, 160)
            y := btos0(3, 1)
        }
    }
    function run(uint256 x) external returns (int256) { return layers(x, 2); }
    function twice(uint256 x) external returns (int256) { return layers(x, 2) + layers(x + 1, 2); }
    function missing(uint256 x) external returns (int256) { return layers(x, 4); }
    function fails(uint256 x) external returns (int256) { layers(x, 2); revert("no"); }
    function survives(uint256 x) external returns (int256 y) {
        try this.fails{gas: 3000000}(x) {} catch {}
        try this.missing{gas: 3000000}(x) {} catch {}
        y = layers(x + 1, 2);
    }
    function starves(uint256 x) external returns (int256 y) {
        try this.run{gas: 60000}(x) {} catch { y = 7; }
    }
    function overwrites(uint256 x) external returns (int256 y) {
        assembly {
            buf_init(160) buf_fil(x)
            full_con(2, 160, 1, 1, 160) buf_scl1(100)
            buf_init(25600) buf_fil(3)
            btos1(4, 25600)
            buf_init(160) buf_fil(x)
            full_con(3, 160, 1, 1, 160) buf_scl1(100)
            full_con(4, 160, 1, 1, 160)
            y := btos0(3, 1)
        }
    }
    function undoes(uint256 x) external returns (int256 y) {
        try this.overwritesAndFails(x) {} catch {}
        y = layers(x, 2);
    }
    function overwritesAndFails(uint256 x) external { this.overwrites(x); revert("no"); }
    function branches(uint256 x) external returns (int256 y) {
        assembly {
            buf_init(160) buf_fil(x)
            full_con(2, 160, 1, 1, 160) buf_scl1(100)
            switch gt(btos0(0, 1), 1000)
            case 0 { full_con(3, 160, 1, 1, 160) }
            default { full_con(4, 160, 1, 1, 160) buf_scl1(100) full_con(5, 160, 1, 1, 160) }
            y := btos0(3, 1)
        }
    }
    function deletes(uint256 x) external returns (int256 y) {
        assembly { btos1(5, 0) }
        y = layers(x, 2);
    }
}
"""

CALLS = ("run", "twice", "missing", "fails", "survives", "starves", "overwrites", "undoes", "branches", "deletes")


@pytest.fixture(scope="module")
def compiled() -> dict[str, Any]:
    return next(iter(smartvm.Chain().compile(SOURCE).values()))


@pytest.fixture(scope="module")
def stored(compiled: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A state with the contract and its blocks, two of them in files."""
    folder = tmp_path_factory.mktemp("state") / "s"
    random = np.random.default_rng(8)
    arrays = {str(2 + k): random.integers(-90, 90, (SIDE, SIDE)) * (3000 if k % 2 else 1) for k in range(4)}
    chain = smartvm.Chain(state=folder)
    contract = chain.deploy_compiled(compiled)
    contract.upload_weights({f"w{name}": array for name, array in arrays.items()})
    chain.commit()
    chain.close()
    return folder, contract.address


@pytest.fixture
def chain_of(stored: tuple[Path, str]) -> Iterator[Callable[..., smartvm.Chain]]:
    chains: list[smartvm.Chain] = []

    def make(**options: Any) -> smartvm.Chain:
        chains.append(smartvm.Chain(state=stored[0], **options))
        return chains[-1]

    yield make
    for chain in chains:
        chain.close()


def outcome(chain: smartvm.Chain, address: str, data: bytes, gas: int) -> tuple[object, ...]:
    result = chain.transact(address, data, gas=gas)
    message = result.error.message if result.error is not None else ""
    return result.success, result.output, result.gas_used, result.refund, message


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("cache", [1 << 29, 120_000, 0])
def test_results_gas_and_failures_are_the_same(
    chain_of: Callable[..., smartvm.Chain], stored: tuple[Path, str], compiled: dict[str, Any], call: str, cache: int
) -> None:
    address = stored[1]
    with_it, without = chain_of(block_cache_bytes=cache), chain_of(prefetch=False, block_cache_bytes=cache)
    contract = with_it.at(address, compiled["abi"])
    for x, gas in ((1, 10**9), (50, 10**9), (50, 400_000), (2, 10**9)):
        data = contract.function(call).encode(x)
        assert outcome(with_it, address, data, gas) == outcome(without, address, data, gas)
    assert changes(with_it) == changes(without)


def changes(chain: smartvm.Chain) -> dict[bytes, object]:
    """What a commit would write, in plain values."""
    return {
        address: change
        and (
            change.account,
            change.slots,
            {key: block and block.encoded() for key, block in change.blocks.items()},
        )
        for address, change in chain.state.changes().items()
    }


def let_it_finish(chain: smartvm.Chain) -> None:
    """Let the program wait for the second thread, so that what that does is certain."""
    prefetcher = chain.machine.prefetcher
    assert prefetcher is not None
    submit = prefetcher._submit

    def and_wait(upcoming: UpcomingInstruction, block: WeightBlock) -> None:
        submit(upcoming, block)
        prefetcher._tasks[-1][0].result(60)

    prefetcher._submit = and_wait  # type: ignore[method-assign]


def test_looking_ahead_is_paid_for(
    chain_of: Callable[..., smartvm.Chain],
    stored: tuple[Path, str],
    compiled: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recorder = Recorder(monkeypatch)
    chain = chain_of()
    let_it_finish(chain)
    assert chain.at(stored[1], compiled["abi"]).branches(3) is not None  # a few thousand gas
    assert recorder.seen == []


class Recorder:
    """Stands in the place of what prepares blocks: notes which, in which thread."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seen: list[int | None] = []
        self.threads: set[str] = set()
        self.wait: threading.Event | None = None
        real = machine_module.prepare_ahead

        def prepare(upcoming: UpcomingInstruction, block: WeightBlock, ends: tuple[int, int]) -> None:
            if self.wait is not None:
                self.wait.wait(20)
            self.seen.append(upcoming.block_id)
            self.threads.add(threading.current_thread().name)
            real(upcoming, block, ends)

        monkeypatch.setattr(machine_module, "prepare_ahead", prepare)


def test_later_layers_are_prepared_in_a_second_thread(
    chain_of: Callable[..., smartvm.Chain],
    stored: tuple[Path, str],
    compiled: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recorder = Recorder(monkeypatch)
    chain = chain_of()
    contract = chain.at(stored[1], compiled["abi"])
    before = set(threading.enumerate())
    let_it_finish(chain)
    value = contract.run(3)
    assert recorder.seen == [3, 4, 5]
    assert recorder.threads == {"smartvm-prefetch_0"}
    recorder.seen.clear()
    assert contract.run(3) == value
    assert recorder.seen == []  # everything is there
    chain.machine.close()
    assert set(threading.enumerate()) <= before


def test_what_was_foreseen_but_is_not_begun_is_made_by_the_program_itself(
    chain_of: Callable[..., smartvm.Chain],
    stored: tuple[Path, str],
    compiled: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expected = chain_of(prefetch=False).at(stored[1], compiled["abi"]).run(3)
    recorder = Recorder(monkeypatch)
    recorder.wait = threading.Event()
    chain = chain_of()
    chain.machine.blocks.limit = 1 << 29
    held = chain.at(stored[1], compiled["abi"]).function("run")
    finished = threading.Timer(0.2, recorder.wait.set)
    finished.start()
    assert held(3) == expected
    finished.join()


def test_programs_without_weights_start_no_thread() -> None:
    chain = smartvm.Chain()
    before = threading.active_count()
    source = "contract C { function f(uint x) external returns (uint y) { assembly { y := add(x, 1) } } }"
    assert chain.deploy("// SPDX-License-Identifier: MIT\npragma solidity ^0.8.0;\n" + source).f(1) == 2
    assert threading.active_count() == before


def test_bytes_ahead_are_bounded(
    chain_of: Callable[..., smartvm.Chain], stored: tuple[Path, str], compiled: dict[str, Any]
) -> None:
    chain = chain_of()
    prefetcher = chain.machine.prefetcher
    assert prefetcher is not None
    prefetcher._limit = 30_000
    most = 0
    submit = prefetcher._submit

    def watched(upcoming: UpcomingInstruction, block: WeightBlock) -> None:
        nonlocal most
        most = max(most, prefetcher._ahead_bytes)
        submit(upcoming, block)

    prefetcher._submit = watched  # type: ignore[method-assign]
    chain.at(stored[1], compiled["abi"]).run(3)
    assert most < 30_000 + 2 * SIDE * SIDE


def test_a_damaged_file_is_reported_by_the_program_that_needs_it(
    compiled: dict[str, Any], tmp_path: Path
) -> None:
    chain = smartvm.Chain(state=tmp_path / "s")
    contract = chain.deploy_compiled(compiled)
    contract.upload_weights({f"w{k}": np.full((SIDE, SIDE), 300 if k < 3 else 300_000) for k in range(4)})
    chain.commit()
    chain.close()
    (file,) = (tmp_path / "s" / "blocks").iterdir()
    file.unlink()
    again = smartvm.Chain(state=tmp_path / "s")
    reader = again.at(contract.address, compiled["abi"])
    with pytest.raises(smartvm.SmartVMError, match="cannot read the weight block"):
        reader.run(1)
    again.close()
