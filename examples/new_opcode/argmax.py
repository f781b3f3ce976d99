"""The kernel of BUF_ARGMAX: a Python function. Its gas is charged before its work is done."""

from smartvm.vm.extension import InstructionContext


def buf_argmax(context: InstructionContext) -> int:
    """The index of the Buffer's greatest item."""
    items = len(context.buffer)
    if items == 0:
        raise context.halt("at least 1 item in the Buffer", "0 items")
    context.gas.charge(context.gas_rule.constant("per_item") * items)
    values = context.buffer.to_integers()
    return values.index(max(values))
