"""The network examples: each contract is its network, and computes what the network's integers mean."""

from __future__ import annotations

import os
import re

import numpy as np
import pytest
import smartvm
from smartvm.disassembler import disassemble
from smartvm.examples.networks import (
    NETWORKS,
    argument,
    contract_path,
    deploy_network,
    deploy_plain,
    integer_output,
    logits,
    network_named,
    parameters_of,
    places,
    sample_input,
)
from smartvm.examples.networks.digits import held_out_digits
from smartvm.examples.networks.models import alexnet, mobilenet, resnet18
from smartvm.examples.networks.parameters import EXAMPLES, random_parameters
from smartvm.examples.networks.solidity import calls, contract_text
from smartvm.instructions.loader import load_table

LAYERED = [name for name in NETWORKS if name != "lstm"]
BIG = ["alexnet", "resnet18", "mobilenet"]


@pytest.mark.parametrize(
    ("name", "weights", "products"),
    [
        ("lenet5", 44_190, 281_640),
        ("alexnet", 62_367_776, 1_135_256_096),
        ("resnet18", 11_678_912, 1_814_073_344),
        ("mobilenet", 4_209_088, 568_740_352),
        ("lstm", 55_296 + 960, 28 * 55_296 + 960),
    ],
)
def test_networks_have_the_papers_weights(name, weights, products):
    network = network_named(name)
    assert (network.weight_count, network.products) == (weights, products)


@pytest.mark.parametrize("name", LAYERED)
def test_a_contract_calls_the_networks_layers_in_their_order(name):
    network = network_named(name)
    text = re.sub(r"//.*", "", contract_path(network).read_text())
    body = text.split("function logits")[1]
    found = [
        call for call in re.findall(r"NN\.\w+\([^;]*\)", body) if not re.match(r"NN\.(load|output)\b", call)
    ]
    if network.gray:
        assert found[:2] == ["NN.scaleUp(SCALE)", "NN.scaleDown(255)"]
        found = found[2:]
    assert found == [call for step in network.steps for call in calls(step)]


@pytest.mark.parametrize("name", list(NETWORKS))
def test_contracts_compile_and_fit_in_a_contract(name):
    network = network_named(name)
    contract = smartvm.Chain().compile(contract_path(network))[f"{_source_name(network)}:{network.name}"]
    assert 500 < len(contract["bin-runtime"]) // 2 < 3000


def _source_name(network):
    names = smartvm.compile_files([contract_path(network)], ["abi"])
    return next(name for name in names if name.endswith(f":{network.name}")).rpartition(":")[0]


@pytest.mark.parametrize(
    "network",
    [alexnet(131, 12, 64, 10), resnet18(64, 8, 10), mobilenet(64, 8, 10)],
    ids=["alexnet", "resnet18", "mobilenet"],
)
def test_smaller_networks_of_the_same_topology_compute_their_integers(network):
    parameters = dict(random_parameters(network))
    contract = deploy_network(smartvm.Chain(), network, parameters, contract_text(network))
    for seed in range(2):
        picture = sample_input(network, seed)
        expected = integer_output(network, parameters, picture)
        assert len(set(expected.tolist())) > 5
        assert np.array_equal(logits(network, contract, picture), expected)


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("SMARTVM_SLOW"), reason="takes minutes; SMARTVM_SLOW=1 runs it")
@pytest.mark.parametrize("name", BIG)
def test_full_size_networks_compute_their_integers(name):
    network = network_named(name)
    parameters = parameters_of(network)
    contract = deploy_network(smartvm.Chain(), network, parameters)
    picture = sample_input(network)
    expected = integer_output(network, parameters, picture)
    assert np.array_equal(logits(network, contract, picture), expected)
    assert contract.classify.look(argument(network, picture), gas=1 << 40).value == int(expected.argmax())


@pytest.fixture(scope="module")
def lstm():
    network = network_named("lstm")
    return network, parameters_of(network), deploy_network(smartvm.Chain(), network, parameters_of(network))


def test_the_lstm_computes_its_integers(lstm):
    network, parameters, contract = lstm
    for number in range(6):
        picture = sample_input(network, number)
        assert np.array_equal(
            logits(network, contract, picture), integer_output(network, parameters, picture)
        )


def test_the_lstm_recognises_held_out_digits(lstm):
    network, parameters, contract = lstm
    pictures, labels = held_out_digits()
    found = np.array([integer_output(network, parameters, picture).argmax() for picture in pictures])
    assert (found == labels).mean() > 0.97
    assert [contract.classify(picture.reshape(-1)) for picture in pictures[:10]] == found[:10].tolist()


def test_the_lstm_refuses_a_picture_of_another_size(lstm):
    with smartvm.reverts("a picture of 28 x 28"):
        lstm[2].classify(np.zeros(783, np.uint8))


def test_random_weights_are_the_same_every_time_and_need_two_bytes():
    network = mobilenet(32, 8, 10)
    first, again = dict(random_parameters(network)), dict(random_parameters(network))
    assert all(np.array_equal(first[name], again[name]) for name in first)
    weights = [values for name, values in first.items() if name.endswith("_weights")]
    assert all(127 < np.abs(values.astype(int)).max() < 32_767 for values in weights)


def test_every_block_has_an_id_of_its_own():
    for name in NETWORKS:
        taken = [
            place.first_id + part
            for place in places(network_named(name)).values()
            for part in range(place.parts)
        ]
        assert taken == list(range(2, 2 + len(taken)))


def test_lenet5_in_plain_solidity_gives_the_same_scores():
    network = network_named("lenet5")
    parameters = parameters_of(network)
    chain = smartvm.Chain()
    layers, plain = deploy_network(chain, network, parameters), deploy_plain(chain, parameters)
    for number in range(2):
        picture = sample_input(network, number).reshape(-1)
        assert plain.logits(picture) == layers.logits(picture)
    assert plain.last.gas_used > 1000 * layers.last.gas_used
    assert plain.classify(picture) == layers.classify(picture)


def test_lenet5_in_plain_solidity_has_no_dnn_instruction():
    table = load_table("default")
    path = EXAMPLES / "lenet5" / "LeNet5Plain.sol"
    code = smartvm.compile_files([path], ["bin-runtime"], optimize=True, metadata_hash="none")
    (contract,) = code.values()
    listing = disassemble(bytes.fromhex(contract["bin-runtime"]), table, "osaka")
    families = {instruction.name: instruction.family for instruction in table.instructions}
    assert not [item for item in listing.instructions if families.get(item.mnemonic) == "dnn"]
