"""Instructions of the user's own whose meaning a table gives in Yul.

Where the VM has such an instruction, a call of it is one opcode, and the VM runs its *microcode*: the same
Yul text compiled by the same compiler. Where the VM lacks it, calls become calls of an ordinary Yul
function with that text as its body, which the optimizer may inline. Both have the same meaning because both
are that one text; so the text may not look at what differs between the two: the gas left, and the code that
is executing.
"""

from __future__ import annotations

from collections.abc import Iterator

from smartvm.compiler.diagnostics import DiagnosticSink, FatalDiagnostic
from smartvm.compiler.source import SourceRange, SourceText
from smartvm.compiler.yul import ast
from smartvm.compiler.yul.checker import check_block
from smartvm.compiler.yul.dialect import Dialect
from smartvm.compiler.yul.parser import YulParser
from smartvm.compiler.yul.tokens import tokenize
from smartvm.instructions.errors import TableError, table_error
from smartvm.instructions.model import Instruction
from smartvm.instructions.rows import YUL_KEYWORDS
from smartvm.records import replace

#: What reads the executing code, which microcode is not part of.
_CODE_READERS = frozenset(("codesize", "codecopy"))
#: What comes before an instruction's name in the name of the function that stands for it.
HELPER_PREFIX = "instruction_"


def helper_function(instruction: Instruction, dialect: Dialect) -> ast.FunctionDefinition:
    """The checked Yul function ``instruction_<name>`` that does what the instruction does.

    Raises ``TableError``, with the place in the table, when its Yul text is wrong.
    """
    definition = _parse(instruction)
    _check(instruction, definition, dialect)
    return definition


def _text_error(instruction: Instruction, message: str, source: SourceText, at: SourceRange) -> TableError:
    """An error at a place in the Yul text, found again in the table's file by the text of its line."""
    line, column = source.line_column(max(at.start, 0))
    text = source.line_text(line)
    shown = text.strip()
    return table_error(
        instruction.defined_in or "<table>",
        ("instructions", instruction.name, "yul"),
        f"`{instruction.name}`: in its Yul: {message}",
        needle=shown or None,
        offset=max(column - 1 - (len(text) - len(text.lstrip())), 0),
    )


def _parse(instruction: Instruction) -> ast.FunctionDefinition:
    if instruction.implementation is None or instruction.implementation.kind != "yul":
        raise ValueError(f"{instruction.name} is not implemented in Yul")
    source = SourceText("yul", instruction.implementation.text, 0)
    sink = DiagnosticSink()
    tokens = tokenize(source)

    def parser() -> YulParser:
        made = YulParser(tokens.texts, tokens=tokens, file=0, sink=sink)
        made.inside_function = True
        return made

    statements: tuple[ast.Statement, ...]
    try:
        expression = _whole_expression(parser())
        if expression is None:
            sink.items.clear()
            statements = parser().statements_to_end().statements
        elif len(instruction.results) == 0:
            statements = (ast.ExpressionStatement(expression, expression.source),)
        else:
            statements = (ast.Assignment(instruction.results, expression, expression.source),)
    except (FatalDiagnostic, RecursionError):
        statements = ()
    if sink.has_errors:
        first = sink.items[0]
        raise _text_error(instruction, first.message, source, first.source)
    return ast.FunctionDefinition(
        HELPER_PREFIX + instruction.yul_name, instruction.operands, instruction.results, ast.Block(statements)
    )


def _whole_expression(parser: YulParser) -> ast.Expression | None:
    try:
        expression = parser.expression()
    except FatalDiagnostic:
        return None
    return expression if not parser.texts[parser.position] else None


def _check(instruction: Instruction, definition: ast.FunctionDefinition, dialect: Dialect) -> None:
    implementation = instruction.implementation
    source = SourceText("yul", implementation.text if implementation else "", 0)
    sink = DiagnosticSink()
    inline = Dialect(dialect.table, dialect.fork, objects=False)
    for key, names in (("operands", instruction.operands), ("results", instruction.results)):
        for name in names:
            if inline.find(name) is not None or inline.is_reserved(name) or name in YUL_KEYWORDS:
                raise table_error(
                    instruction.defined_in or "<table>",
                    ("instructions", instruction.name, key),
                    f"`{instruction.name}`: `{name}` is a word of Yul, no name for one of its {key}",
                    needle=f'"{name}"',
                )
    check_block(ast.Block((definition,)), inline, sink)
    for item in sink.items:
        if item.severity != "error":
            continue
        message = item.message
        if item.code in (8198, 4634):
            known = ", ".join((*instruction.operands, *instruction.results)) or "none"
            message += f" It is neither an operand nor a result of the instruction (these are: {known})."
        raise _text_error(instruction, message, source, item.source)
    _check_calls(instruction, definition, inline, source)
    if any(isinstance(statement, ast.ForLoop) for statement in _statements(definition.body)) and not any(
        gas.dynamic == "microcode" for gas in instruction.gas
    ):
        raise table_error(
            instruction.defined_in or "<table>",
            ("instructions", instruction.name, "gas"),
            f"`{instruction.name}`: its Yul has a loop, so its gas must depend on how often that runs",
            hint='gas = { base = 5, dynamic = "microcode", percent = 50 } charges half of its code\'s gas',
        )


