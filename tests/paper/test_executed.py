"""Counting executed instructions by gas."""

from __future__ import annotations

import smartvm
from smartvm.commands.paper.executed import counting_table
from smartvm.instructions.loader import load_table

_SOURCE = """// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;
import {NN, Network} from "smartvm/nn.sol";
contract Mixed is Network {
    mapping(uint256 => uint256) private sums;
    event Done(uint256 sum);
    function run(uint256[] calldata values) external returns (bytes32) {
        uint256 sum;
        for (uint256 i = 0; i < values.length; i++) sum += values[i] ** 3;
        sums[sum] = values.length;
        NN.reset(3); NN.relu();
        emit Done(sum);
        return keccak256(abi.encode(values, NN.size()));
    }
}
"""


class Steps:
    """Counts the steps of a trace."""

    count = 0

    def step(self, event):
        self.count += 1

    def enter(self, event):
        pass

    def exit(self, event):
        pass


def test_gas_under_the_counting_table_is_the_number_of_steps_of_a_trace():
    tracer = Steps()
    traced = smartvm.Chain(tracer=tracer)
    counted = smartvm.Chain(counting_table(load_table("default")))
    results = []
    for chain in (traced, counted):
        contract = chain.deploy(_SOURCE, "Mixed")
        data = contract.run.encode(list(range(40)))
        tracer.count = 0
        results.append(chain.transact(contract.address, data))
        assert results[-1].success
        if chain is traced:
            executed = tracer.count
    assert results[0].output == results[1].output
    assert results[1].gas_used == executed > 1000
