"""How many instructions a program executes, counted at the speed of the interpreter: gas under a table in which each
instruction costs 1 and nothing else costs anything."""

from __future__ import annotations

from dataclasses import replace

from smartvm.instructions.model import Gas, InstructionTable

#: So large that a quotient by it is 0, and a limit of it is never passed.
_NEVER = 1 << 62

#: Constants of calls that say how much gas is passed on, not what something costs.
_KEPT = {"kept_fraction"}

#: Constants of the table that are prices, or divisors of prices.
_FREE = {
    "memory_word": 0,
    "memory_quadratic_divisor": _NEVER,
    "buffer_word": 0,
    "buffer_linear_items": _NEVER,
    "buffer_quadratic_divisor": _NEVER,
    "block_cold_access": 0,
    "block_warm_access": 0,
    "block_read_word": 0,
    "block_write_byte": 0,
    "block_write_stipend_guard": 0,
}


def counting_table(table: InstructionTable) -> InstructionTable:
    """The table with every instruction at 1 gas: what a message call then uses is the number of instructions that it
    executed, where it makes no call with value, no refund and no program that looks at its gas. The digest stays, since
    it leaves gas out: artifacts of ``table`` run."""
    rows = tuple(replace(row, gas=tuple(_one_each(gas) for gas in row.gas)) for row in table.instructions)
    constants = tuple((name, _FREE.get(name, value)) for name, value in table.constants)
    return replace(table, instructions=rows, constants=constants)


def _one_each(gas: Gas) -> Gas:
    constants = tuple((name, value if name in _KEPT else 0) for name, value in gas.constants)
    return replace(gas, base=1, constants=constants)