def _check_calls(
    instruction: Instruction, definition: ast.FunctionDefinition, dialect: Dialect, source: SourceText
) -> None:
    """Refuse builtins whose result differs between the two ways to run the text, and effects that the row
    does not tell: the optimizer believes the row."""
    declared = instruction.effects
    for call in calls_in(definition.body):
        builtin = dialect.find(call.name)
        if builtin is None or builtin.instruction is None:
            continue
        effects = builtin.instruction.effects
        problem = None
        if "gas" in effects.reads:
            problem = "depends on the gas left, which an instruction's Yul must not do."
        elif call.name in _CODE_READERS:
            problem = "reads the executing code, which an instruction's Yul must not do."
        elif effects.terminates and not effects.reverts:
            problem = "would end the call, which an instruction's Yul must not do."
        elif missing := sorted(effects.writes - declared.writes):
            problem = f'writes {missing[0]}: say so in the row, `writes = ["{missing[0]}"]`.'
        elif missing := sorted(effects.reads - declared.reads):
            problem = f'reads {missing[0]}: say so in the row, `reads = ["{missing[0]}"]`.'
        elif effects.reverts and not declared.writes:
            # Without any write the optimizer would drop a call whose results nobody uses, and the revert
            # with it.
            problem = 'may revert, so the call must not be dropped: say `writes = ["state"]` in the row.'
        if problem:
            raise _text_error(instruction, f"`{call.name}` {problem}", source, call.source)


def _statements(block: ast.Block) -> Iterator[ast.Statement]:
    pending: list[ast.Statement] = list(reversed(block.statements))
    while pending:
        statement = pending.pop()
        yield statement
        match statement:
            case ast.Block(statements):
                pending.extend(reversed(statements))
            case ast.FunctionDefinition(body=body) | ast.If(body=body):
                pending.append(body)
            case ast.Switch(_, cases):
                pending.extend(case.body for case in reversed(cases))
            case ast.ForLoop(pre, _, post, body):
                pending.extend((body, post, pre))
            case _:
                continue


def calls_in(block: ast.Block) -> Iterator[ast.FunctionCall]:
    """Every call in a block and in what it nests."""
    for statement in _statements(block):
        pending: list[ast.Expression] = []
        match statement:
            case ast.ExpressionStatement(expression) | ast.Switch(expression) | ast.If(expression):
                pending = [expression]
            case ast.ForLoop(_, condition):
                pending = [condition]
            case ast.VariableDeclaration(_, value) | ast.Assignment(_, value) if value is not None:
                pending = [value]
            case _:
                continue
        while pending:
            current = pending.pop()
            if isinstance(current, ast.FunctionCall):
                yield current
                pending.extend(current.arguments)


