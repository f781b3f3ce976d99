"""Gas rules of the DNN instructions: functions of operands, lengths and proven widths only, with the table's
numbers.

Every rule charges before the work is done and before anything is allocated. What a *proven width* is: the
bits of the largest magnitude that any partial sum of an instruction can reach, from the exact extremes of the
Buffer and of the weights and the number of terms. All of these are visible facts of the items, so every
implementation charges the same.
"""

from __future__ import annotations

from smartvm.vm.extension import InstructionContext


def ceiling_ratio(amount: int, per_1024: int) -> int:
    """``amount`` units at ``per_1024`` gas for 1,024 of them, rounded up."""
    return -(-amount * per_1024 // 1024)


def frame_items(context: InstructionContext) -> int:
    """Items in the frame's Buffer and saved Buffers together."""
    return len(context.buffer) + sum(map(len, context.saved_buffers))


def charge_growth(context: InstructionContext, new_items: int, old_items: int = 0) -> None:
    """Charge for the frame's Buffers growing by ``new_items`` while ``old_items`` go away (nothing when they
    shrink).

    Like memory: linear per item; with a quadratic part beyond ``buffer_linear_items`` in all.
    """
    before = frame_items(context)
    after = before + new_items - old_items
    if after > before:
        context.gas.charge(_price_of_items(context, after) - _price_of_items(context, before))


def _price_of_items(context: InstructionContext, count: int) -> int:
    beyond = max(0, count - context.constant("buffer_linear_items"))
    return count * context.constant("buffer_word") + beyond * beyond // context.constant(
        "buffer_quadratic_divisor"
    )


def width_tier(context: InstructionContext, bound: int) -> str:
    """The tier of a proven magnitude: ``narrow``, ``medium`` or ``wide``."""
    bits = bound.bit_length()
    if bits <= context.constant("narrow_bits"):
        return "narrow"
    return "medium" if bits <= context.constant("medium_bits") else "wide"


def charge_products(context: InstructionContext, products: int, reads: int, bound: int) -> None:
    """Charge ``products`` multiply-accumulates whose sums stay within ``bound`` over ``reads`` gathered
    items."""
    rule = context.gas_rule
    price = ceiling_ratio(products, rule.constant(f"{width_tier(context, bound)}_per_1024"))
    if reads:
        price += ceiling_ratio(reads, rule.constant("reads_per_1024"))
    context.gas.charge(price)


def charge_window_reads(context: InstructionContext, reads: int, bound: int) -> None:
    """Charge a pooling instruction's window reads, of which the sums stay within ``bound``."""
    context.gas.charge(
        ceiling_ratio(reads, context.gas_rule.constant(f"{width_tier(context, bound)}_per_1024"))
    )


def charge_items(context: InstructionContext, count: int, bound: int = 0) -> None:
    """Charge an item-wise instruction over ``count`` items, of which no magnitude exceeds ``bound``."""
    name = "per_item" if is_cheap_item(context, bound) else "wide_per_item"
    context.gas.charge(count * context.gas_rule.constant(name))


def is_cheap_item(context: InstructionContext, bound: int) -> bool:
    """Whether items of no magnitude beyond ``bound`` certainly cost ``per_item``, whatever they are exactly."""
    return bound.bit_length() <= context.constant("medium_bits")


def charge_words_read(context: InstructionContext, words: int) -> None:
    """Charge reading words of Memory as items."""
    context.gas.charge(words * context.gas_rule.constant("per_item"))


def charge_activation(context: InstructionContext, count: int, scale: int) -> None:
    """Charge a correctly rounded activation: scales beyond ``activation_scale_bits`` need more precision."""
    wide = scale.bit_length() > context.constant("activation_scale_bits")
    context.gas.charge(count * context.gas_rule.constant("wide_per_item" if wide else "per_item"))
