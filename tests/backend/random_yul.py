"""Random Yul programs that end, for comparing compiled code with the evaluator of trees.

Programs keep to Solidity's memory model, so that values may be kept in memory; nothing they show depends on
where allocated memory lies. ``width`` is how many variables live at once: beyond sixteen, some cannot stay on
the stack.
"""

from __future__ import annotations

import random

_BINARY = [
    "add",
    "sub",
    "mul",
    "div",
    "sdiv",
    "mod",
    "smod",
    "and",
    "or",
    "xor",
    "eq",
    "lt",
    "gt",
    "slt",
    "sgt",
    "shl",
    "shr",
    "sar",
    "byte",
    "signextend",
    "exp",
]
_NUMBERS = (0, 1, 2, 3, 5, 31, 32, 255, 256, 0xFFFF, 1 << 128, (1 << 160) - 1, (1 << 255), (1 << 256) - 1)


class ProgramWriter:
    """Writes one program; everything follows from the seed."""

    def __init__(self, seed: int, width: int = 6) -> None:
        self.random = random.Random(seed)
        self.width = width
        self.counter = 0
        self.functions: list[tuple[str, int, int]] = []
        self.lines: list[str] = []
        self.current = ""
        self.in_loop = 0
        self.loop_nesting = 0
        self.returns: list[str] = []

    def name(self) -> str:
        self.counter += 1
        return f"v{self.counter}"

    def program(self) -> str:
        """The text of an object."""
        choice = self.random
        definitions: list[str] = []
        for i in range(choice.randrange(4)):
            parameters, returns = choice.randrange(self.width), choice.randrange(3)
            if choice.random() < 0.1:
                parameters, returns = 18 + choice.randrange(4), choice.choice((1, 17))
            definitions.append(self.function(f"f{i}", parameters, returns))
        body = self.statements([], 3, 4 + choice.randrange(5))
        show = "sstore(100, mload(0)) sstore(101, mload(32)) sstore(102, keccak256(mload(64), 128))"
        code = "mstore(64, memoryguard(0x80))\n" + body + "\n" + show + "\n" + "\n".join(definitions)
        return f'object "t" {{ code {{ {code} }} }}'

    def function(self, name: str, parameters: int, returns: int) -> str:
        choice = self.random
        names = [self.name() for _ in range(parameters)]
        results = [self.name() for _ in range(returns)]
        recursive = choice.random() < 0.4
        head = ", ".join(["fuel", *names])
        self.current = name if recursive else ""
        self.own = (name, parameters, returns)
        outer, self.returns = self.returns, results
        self.inside = True
        body = self.statements([*names, *results], 2, 2 + choice.randrange(5))
        self.inside = False
        self.returns = outer
        self.current = ""
        self.functions.append((name, parameters, returns))
        arrow = f" -> {', '.join(results)}" if results else ""
        return f"function {name}({head}){arrow} {{ if iszero(fuel) {{ leave }}\n{body} }}"

    inside = False

    def statements(self, variables: list[str], depth: int, count: int) -> str:
        variables = list(variables)
        out: list[str] = []
        for _ in range(count):
            out.append(self.statement(variables, depth))
        return "\n".join(out)

    def statement(self, variables: list[str], depth: int) -> str:
        choice = self.random
        kind = choice.randrange(20)
        if kind < 6 or not variables:
            if len(variables) > self.width and variables:
                return f"{choice.choice(variables)} := {self.expression(variables, 3)}"
            name = self.name()
            text = f"let {name} := {self.expression(variables, 3)}"
            variables.append(name)
            return text
        if kind < 9:
            return f"{choice.choice(variables)} := {self.expression(variables, 3)}"
        if kind == 9:
            return f"sstore({self.small(variables)}, {self.expression(variables, 2)})"
        if kind == 10:
            return f"mstore({self.address(variables)}, {self.expression(variables, 2)})"
        if kind == 11:
            return f"log1({choice.choice((0, 5))}, {choice.choice((0, 32))}, {self.expression(variables, 1)})"
        if kind == 12 and self.functions:
            name, parameters, returns = choice.choice(self.functions)
            return self.call_statement(variables, name, parameters, returns, "3")
        if kind == 13 and self.current:
            return self.call_statement(variables, *self.own, "sub(fuel, 1)")
        if depth == 0:
            return f"tstore({self.small(variables)}, {self.expression(variables, 2)})"
        if kind < 16:
            condition, body = self.expression(variables, 2), self.statements(variables, depth - 1, 2)
            return f"if {condition} {{ {body} {self.way_out()}}}"
        if kind < 18:
            cases = choice.sample(range(9), choice.randrange(1, 8))
            text = f"switch and({self.expression(variables, 2)}, 7)\n"
            for case in cases:
                text += f"case {case} {{ {self.statements(variables, depth - 1, 1)} {self.way_out()}}}\n"
            if choice.random() < 0.6:
                text += f"default {{ {self.statements(variables, depth - 1, 1)} }}"
            return text
        if self.loop_nesting < 2:
            index = self.name()
            self.loop_nesting += 1
            outer, self.in_loop = self.in_loop, 1
            # The index is not assigned in the body, so that the loop ends.
            body = self.statements(variables, depth - 1, 2)
            self.in_loop = outer
            self.loop_nesting -= 1
            more = self.expression([*variables, index], 1)
            return (
                f"for {{ let {index} := 0 }} and(lt({index}, {choice.randrange(5)}), or(1, {more})) "
                f"{{ {index} := add({index}, 1) }} {{ {body} }}"
            )
        return f"{{ {self.statements(variables, depth - 1, 2)} }}"

    def call_statement(
        self, variables: list[str], name: str, parameters: int, returns: int, fuel: str
    ) -> str:
        arguments = ", ".join([fuel, *(self.expression(variables, 1) for _ in range(parameters))])
        call = f"{name}({arguments})"
        if returns == 0:
            return call
        targets = [self.name() for _ in range(returns)]
        variables.extend(targets)
        return f"let {', '.join(targets)} := {call}"

    def way_out(self) -> str:
        choice = self.random.random()
        if choice < 0.1:
            return "revert(0, 64) "
        if choice < 0.15:
            return "mstore(0, 7) return(0, 32) "
        if self.in_loop and choice < 0.4:
            return "break " if choice < 0.28 else "continue "
        if self.inside and choice < 0.5:
            return "leave "
        return ""

    def small(self, variables: list[str]) -> str:
        return self.random.choice((str(self.random.randrange(4)), f"and({self.expression(variables, 1)}, 3)"))

    def address(self, variables: list[str]) -> str:
        choice = self.random.randrange(4)
        if choice == 0:
            return str(self.random.choice((0, 32)))
        if choice == 1:
            return f"and({self.expression(variables, 1)}, 31)"
        if choice == 2:
            return f"add(mload(64), {self.random.randrange(100)})"
        return f"add(mload(64), and({self.expression(variables, 1)}, 127))"

    def expression(self, variables: list[str], depth: int) -> str:
        choice = self.random
        kind = choice.randrange(16)
        if depth == 0 or kind < 3:
            if variables and choice.random() < 0.7:
                return choice.choice(variables)
            return str(choice.choice(_NUMBERS)) if choice.random() < 0.8 else hex(choice.getrandbits(256))
        if kind < 9:
            name = choice.choice(_BINARY)
            return f"{name}({self.expression(variables, depth - 1)}, {self.expression(variables, depth - 1)})"
        if kind == 9:
            return f"{choice.choice(('iszero', 'not'))}({self.expression(variables, depth - 1)})"
        if kind == 10:
            return f"sload({self.small(variables)})"
        if kind == 11:
            return f"mload({self.address(variables)})"
        if kind == 12:
            return f"calldataload({self.small(variables)})"
        if kind == 13:
            return choice.choice(
                ("caller()", "calldatasize()", "keccak256(0, 64)", "tload(1)", "callvalue()")
            )
        if kind == 14:
            name = choice.choice(("addmod", "mulmod"))
            return f"{name}({', '.join(self.expression(variables, depth - 1) for _ in range(3))})"
        single = [f for f in self.functions if f[2] == 1 and f[1] < 8]
        if single:
            name, parameters, _ = choice.choice(single)
            arguments = ", ".join(["2", *(self.expression(variables, depth - 1) for _ in range(parameters))])
            return f"{name}({arguments})"
        return f"sload({self.small(variables)})"
