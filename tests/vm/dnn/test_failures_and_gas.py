"""What halts, and what gas the instructions take."""

from __future__ import annotations

import pytest

TOO_MUCH = 1 << 32

#: instruction, operands: each on a Buffer of 12 items, with block 1 of 4 items, matrices at 0 (2x3) and 1000
#: (2x2), no saved Buffer.
REFUSED = [
    ("CONV_MUL", (2, 3, 1, 2, 2, 1, 1, 0), "weight block 0x2"),
    ("CONV_MUL", (1, 3, 1, 2, 2, 1, 1, 0), "3 items"),
    ("CONV_MUL", (1, 3, 1, 2, 3, 1, 1, 0), "18 items"),
    ("CONV_MUL", (1, 3, 1, 2, 2, 3, 1, 0), "window"),
    ("CONV_MUL", (1, 0, 1, 2, 2, 1, 1, 0), "input channels"),
    ("CONV_MUL", (1, 3, 0, 2, 2, 1, 1, 0), "output channels"),
    ("CONV_MUL", (1, 3, 1, 0, 2, 1, 1, 0), "height"),
    ("CONV_MUL", (1, 3, 1, 2, 0, 1, 1, 0), "width"),
    ("CONV_MUL", (1, 3, 1, 2, 2, 0, 1, 0), "kernel"),
    ("CONV_MUL", (1, 3, 1, 2, 2, 1, 0, 0), "stride"),
    ("CONV_MUL", (1, 3, 1, 2, 2, 1, 1, TOO_MUCH), "padding"),
    ("CONV_MUL", (1, TOO_MUCH + 3, 1, 2, 2, 1, 1, 0), "input channels"),
    ("CONV_SING", (1, 3, 1, 2, 2, 1, 1, 0), "as many output channels"),
    ("CONV_3D", (1, 1, 1, 3, 2, 4, 1, 0), "window"),
    ("CONV_TPD", (1, 3, 1, 2, 2, 1, 1, 1), "output height"),
    ("FULL_CON", (1, 3, 2, 2, 0), "outputs"),
    ("FULL_CON", (1, 3, 2, 2, 1), "12 items"),
    ("POOL_MAX", (3, 2, 2, 3, 1), "window"),
    ("POOL_MAX", (3, 2, 2, 1, 0), "stride"),
    ("POOL_AVG", (3, 2, 1, 1, 1), "6 items"),
    ("POOL_OL", (3, 2, 2, 1, 2), "padding below"),
    ("POOL_OL", (3, 2, 2, 1, 3), "padding below"),
    ("MAT_MUL", (0, 1000), "second matrix of 3 rows"),
    ("MAT_MUL", (2000, 1000), "rows of matrix a"),
    ("ACT_SM0", (0,), "scale"),
    ("ACT_SM1", (-1,), "scale"),
    ("ACT_TANH", (1 << 255,), "scale"),
    ("ACT_RL", (-1,), "cap"),
    ("BUF_BIAS", (3,), "weight block"),
    ("BUF_BIAS", (5,), "multiple of 5"),
    ("MTOB", (0, TOO_MUCH), "size"),
    ("BTOM", (0, 13), "13 items"),
    ("BTOS0", (12, 1), "13 items"),
    ("BTOS0", (0, 11), "room for 11"),
    ("BTOS0", (TOO_MUCH, 0), "offset"),
    ("BTOS1", (1, 13), "13 items"),
    ("BUF_CLS", (13,), "13 items"),
    ("BUF_INIT", (TOO_MUCH,), "count"),
    ("BUF_ALLO", (TOO_MUCH,), "count"),
    ("BUF_FREE", (13,), "13 items"),
    ("BUF_COPY", (3, 2), "start <= end"),
    ("BUF_COPY", (0, 13), "start <= end"),
    ("BUF_SWAP", (), "saved"),
    ("BUF_ADD", (), "saved"),
    ("BUF_MUL", (), "saved"),
    ("BUF_CAT", (), "saved"),
    ("MTOB_PACK", (0, 1, 0), "width"),
    ("MTOB_PACK", (0, 0, 33), "width"),
    ("BTOM_PACK", (0, 12, 1), "items of 1 bytes"),
]


@pytest.fixture
def loaded(frame):
    frame.fill([*range(11), -129])
    frame.put_block(1, [1, 2, 3, 4])
    frame.put_block(5, [1, 2, 3, 4, 5])
    frame.put_words(0, [2, 3, *range(6)])
    frame.put_words(1000, [2, 2, *range(4)])
    frame.room = 10
    return frame


@pytest.mark.parametrize(("name", "operands", "message"), REFUSED)
def test_what_halts(loaded, halted, name, operands, message):
    with pytest.raises(halted) as error:
        loaded.run(name, *operands)
    assert message in str(error.value)
    assert loaded.items() == [*range(11), -129]


def test_the_65th_saved_buffer_halts(frame, halted):
    for _ in range(64):
        frame.run("BUF_COPY", 0, 0)
    with pytest.raises(halted, match="64 saved"):
        frame.run("BUF_COPY", 0, 0)


