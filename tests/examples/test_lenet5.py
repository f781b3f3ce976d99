"""The LeNet-5 example: what the contract computes is what its integers mean, and the demo tells it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import smartvm

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "lenet5"


@pytest.fixture(scope="module")
def lenet5():
    sys.path.insert(0, str(EXAMPLE))
    try:
        import lenet5
    finally:
        sys.path.remove(str(EXAMPLE))
    return lenet5


@pytest.fixture(scope="module")
def contract(lenet5):
    deployed = lenet5.deploy(smartvm.Chain())
    lenet5.upload(deployed)
    return deployed


@pytest.fixture(scope="module")
def held_out():
    with np.load(EXAMPLE / "held_out.npz") as data:
        return data["pictures"], data["labels"]


def truncated(sums):
    return np.sign(sums) * (np.abs(sums) // 1000)


def integer_logits(picture):
    """The network in NumPy's 64-bit integers: weights × 1,000, sums × 1,000,000."""
    with np.load(EXAMPLE / "weights.npz") as data:
        weights = {name: data[name].astype(np.int64) for name in data.files}
    x = (picture.astype(np.int64) * 1000 // 255)[None]
    for layer, pooled in (("conv1", True), ("conv2", True), ("conv3", False)):
        kernels, bias = weights[f"{layer}_weights"], weights[f"{layer}_bias"]
        side = kernels.shape[-1]
        windows = np.lib.stride_tricks.sliding_window_view(x, (side, side), axis=(1, 2))
        sums = np.einsum("chwab,ocab->ohw", windows, kernels) + bias[:, None, None]
        x = np.maximum(truncated(sums), 0)
        if pooled:
            x = x.reshape(len(x), x.shape[1] // 2, 2, x.shape[2] // 2, 2).max(axis=(2, 4))
    flat = np.maximum(truncated(weights["dense1_weights"] @ x.reshape(-1) + weights["dense1_bias"]), 0)
    return truncated(weights["dense2_weights"] @ flat + weights["dense2_bias"])


def test_parameters_are_those_of_lenet5():
    with np.load(EXAMPLE / "weights.npz") as data:
        sizes = {name: data[name].size for name in data.files}
    assert sum(size for name, size in sizes.items() if name.endswith("weights")) == 44_190
    assert sum(size for name, size in sizes.items() if name.endswith("bias")) == 236


def test_the_contract_computes_the_integer_network(contract, held_out):
    for picture in held_out[0][:12]:
        assert contract.logits(picture.reshape(-1)) == integer_logits(picture).tolist()


def test_the_contract_recognises_held_out_digits(contract, held_out):
    pictures, labels = held_out
    right = sum(
        contract.classify(p.reshape(-1)) == label for p, label in zip(pictures[:60], labels, strict=False)
    )
    assert right >= 57


def test_gas_depends_on_shapes_alone(contract, held_out):
    events = []
    contract.chain.machine.observer = events.append
    totals = set()
    for picture in held_out[0][:3]:
        events.clear()
        contract.logits(picture.reshape(-1))
        totals.add(sum(event.gas for event in events))
    contract.chain.machine.observer = None
    assert len(totals) == 1


def test_a_picture_of_another_size_is_refused(contract):
    with smartvm.reverts("a picture of 28 x 28"):
        contract.classify(np.zeros(783, np.uint8))


def test_only_the_owner_uploads(contract):
    with smartvm.reverts("only the owner uploads"):
        contract.upload(2, 1, b"\x01", sender=contract.chain.accounts[1])


def test_without_weights_the_layer_that_misses_them_is_named(lenet5, held_out):
    deployed = lenet5.deploy(smartvm.Chain())
    with pytest.raises(
        smartvm.Reverted, match=r"CONV_MUL at .* expected weight block 0x2, found no such block"
    ):
        deployed.classify(held_out[0][0].reshape(-1))


def demo(*arguments):
    command = [sys.executable, str(EXAMPLE / "lenet5.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_the_demo_prints_digits_gas_time_and_layers():
    done = demo()
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    for digit in range(10):
        row = next(line for line in lines if f"{digit}.png" in line and "layers" not in line)
        assert row.replace("│", "|").split("|")[2].strip() == str(digit)
    assert any("conv_mul" in line and "6x12x12 -> 16x8x8" in line for line in lines)


def test_the_demo_refuses_what_is_no_picture(tmp_path):
    text = tmp_path / "text.png"
    text.write_text("not a picture")
    done = demo(str(text))
    assert done.returncode == 1
    assert "is no picture" in done.stderr
    assert "Traceback" not in done.stderr
