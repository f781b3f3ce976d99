"""The reference page ``docs/instructions.md``, made from the tables.

``python -m smartvm.instructions.reference > docs/instructions.md`` writes it anew.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from smartvm.instructions.loader import load_table
from smartvm.instructions.model import Gas, Instruction, InstructionTable

#: Headings of the families, in the page's order; the rows of ranges (PUSH1 ... PUSH32) are folded into one.
_FAMILIES = {
    "arithmetic": "Arithmetic",
    "comparison": "Comparison",
    "bitwise": "Bits",
    "hash": "Hash",
    "environment": "Environment and block",
    "memory": "Memory",
    "storage": "Storage",
    "control": "Control flow",
    "stack": "Stack",
    "push": "Constants",
    "dup": "Copies of stack words",
    "swap": "Exchanges of stack words",
    "log": "Events",
    "call": "Calls and contracts",
    "dnn": "DNN instructions",
}


def _price(gas: Gas) -> str:
    text = str(gas.base)
    if gas.dynamic:
        constants = ", ".join(f"{name} {value}" for name, value in gas.constants)
        text += f" + [{gas.dynamic}](#{gas.dynamic})" + (f" ({constants})" if constants else "")
    return text


def _gas(instruction: Instruction) -> str:
    if len(instruction.gas) == 1:
        return _price(instruction.gas[0])
    return "<br>".join(f"{gas.since}: {_price(gas)}" for gas in reversed(instruction.gas))


def _forks(instruction: Instruction, table: InstructionTable) -> str:
    parts = [] if instruction.since == table.forks[0] else [f"since {instruction.since}"]
    return ", ".join(parts + ([f"until {instruction.until}"] if instruction.until else []))


def _effects(instruction: Instruction) -> str:
    effects = instruction.effects
    words = []
    if effects.reads:
        words.append("reads " + ", ".join(sorted(effects.reads)))
    if effects.writes:
        words.append("writes " + ", ".join(sorted(effects.writes)))
    if effects.terminates:
        words.append("reverts" if effects.reverts else "ends the call")
    return "; ".join(words)


def _row(instruction: Instruction, table: InstructionTable) -> str:
    if instruction.result_count is not None:
        count = instruction.result_count
        results = f"`{count.operand}` words (in Yul a literal, {count.minimum} to {count.maximum})"
    else:
        results = ", ".join(f"`{name}`" for name in instruction.results)
    cells = [
        f"0x{instruction.opcode:02x}",
        f"**{instruction.name}**",
        ", ".join(f"`{name}`" for name in instruction.operands),
        results,
        _gas(instruction),
        _forks(instruction, table),
        " ".join(
            filter(
                None, (instruction.description, f"*{_effects(instruction)}*" if _effects(instruction) else "")
            )
        ),
        instruction.reference,
    ]
    return "| " + " | ".join(cells) + " |"


def _folded(first: Instruction, last: Instruction, what: str) -> str:
    opcodes, names = f"0x{first.opcode:02x} to 0x{last.opcode:02x}", f"**{first.name}** to **{last.name}**"
    return f"| {opcodes} | {names} | | | {_gas(first)} | | {what} | |"


def _family(rows: list[Instruction], family: str, table: InstructionTable) -> Iterator[str]:
    yield "| opcode | name | operands, top first | results | gas | forks | what it does | source |"
    yield "|---|---|---|---|---|---|---|---|"
    if family in ("dup", "swap"):
        what = (
            "Copies the Nth word of the stack to its top."
            if family == "dup"
            else "Exchanges the 1st and the (N+1)th word."
        )
        yield _folded(rows[0], rows[-1], what)
        return
    if family == "push":
        yield _row(rows[0], table)
        yield _folded(rows[1], rows[-1], "Pushes the N-byte number that follows.")
        return
    for row in rows:
        yield _row(row, table)


def reference_page() -> str:
    """The page's whole text."""
    table, paper = load_table("default"), load_table("paper")
    lines = [
        "# Instructions",
        "",
        "Made from `instruction_table.toml` by `python -m smartvm.instructions.reference`; do not edit.",
        "In Yul and inline assembly an instruction is a builtin function of its name in lower case, with its",
        "operands as arguments in this order (what only moves words on the stack, or jumps, has none).",
        "[new-opcode.md](new-opcode.md) shows how to add instructions of your own.",
        "",
        "Three tables ship: `default` is this page; `evm` has Ethereum's instructions alone; `paper` has the",
        "opcodes of the SmartVM paper's Table 1, for which some instructions move:",
        "",
        "| instruction | default | paper |",
        "|---|---|---|",
    ]
    for instruction in table.instructions:
        other = paper.by_name[instruction.name]
        if other.opcode != instruction.opcode:
            lines.append(f"| {instruction.name} | 0x{instruction.opcode:02x} | 0x{other.opcode:02x} |")
    families = {**_FAMILIES, **{i.family: i.family for i in table.instructions if i.family not in _FAMILIES}}
    for family, heading in families.items():
        rows = [i for i in table.instructions if i.family == family]
        lines += ["", f"## {heading}", "", *_family(rows, family, table)]
    lines += ["", "## Gas rules", "", "Beside an instruction's constant part, by name:", ""]
    for rule in table.gas_rules:
        constants = (
            f" Constants: {', '.join(f'`{name}`' for name in rule.constants)}." if rule.constants else ""
        )
        lines.append(f'- <a id="{rule.name}"></a>**{rule.name}**: {rule.formula}.{constants}')
    lines += ["", "## Constants", "", "| name | value |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in table.constants]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(reference_page())