class ExtensionExpander:
    """Replaces calls of instructions given in Yul by calls of their helper functions."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self._instructions = {
            i.yul_name: i
            for i in dialect.table.instructions
            if i.implementation is not None
            and i.implementation.kind == "yul"
            and dialect.table.has(i, dialect.fork)
        }
        self._kernels = {
            i.yul_name: i
            for i in dialect.table.instructions
            if i.implementation is not None and i.implementation.kind == "kernel"
        }

    def object(self, yul_object: ast.Object) -> ast.Object:
        """The object, and those in it, without such instructions. Raises ``TableError`` for an instruction
        that has a kernel only: nothing but a VM that has it can do what it does."""
        parts = tuple(
            self.object(part) if isinstance(part, ast.Object) else part for part in yul_object.sub_objects
        )
        return replace(yul_object, code=self.block(yul_object.code), sub_objects=parts)

    def block(self, block: ast.Block) -> ast.Block:
        """A block with no scope around it, likewise; the helper functions stand at its end."""
        used: dict[str, ast.FunctionDefinition] = {}
        self._collect(block, used, ())
        if not used:
            return block
        renamed = _rename_block(block, used)
        helpers = tuple(replace(f, body=_rename_block(f.body, used)) for f in used.values())
        return replace(renamed, statements=(*renamed.statements, *helpers))

    def _collect(
        self, block: ast.Block, used: dict[str, ast.FunctionDefinition], chain: tuple[str, ...]
    ) -> None:
        for call in calls_in(block):
            if call.name in self._kernels:
                kernel = self._kernels[call.name]
                raise table_error(
                    kernel.defined_in or "<table>",
                    ("instructions", kernel.name),
                    f"`{kernel.name}` is given by a kernel, so only a VM that has it can execute it",
                    hint="give it in Yul, or compile for a VM with this table",
                )
            instruction = self._instructions.get(call.name)
            if instruction is None:
                continue
            if call.name in chain:
                circle = " -> ".join((*chain[chain.index(call.name) :], call.name))
                raise table_error(
                    instruction.defined_in or "<table>",
                    ("instructions", instruction.name, "yul"),
                    f"`{instruction.name}` is defined by itself: {circle}",
                )
            if call.name not in used:
                definition = helper_function(instruction, self.dialect)
                self._collect(definition.body, used, (*chain, call.name))
                used[call.name] = definition


def _rename_block(block: ast.Block, used: dict[str, ast.FunctionDefinition]) -> ast.Block:
    def expression(node: ast.Expression) -> ast.Expression:
        if not isinstance(node, ast.FunctionCall):
            return node
        name = used[node.name].name if node.name in used else node.name
        return ast.FunctionCall(name, tuple([expression(a) for a in node.arguments]), node.source)

    def statement(node: ast.Statement) -> ast.Statement:
        match node:
            case ast.ExpressionStatement(value):
                return replace(node, expression=expression(value))
            case ast.VariableDeclaration(_, value) if value is not None:
                return replace(node, value=expression(value))
            case ast.Assignment(_, value):
                return replace(node, value=expression(value))
            case ast.Block():
                return inner(node)
            case ast.FunctionDefinition(body=body):
                return replace(node, body=inner(body))
            case ast.If(condition, body):
                return replace(node, condition=expression(condition), body=inner(body))
            case ast.Switch(value, cases):
                return replace(
                    node,
                    expression=expression(value),
                    cases=tuple([replace(c, body=inner(c.body)) for c in cases]),
                )
            case ast.ForLoop(pre, condition, post, body):
                return replace(
                    node, pre=inner(pre), condition=expression(condition), post=inner(post), body=inner(body)
                )
            case _:
                return node

    def inner(node: ast.Block) -> ast.Block:
        return replace(node, statements=tuple([statement(s) for s in node.statements]))

    return inner(block)


def microcode_object(instruction: Instruction, dialect: Dialect) -> ast.Object:
    """A Yul object whose bytecode is the instruction's microcode.

    The VM starts it on a stack of its own that holds one zero word and above it the operands, the first on
    top; it ends with STOP, the results on top of the stack, the first uppermost. Everything else (memory,
    storage, Buffer, returndata ...) is the frame's.
    """
    name = HELPER_PREFIX + instruction.yul_name
    arguments = tuple(f"operand_{i}" for i in range(len(instruction.operands)))
    results = tuple(f"result_{i}" for i in range(len(instruction.results)))
    call: ast.Expression = ast.FunctionCall(instruction.yul_name, tuple(ast.Identifier(a) for a in arguments))
    statements: list[ast.Statement] = []
    # The words are on the stack already: code of one JUMPDEST "returns" them. The zero word keeps the call
    # from being a one-value expression, which could be evaluated after other values have been pushed.
    entry = ast.FunctionCall(f"verbatim_0i_{len(arguments) + 1}o", (_opcode("JUMPDEST", dialect),))
    statements.append(ast.VariableDeclaration((*arguments, "bottom"), entry))
    if results:
        statements.append(ast.VariableDeclaration(results, call))
    else:
        statements.append(ast.ExpressionStatement(call))
    leave = ast.FunctionCall(
        f"verbatim_{len(results)}i_0o", (_opcode("STOP", dialect), *(ast.Identifier(r) for r in results))
    )
    statements.append(ast.ExpressionStatement(leave))
    code = ExtensionExpander(dialect).block(ast.Block(tuple(statements)))
    return ast.Object(name, code)


def _opcode(name: str, dialect: Dialect) -> ast.Literal:
    data = bytes([dialect.table.by_name[name].opcode])
    return ast.Literal("hex_string", int.from_bytes(data.ljust(32, b"\0"), "big"), data, f'hex"{data.hex()}"')
