"""The register tiles of every set of kernels give what Python's integers give: here where the processor has the set's
instructions, else in an emulator, and as the same code with plain instructions."""

from __future__ import annotations

import importlib
import re
from dataclasses import replace

import numpy as np
import pytest
from smartvm.vm.dnn import reference
from smartvm.vm.dnn.platforms.kernel_sets import KERNEL_SETS, available_sets
from smartvm.vm.dnn.platforms.panel_tiles import (
    PANEL_OPERANDS,
    TAP_OPERANDS,
    emit_panel_tile,
    emit_tap_tile,
)
from smartvm.vm.dnn.platforms.reciprocals import reciprocal_of
from smartvm.vm.native.object_code import can_load
from tile_code import AARCH64, X86_64, BochsX86, Host, TileCode, UnicornArm

SETS = {kernels.name: kernels for kernels in KERNEL_SETS}


def features_of(kernels):
    return ",".join(f"+{feature}" for feature in sorted(kernels.needs))


def here(features=""):
    if not can_load():
        pytest.skip("objects are not loaded on this system")
    return Host(features)


def machine_for(kernels):
    if kernels in available_sets():
        return here(features_of(kernels))
    name, machine = ("unicorn", UnicornArm) if "neon" in kernels.needs else ("bochscpu", BochsX86)
    try:
        importlib.import_module(name)
    except ImportError as error:
        pytest.skip(f"this processor cannot run {kernels.name}, and the emulator is not there: {error}")
    return machine(features_of(kernels))


def item_type(kernels, bits):
    """The items' type and its greatest item, of which two products stay within 16 bits where they must."""
    if bits == 16:
        return np.int16, -(1 << 15), (1 << 15) - 1
    if kernels.signed_quads:
        return np.int8, -128, 127
    return np.uint8, 0, 128 if kernels.narrow_sums else 255


def panel_code(kernels, rows, bits, out_bits, vectors=None):
    types = {"values": bits, "starts": 64, "weights": bits, "bias": 32, "out": out_bits, "extremes": 32}

    def emit(builder, given):
        emit_panel_tile(builder, kernels, rows, given, vectors)

    return TileCode(PANEL_OPERANDS, emit, types)


