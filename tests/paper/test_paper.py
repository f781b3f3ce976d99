"""``smartvm bench paper``: what it measures, and what it prints beside the paper's values."""

from __future__ import annotations

import json
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
from smartvm import cli
from smartvm.commands.paper import code_size, gas, latency, memory, native, plots
from smartvm.commands.paper.measurement import Duration, Measurement
from smartvm.commands.paper.plain import PlainTimes
from smartvm.commands.paper.published import published
from smartvm.commands.paper.report import shown
from smartvm.commands.paper.subject import made_ready
from smartvm.examples.networks import network_named, parameters_of, sample_input
from smartvm.examples.networks.reference import feature_maps
from smartvm.vm import KernelEvent


@pytest.fixture(scope="module")
def lenet5(tmp_path_factory):
    return made_ready(network_named("lenet5"), tmp_path_factory.mktemp("lenet5"))


def by_quantity(measurements):
    return {m.quantity: m.value for m in measurements}


def test_gas_of_the_layers_and_the_rest_is_that_of_the_call(lenet5):
    found = by_quantity(gas.layer_gas(lenet5))
    whole = found.pop("a call")
    assert sum(found.values()) == whole
    assert [name.split()[1] for name in found if name != "the rest"] == [
        "conv_mul", "pool_max", "conv_mul", "pool_max", "conv_mul", "full_con", "full_con",
    ]  # fmt: skip


def test_a_dense_layer_in_parts_and_a_recurrence_are_one_layer_each(tmp_path):
    lstm = made_ready(network_named("lstm"), tmp_path)
    names = [m.quantity.strip() for m in gas.layer_gas(lstm)]
    assert names == ["1 full_con 144 -> 384", "2 full_con 96 -> 10", "the rest", "a call"]


def test_a_dense_layer_in_parts_is_named_for_the_whole():
    events = [
        KernelEvent("FULL_CON", (12, 9, 1, 1, 4), 10, 1),
        KernelEvent("BUF_SWAP", (), 1, 1),
        KernelEvent("FULL_CON", (13, 9, 1, 1, 4), 10, 1),
        KernelEvent("BUF_BIAS", (14,), 5, 1),
    ]
    machine = SimpleNamespace(observer=None)

    def call(chain):
        for event in events:
            machine.observer(event)
        return SimpleNamespace(gas_used=100)

    chain = nullcontext(SimpleNamespace(machine=machine))
    subject = SimpleNamespace(network=SimpleNamespace(folder="alexnet"), chain=lambda: chain, call=call)
    found = by_quantity(gas.layer_gas(subject))
    assert found == {" 1 full_con 9 -> 8 in 2 parts": 26, "the rest": 74, "a call": 100}


def test_dnn_instructions_shorten_source_and_code():
    found = by_quantity(code_size.code_sizes(network_named("lenet5")))
    assert found["source lines with DNN instructions"] * 3 < found["source lines without"]
    assert found["bytecode with DNN instructions"] * 3 < found["bytecode without"]


def test_lines_are_counted_without_comments_and_empty_ones():
    assert code_size.source_lines("// a\n\n/// b\nx; // c\n/* d\n * e\n */\ny;\n") == 2