def test_storing_a_block_halts_in_a_static_call_whatever_its_operands(loaded, halted):
    loaded.is_static = True
    for size in (1, 0, 1 << 255):
        with pytest.raises(halted, match="static"):
            loaded.run("BTOS1", 1, size)


def test_storing_a_block_halts_with_the_stipend_left(loaded, halted):
    loaded.gas.remaining = 2300
    with pytest.raises(halted, match="more than 2300"):
        loaded.run("BTOS1", 1, 0)
    loaded.gas.remaining = 2301 + 2600
    loaded.run("BTOS1", 1, 0)


def test_lengths_that_differ_halt(loaded, halted):
    loaded.run("BUF_COPY", 0, 11)
    with pytest.raises(halted, match="saved Buffer of 12"):
        loaded.run("BUF_ADD")


@pytest.mark.parametrize(
    ("name", "operands"),
    [
        ("BUF_INIT", ((1 << 32) - 1,)),
        ("BUF_ALLO", ((1 << 32) - 1,)),
        ("MTOB", (0, (1 << 32) - 1)),
        ("MTOB", (1 << 200, 1)),
        ("MTOB_PACK", (0, (1 << 32) - 1, 1)),
        ("BTOM", (1 << 200, 1)),
        ("MAT_MUL", (1 << 200, 0)),
        ("CONV_MUL", (4, 1, 1, 4, 3, 1, 1, (1 << 32) - 1)),
        ("CONV_3D", (4, 1, 1, 3, 2, 1, 1, (1 << 32) - 1)),
        ("CONV_TPD", (4, 1, 1, 4, 3, 1, (1 << 32) - 1, 0)),
    ],
)
def test_sizes_are_paid_for_before_anything_is_allocated(loaded, halted, name, operands):
    loaded.gas.remaining = 30_000_000
    loaded.put_block(4, [1])
    with pytest.raises(halted, match="out of gas"):
        loaded.run(name, *operands)


def spent(frame, name, *operands):
    before = frame.gas.remaining
    frame.run(name, *operands)
    return before - frame.gas.remaining


def test_growth_is_paid_per_item_then_quadratically(frame):
    word, linear = frame.constant("buffer_word"), frame.constant("buffer_linear_items")
    per_item = frame.table.by_name["BUF_ALLO"].gas[0].constant("per_item")
    assert spent(frame, "BUF_ALLO", 1000) == 1000 * (word + per_item)
    frame.run("BUF_COPY", 0, 1000)
    assert spent(frame, "BUF_INIT", 1000) == 1000 * per_item
    beyond = 1024
    price = spent(frame, "BUF_INIT", linear - 1000 + beyond)
    grown = linear - 2000 + beyond
    assert (
        price
        == grown * word + beyond**2 // frame.constant("buffer_quadratic_divisor") + (grown + 1000) * per_item
    )


def test_blocks_are_cold_once(frame):
    frame.fill([1, 2])
    frame.put_block(1, [1 << 30] * 2)
    cold, warm = spent(frame, "BUF_BIAS", 1), spent(frame, "BUF_BIAS", 1)
    assert cold - warm == frame.constant("block_cold_access") - frame.constant("block_warm_access")


def test_a_stored_block_is_paid_by_its_bytes(frame):
    frame.fill([1, 2, 300])
    access = frame.constant("block_cold_access")
    assert spent(frame, "BTOS1", 1, 3) == access + frame.constant("block_write_byte") * 7
    assert (
        spent(frame, "BTOS1", 1, 2)
        == frame.constant("block_warm_access") + frame.constant("block_write_byte") * 3
    )


@pytest.mark.parametrize(("limit", "tier"), [(52, "narrow"), (53, "medium"), (62, "medium"), (63, "wide")])
def test_products_cost_by_their_proven_width(frame, limit, tier):
    rule = frame.table.by_name["FULL_CON"].gas[0]
    frame.blocks.touch(1)
    frame.put_block(1, [1])
    frame.fill([-(1 << limit)])
    words = -(-(1 + frame.blocks.stored[1].width) // 32)
    price = spent(frame, "FULL_CON", 1, 1, 1, 1, 1)
    fixed = frame.constant("block_warm_access") + words * frame.constant("block_read_word")
    products, read = rule.constant(f"{tier}_per_1024"), rule.constant("reads_per_1024")
    assert price - fixed == -(-products // 1024) + -(-read // 1024)


def test_gas_does_not_depend_on_the_history_of_the_buffer(new_frame):
    prices = []
    for detour in (False, True):
        frame = new_frame()
        frame.put_block(1, [1] * 4)
        frame.fill([1, 2, 3, 4])
        if detour:
            frame.run("BUF_SCL0", 1 << 200)
            frame.run("BUF_SCL1", 1 << 200)
            frame.run("BUF_ALLO", 1)
            frame.run("BUF_FREE", 1)
        prices.append(spent(frame, "FULL_CON", 1, 4, 1, 1, 1))
        prices.append(spent(frame, "BUF_SCL0", 3))
    assert prices[:2] == prices[2:]