def packed(weights, step):
    """``[channel][segment][term]`` as ``[segment][step][channel][term of the step]``."""
    channels, segments, length = weights.shape
    steps = weights.reshape(channels, segments, length // step, step)
    return np.ascontiguousarray(steps.transpose(1, 2, 0, 3)).reshape(-1)


def finished(sums, divisor, low, high):
    return [min(max(value, low), high) for value in reference.buf_scl1(sums, divisor)]


def run_panel(machine, kernels, rows, bits, out_bits, random, vectors=None):
    step = 32 // bits
    kind, least, greatest = item_type(kernels, bits)
    channels, segments, length, stride, apart, divisor = kernels.channels, 2, 3 * step, 3 * step + 1, 5, 37
    most = 127 if bits == 8 else 200
    values = random.integers(least, greatest + 1, rows * apart + segments * stride + length).astype(kind)
    values[:step], values[step : 2 * step] = least, greatest
    weights = random.integers(-most, most + 1, (channels, segments, length)).astype(np.int8 if bits == 8 else np.int16)
    weights[0], weights[1], weights[2] = most, -most, (-128 if bits == 8 and not kernels.narrow_sums else -most)
    bias = random.integers(-(10**6), 10**6, channels).astype(np.int32)
    starts = np.arange(rows, dtype=np.int64) * apart
    out = np.zeros(1 + rows * channels, np.int16 if out_bits == 16 else np.int32)
    extremes = np.array([(1 << 31) - 1] * kernels.lanes + [-(1 << 31)] * kernels.lanes, np.int32)
    arrays = {
        "values": values, "starts": starts, "weights": packed(weights, step), "bias": bias, "out": out,
        "extremes": extremes,
    }  # fmt: skip
    limit = 1 << (out_bits - 1)
    numbers = {
        "n": 0, "weight_at": 0, "segments": segments, "length": length, "stride": stride, "bias_at": 0,
        "reciprocal": reciprocal_of(divisor), "low": -limit, "high": limit - 1, "out_at": 1, "pitch": channels,
    }  # fmt: skip
    machine.run(panel_code(kernels, rows, bits, out_bits, vectors), arrays, numbers)
    windows = np.stack(
        [[values[start + s * stride :][:length] for s in range(segments)] for start in starts.tolist()]
    ).astype(object)
    sums = np.einsum("rsl,csl->rc", windows, weights.astype(object)) + bias.astype(object)
    computed = (vectors or kernels.vectors) * kernels.lanes
    expected = finished(sums[:, :computed].reshape(-1).tolist(), divisor, -limit, limit - 1)
    assert out[1:].reshape(rows, channels)[:, :computed].reshape(-1).tolist() == expected
    assert extremes[: kernels.lanes].min() == min(expected)
    assert extremes[kernels.lanes :].max() == max(expected)


@pytest.mark.parametrize("bits", [16, 8])
@pytest.mark.parametrize("name", SETS)
def test_a_panel_tile_gives_the_sums_of_python_integers(name, bits):
    kernels = SETS[name]
    machine = machine_for(kernels)
    for rows in (1, kernels.rows):
        for out_bits in (16, 32):
            run_panel(machine, kernels, rows, bits, out_bits, np.random.default_rng(rows))
    run_panel(machine, kernels, kernels.rows * kernels.vectors, bits, 16, np.random.default_rng(1), vectors=1)


@pytest.mark.parametrize("bits", [16, 8])
@pytest.mark.parametrize("name", SETS)
def test_the_same_tile_with_plain_instructions_gives_them_too(name, bits):
    twin = replace(SETS[name], pairs="plain words", quads="plain bytes")
    run_panel(here(), twin, twin.rows, bits, 32, np.random.default_rng(1))


@pytest.mark.parametrize("name", SETS)
def test_a_depthwise_tile_gives_the_sums_of_python_integers(name):
    kernels = SETS[name]
    machine = machine_for(kernels)
    random = np.random.default_rng(2)
    channels, taps, lanes, divisor = kernels.channels, 4, kernels.lanes, 11
    types = {"values": 16, "offsets": 64, "weights": 16, "bias": 32, "out": 32, "extremes": 32}
    code = TileCode(TAP_OPERANDS, lambda builder, given: emit_tap_tile(builder, kernels, given), types)
    values = random.integers(-(1 << 15), 1 << 15, taps * channels + 3).astype(np.int16)
    weights = random.integers(-(1 << 13), 1 << 13, (taps, channels)).astype(np.int16)
    offsets = (np.arange(taps) * channels).astype(np.int64)
    # as pack_taps lays them out: each four of eight channels of two vectors beside each other
    order = [
        group * 2 * lanes + i % lanes // 4 * 8 + i % 4 + i // lanes * 4
        for group in range(kernels.vectors // 2)
        for i in range(2 * lanes)
    ]
    laid_out = weights.reshape(taps // 2, 2, channels).transpose(0, 2, 1)[:, order]
    bias = random.integers(-100, 100, channels).astype(np.int32)
    out = np.zeros(channels, np.int32)
    extremes = np.array([(1 << 31) - 1] * lanes + [-(1 << 31)] * lanes, np.int32)
    arrays = {
        "values": values, "offsets": offsets, "weights": np.ascontiguousarray(laid_out).reshape(-1), "bias": bias,
        "out": out, "extremes": extremes,
    }  # fmt: skip
    numbers = {
        "start": 2, "taps": taps, "weight_at": 0, "bias_at": 0, "reciprocal": reciprocal_of(divisor),
        "low": -(1 << 31), "high": (1 << 31) - 1, "out_at": 0, "pitch": channels,
    }  # fmt: skip
    machine.run(code, arrays, numbers)
    sums = [
        int(bias[c]) + sum(int(weights[t, c]) * int(values[2 + t * channels + c]) for t in range(taps))
        for c in range(channels)
    ]
    assert out.tolist() == finished(sums, divisor, -(1 << 31), (1 << 31) - 1)


@pytest.mark.parametrize(("name", "instruction"), [("avx512-vnni", "vpdpbusd"), ("avx-vnni", "vpdpbusd")])
def test_unsigned_items_are_the_first_factor_of_vpdpbusd(name, instruction):
    kernels = SETS[name]
    text = panel_code(kernels, kernels.rows, 8, 16).assembly(X86_64, features_of(kernels))
    found = re.findall(rf"\b{instruction}\s+(.*?), (%[xyz]mm\d+), (%[xyz]mm\d+)", text)
    assert len(found) == kernels.rows * kernels.vectors
    for weights, items, total in found:  # AT&T's order: the signed factor first, the unsigned one, the sums
        assert re.search(rf"vpbroadcastd\s.*, {items}$", text, re.MULTILINE)
        assert "{1to" not in weights
        assert items != total


@pytest.mark.parametrize(
    ("name", "bits", "instructions"),
    [
        ("avx512-vnni", 16, ["vpdpwssd"]),
        ("avx512", 16, ["vpmaddwd"]),
        ("avx512", 8, ["vpmaddubsw", "vpmaddwd"]),
        ("avx2", 16, ["vpmaddwd"]),
        ("avx2", 8, ["vpmaddubsw", "vpmaddwd"]),
        ("neon", 16, ["smlal"]),
        ("neon", 8, ["smull", "smlal", "sadalp"]),
        ("neon-dotprod", 8, ["sdot"]),
    ],
)
def test_a_set_uses_its_instructions(name, bits, instructions):
    kernels = SETS[name]
    triple = AARCH64 if "neon" in kernels.needs else X86_64
    text = panel_code(kernels, kernels.rows, bits, 16).assembly(triple, features_of(kernels))
    for instruction in instructions:
        assert len(re.findall(rf"^\t{instruction}\b", text, re.MULTILINE)) >= kernels.rows * kernels.vectors