@pytest.mark.parametrize(
    ("name", "at_least"), [("lenet5", 84), ("alexnet", 90.8), ("resnet18", 93.7), ("mobilenet", 93.7)]
)
def test_the_buffer_saves_what_the_paper_says(name, at_least):
    network = network_named(name)
    items = [_items(network.input_shape)]
    from smartvm.examples.networks.layers import Convolution, Dense, GlobalAverage, MaximumPooling, Relu

    for step in network.steps:
        match step:
            case Convolution():
                items.append(step.filters * step.output_side**2)
            case Dense():
                items.append(step.items)
            case MaximumPooling():
                items.append(step.channels * ((step.side + 2 * step.padding - step.window) // step.stride + 1) ** 2)
            case GlobalAverage():
                items.append(step.channels)
            case Relu():
                items.append(items[-1])
    assert 100 * memory.saved_share(items) >= at_least


def _items(shape):
    return shape[0] * shape[1] * shape[2]


def test_memory_of_lenet5_with_and_without_dnn_instructions(lenet5):
    found = by_quantity([*memory.buffer_memory(lenet5), *memory.plain_memory(lenet5)])
    assert found["Buffer saves"] > 84
    assert found["Buffer, peak"] == (6 * 24 * 24 * 2) * 32 / 1024
    assert found["Buffer, peak in real bytes"] <= found["Buffer, peak"] / 4
    assert found["EVM-only, peak"] > 5 * found["Buffer, peak"]


def test_feature_maps_follow_every_step():
    network = network_named("lenet5")
    maps = list(feature_maps(network, parameters_of(network), sample_input(network)))
    assert [x.shape for _, x, _ in maps][:4] == [(1, 28, 28), (6, 24, 24), (6, 24, 24), (6, 12, 12)]


def test_unknown_values_of_the_paper_are_said_to_be_unknown():
    assert published("Fig. 16-17", "lenet5", "Buffer saves") == "84 %"
    assert published("Table 3", "lenet5", "a call") == "not known here"


def test_durations_never_fall_below_nothing():
    assert Duration(2, 1) - Duration(3, 0.5) == Duration(0, 0.5)


def test_other_networks_in_plain_solidity_are_estimated_by_weights_and_by_products():
    network = network_named("alexnet")
    lenet = network_named("lenet5")
    times = PlainTimes(Duration(100, 80), Duration(20, 10))
    fetch, compute = times.estimated(network)
    assert fetch.wall == 20 * network.weight_count / lenet.weight_count
    assert compute.processor == 70 * network.products / lenet.products


def latencies_of(**fetches: float):
    return [
        Measurement(latency.FIGURE, "lenet5", f"{way}: {part}", value, "ms", "")
        for way, value in fetches.items()
        for part in ("weight fetch", "compute (CPU)")
    ]


def test_slots_count_at_the_least_they_take_and_short_fetches_say_nothing_of_prefetch():
    ways = {"per slot": 900.0, "per slot, SLOAD alone": 800.0, "EVM-only": 300.0, "blocks": 4.0}
    for ahead, hidden in ((1.0, 75.0), (4.0, 0.0)):
        found = by_quantity(latency.fetch_ratios(latencies_of(**ways, **{"blocks + prefetch": ahead})))
        assert found == {"blocks fetch faster": 200, "prefetch hides": hidden, "DNN instructions faster": 75}
    short = latency.fetch_ratios(latencies_of(**{**ways, "blocks": 1.0}, **{"blocks + prefetch": 0.5}))
    assert by_quantity(short)["prefetch hides"] is None


def run(*arguments: object) -> int | str | None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["bench", "paper", *map(str, arguments)])
    return caught.value.code


def test_the_command_prints_tables_and_writes_json(tmp_path, capsys):
    output = tmp_path / "results"
    experiments = ("--experiment", "code", "--experiment", "gas")
    assert run("--network", "lenet5", *experiments, "--output", output, "--no-plots") == 0
    printed = capsys.readouterr().out
    assert "Fig. 11" in printed
    assert "Table 3" in printed
    assert "not known here" in printed
    document = json.loads((output / "paper.json").read_text())
    assert {m["figure"] for m in document["measurements"]} == {"Fig. 11", "Table 3"}
    assert all(m["definition"] for m in document["measurements"])


def test_plots_are_drawn_or_what_is_missing_is_said(tmp_path, capsys):
    assert run("--network", "lenet5", "--experiment", "code", "--output", tmp_path) == 0
    if plots.is_available():
        assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".png", ".svg"}
    else:
        assert plots.MISSING in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_one_message(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert run("--output", tmp_path / "file" / "results") == 2
    assert "cannot write to" in capsys.readouterr().err


@pytest.mark.skipif(not native.is_available(), reason=native.MISSING)
def test_the_float_model_is_the_network(lenet5):
    from smartvm.examples.networks import logits

    model = native.NativeModel(lenet5.network, lenet5.parameters)
    with lenet5.chain() as chain:
        found = logits(lenet5.network, lenet5.contract(chain), lenet5.picture) / 1000
    expected = model.run(model.inputs(lenet5.picture))
    assert abs(found - expected).max() < 0.02 * abs(expected).max()


def test_estimates_are_marked():
    from smartvm.commands.paper.measurement import Measurement

    assert shown(Measurement("F", "n", "q", 12.5, "ms", "d", estimated=True)) == "about 12.50 ms"
    assert shown(Measurement("F", "n", "q", None, "ms", "d", "not measured")) == "- (not measured)"


def test_a_contract_that_computes_something_else_is_not_measured(lenet5):
    from dataclasses import replace

    import smartvm

    lenet5.check()
    others = {name: values + 1 for name, values in lenet5.parameters.items()}
    with pytest.raises(smartvm.SmartVMError, match="not the network's integers"):
        replace(lenet5, parameters=others).check()
