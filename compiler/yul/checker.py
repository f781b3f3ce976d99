"""Checks a Yul tree: scopes, names, arities, literals, and which builtins the EVM version has.

The rules are those of docs/yul.rst ("Scoping Rules", "Formal Specification"); codes are solc's where it has
them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal as OneOf
from typing import Protocol

from smartvm.compiler.diagnostic_codes import NOT_IN_FORK, OPERAND_COUNT, RESULT_COUNT
from smartvm.compiler.diagnostics import ONCE_A_COMPILATION, Diagnostic, DiagnosticSink
from smartvm.compiler.source import SourceRange, SourceText
from smartvm.compiler.yul import ast
from smartvm.compiler.yul.dialect import BuiltinFunction, Dialect, is_own_instruction
from smartvm.compiler.yul.name_places import name_places, place_after
from smartvm.compiler.yul.printer import print_literal
from smartvm.records import dataclass, field

#: How inline assembly uses a name that its own scopes do not have.
NameUse = OneOf["value", "assignment", "call"]


class ExternalNames(Protocol):
    """What inline assembly sees of the Solidity around it."""

    def resolve(self, name: str, source: SourceRange, use: NameUse, inside_function: bool) -> bool:
        """Whether the name is found outside; the resolver reports its own errors about how it is used and
        then answers True as well. False: the checker reports the name as not found."""
        ...

    def is_taken(self, name: str) -> bool:
        """Whether a Yul variable or function of that name would shadow a Solidity declaration (solc 3859)."""
        ...


class _NoNames:
    def resolve(self, name: str, source: SourceRange, use: NameUse, inside_function: bool) -> bool:
        return False

    def is_taken(self, name: str) -> bool:
        return False


def check_object(
    yul_object: ast.Object, dialect: Dialect, sink: DiagnosticSink, text: SourceText | None = None
) -> None:
    """Check the code of an object and of all objects in it; ``text`` as for ``check_block``."""
    pending = [yul_object]
    while pending:
        current = pending.pop()
        check_block(current.code, dialect, sink, data_names=data_names(current), text=text)
        pending.extend(part for part in reversed(current.sub_objects) if isinstance(part, ast.Object))


def check_block(
    block: ast.Block,
    dialect: Dialect,
    sink: DiagnosticSink,
    *,
    external: ExternalNames | None = None,
    data_names: Iterable[str] = (),
    text: SourceText | None = None,
) -> None:
    """Check a block with no scope around it. ``text`` is what its ranges refer to: with it, errors about a
    name that is declared or assigned to point at the name instead of its statement. ``external`` resolves
    names of inline assembly; ``data_names`` are what ``datasize`` and ``dataoffset`` may name."""
    checker = _Checker(dialect, sink, external or _NoNames(), frozenset(data_names), text)
    try:
        checker.block(block, _Scope(None, False))
    except RecursionError:
        sink.error("ParserError", 7319, block.source, "Maximum recursion depth reached during parsing.")


def data_names(yul_object: ast.Object) -> list[str]:
    """What the object's code may name: itself, its sub-objects and data, and with dots what lies inside
    those."""
    names = [yul_object.name]
    pending: list[tuple[str, ast.Object]] = [("", yul_object)]
    while pending:
        prefix, current = pending.pop()
        for part in current.sub_objects:
            if part.name.startswith("."):
                continue
            names.append(prefix + part.name)
            if isinstance(part, ast.Object):
                pending.append((f"{prefix}{part.name}.", part))
    return names


@dataclass(slots=True)
class _Function:
    parameters: int
    returns: int


@dataclass(slots=True)
class _Scope:
    """Names of a block: None for a variable. ``later``: variables that the block declares further down."""

    parent: _Scope | None
    is_function: bool
    names: dict[str, _Function | None] = field(default_factory=dict)
    later: set[str] = field(default_factory=set)

    def exists(self, name: str) -> bool:
        scope: _Scope | None = self
        while scope is not None:
            if name in scope.names:
                return True
            scope = scope.parent
        return False

    @property
    def inside_function(self) -> bool:
        scope: _Scope | None = self
        while scope is not None:
            if scope.is_function:
                return True
            scope = scope.parent
        return False


_MISSING = object()


class _Checker:
    def __init__(
        self,
        dialect: Dialect,
        sink: DiagnosticSink,
        external: ExternalNames,
        data_names: frozenset[str],
        text: SourceText | None,
    ) -> None:
        self.dialect = dialect
        self.sink = sink
        self.external = external
        self.data_names = data_names
        self.text = text
        self.misnamed: set[str] = set()

    # --- declarations -----------------------------------------------------------------------------

    def _check_name(self, name: str, source: SourceRange) -> None:
        if self.dialect.find(name) is not None:
            message = f'Cannot use builtin function name "{name}" as identifier name.'
            self.sink.error("ParserError", 5568, source, message)
            self.misnamed.add(name)
            return
        if name.endswith("."):
            message = f'"{name}" is not a valid identifier (ends with a dot).'
            self.sink.error("SyntaxError", 3384, source, message)
        if ".." in name:
            message = f'"{name}" is not a valid identifier (contains consecutive dots).'
            self.sink.error("SyntaxError", 7771, source, message)
        if self.dialect.is_reserved(name):
            message = f'The identifier "{name}" is reserved and can not be used.'
            self.sink.error("DeclarationError", 5017, source, message)
        if self.external.is_taken(name):
            message = f"This declaration shadows a declaration outside the inline assembly block: `{name}`."
            self.sink.error("DeclarationError", 3859, source, message)

    def _declare_variable(self, name: str, place: SourceRange, source: SourceRange, scope: _Scope) -> None:
        self._check_name(name, place)
        if scope.exists(name):
            message = f"Variable name {name} already taken in this scope."
            self.sink.error("DeclarationError", 1395, source, message)
        scope.names.setdefault(name, None)
        scope.later.discard(name)

    def _declare_variables(
        self, names: tuple[str, ...], source: SourceRange, scope: _Scope, after: str | None = None
    ) -> None:
        """Declare names that stand in the statement at ``source``, behind the name ``after``."""
        if all(self._is_right(name, scope) for name in names) and len(set(names)) == len(names):
            for name in names:
                scope.names[name] = None
                scope.later.discard(name)
            return
        before = (after,) if after is not None else ()
        places = name_places((*before, *names), source, self.text)[len(before) :]
        for name, place in zip(names, places, strict=True):
            self._declare_variable(name, place, source, scope)

    def _is_right(self, name: str, scope: _Scope) -> bool:
        """Whether nothing is wrong with a new variable's name, so that nobody asks where it stands."""
        return not (
            "." in name
            or scope.exists(name)
            or self.dialect.find(name) is not None
            or self.dialect.is_reserved(name)
            or self.external.is_taken(name)
        )

    def _declare_functions(self, block: ast.Block, scope: _Scope) -> None:
        for statement in block.statements:
            if isinstance(statement, ast.VariableDeclaration):
                scope.later.update(statement.names)
            if not isinstance(statement, ast.FunctionDefinition):
                continue
            place = statement.source
            if self.dialect.find(statement.name) is not None:
                after = SourceRange(place.start + len("function"), place.length - len("function"), place.file)
                place = name_places((statement.name,), after if place.start >= 0 else place, self.text)[0]
            self._check_name(statement.name, place)
            if scope.exists(statement.name):
                message = f"Function name {statement.name} already taken in this scope."
                self.sink.error("DeclarationError", 6052, statement.source, message)
            scope.names.setdefault(
                statement.name, _Function(len(statement.parameters), len(statement.returns))
            )

    def _look_up(self, name: str, scope: _Scope) -> _Function | object | None:
        """The function, None for a variable, ``_MISSING``, or True for a variable that is declared further
        down."""
        current: _Scope | None = scope
        crossed = later = False
        while current is not None:
            found = current.names.get(name, _MISSING)
            if found is not _MISSING and (found is not None or not crossed):
                return found
            later = later or (name in current.later and not crossed)
            crossed = crossed or current.is_function
            current = current.parent
        return True if later else _MISSING

    # --- statements -------------------------------------------------------------------------------

    def block(self, block: ast.Block, outer: _Scope) -> None:
        scope = _Scope(outer, False)
        self._declare_functions(block, scope)
        for statement in block.statements:
            self.statement(statement, scope)

    def statement(self, statement: ast.Statement, scope: _Scope) -> None:
        match statement:
            case ast.ExpressionStatement(expression, source):
                before = len(self.sink.items)
                count = self.expression(expression, scope)
                if count and not any(item.severity == "error" for item in self.sink.items[before:]):
                    message = (
                        "Top-level expressions are not supposed to return values (this expression returns "
                        f"{count} value{'' if count == 1 else 's'}). Use ``pop()`` or assign them."
                    )
                    self.sink.error("TypeError", 3083, source, message)
            case ast.VariableDeclaration(names, value, source):
                if value is not None:
                    count = self.expression(value, scope)
                    if count is not None and count != len(names):
                        message = (
                            f'Variable count mismatch for declaration of "{", ".join(names)}": '
                            f"{len(names)} variables and {count} values."
                        )
                        self.sink.error("DeclarationError", 3812, source, message)
                self._declare_variables(names, source, scope)
            case ast.Assignment():
                self._assignment(statement, scope)
            case ast.Block():
                self.block(statement, scope)
            case ast.FunctionDefinition(name, parameters, returns, body, source):
                inner = _Scope(scope, True)
                self._declare_variables((*parameters, *returns), source, inner, after=name)
                self.block(body, inner)
            case ast.If(condition, body):
                self._single(condition, scope)
                self.block(body, scope)
            case ast.Switch():
                self._switch(statement, scope)
            case ast.ForLoop(pre, condition, post, body):
                inner = _Scope(scope, False)
                self._declare_functions(pre, inner)
                for part in pre.statements:
                    self.statement(part, inner)
                self._single(condition, inner)
                self.block(body, inner)
                self.block(post, inner)
            case ast.Break() | ast.Continue() | ast.Leave():
                return  # the parser has checked where they stand

    def _assignment(self, statement: ast.Assignment, scope: _Scope) -> None:
        names, source = statement.names, statement.source
        for position, name in enumerate(names):
            if name in names[:position]:
                message = f"Variable {name} occurs multiple times on the left-hand side of the assignment."
                self.sink.error("DeclarationError", 9005, source, message)
        count = self.expression(statement.value, scope)
        if count is not None and count != len(names):
            message = (
                f'Variable count for assignment to "{", ".join(names)}" does not match number of values '
                f"({len(names)} vs. {count})"
            )
            self.sink.error("DeclarationError", 8678, source, message)
        for name in names:
            found = self._look_up(name, scope)
            if found is None:
                continue
            if self.dialect.find(name) is not None:
                message = f'Cannot assign to builtin function "{name}".'
                self.sink.error("ParserError", 6272, place_after(name, source, self.text), message)
                continue
            if found is _MISSING and self.external.resolve(name, source, "assignment", scope.inside_function):
                continue
            place = name_places((name,), source, self.text)[0]
            if isinstance(found, _Function):
                self.sink.error("TypeError", 2657, place, "Assignment requires variable.")
            elif found is True:
                message = f"Variable {name} used before it was declared."
                self.sink.error("DeclarationError", 1133, place, message)
            else:
                self.sink.error("DeclarationError", 4634, place, "Variable not found or variable not lvalue.")

    def _switch(self, statement: ast.Switch, scope: _Scope) -> None:
        if len(statement.cases) == 1 and statement.cases[0].value is None:
            self.sink.warning(9592, statement.source, '"switch" statement with only a default case.')
        self._single(statement.expression, scope)
        seen: set[int] = set()
        for case in statement.cases:
            if case.value is not None and self.expression(case.value, scope) is not None:
                if case.value.value in seen:
                    message = f'Duplicate case "{print_literal(case.value)}" defined.'
                    self.sink.error("DeclarationError", 6792, case.source, message)
                seen.add(case.value.value or 0)
            self.block(case.body, scope)

    # --- expressions ------------------------------------------------------------------------------

    def _single(self, expression: ast.Expression, scope: _Scope) -> None:
        count = self.expression(expression, scope)
        if count is not None and count != 1:
            message = f"Expected expression to evaluate to one value, but got {count} values instead."
            self.sink.error("TypeError", 3950, expression.source, message)

    def expression(self, expression: ast.Expression, scope: _Scope) -> int | None:
        """How many values the expression gives; None when an error was reported."""
        if isinstance(expression, ast.FunctionCall):
            return self._call(expression, scope)
        if isinstance(expression, ast.Literal):
            if expression.value is not None:
                return 1
            if expression.data is not None:
                message = f"String literal too long ({len(expression.data)} > 32)"
                self.sink.error("TypeError", 3069, expression.source, message)
            else:
                self.sink.error("TypeError", 6708, expression.source, "Number literal too large (> 256 bits)")
            return None
        name, source = expression.name, expression.source
        if self.dialect.find(name) is not None:
            self.sink.error("ParserError", 7104, source, f'Builtin function "{name}" must be called.')
            return None
        found = self._look_up(name, scope)
        if found is None:
            return 1
        if isinstance(found, _Function):
            self.sink.error("TypeError", 6041, source, f"Function {name} used without being called.")
        elif found is True:
            self.sink.error("DeclarationError", 4990, source, f"Variable {name} used before it was declared.")
        elif self.external.resolve(name, source, "value", scope.inside_function):
            return 1
        else:
            self.sink.error("DeclarationError", 8198, source, f'Identifier "{name}" not found.')
        return None

    def _call(self, call: ast.FunctionCall, scope: _Scope) -> int | None:
        name = call.name
        at = self._name_range(call)
        builtin = self.dialect.find(name)
        parameters: int | None = None
        # As in solc an unknown function gives nothing, and one with wrong arguments what it is declared to give.
        returns: int | None = 0
        if builtin is not None:
            self._warn(builtin, at)
            parameters, returns = len(builtin.parameters), len(builtin.returns)
        else:
            found = self._look_up(name, scope)
            if isinstance(found, _Function):
                parameters, returns = found.parameters, found.returns
            elif found is None or found is True:
                self.sink.error("TypeError", 4202, at, "Attempt to call variable instead of function.")
            elif not self.external.resolve(name, at, "call", scope.inside_function):
                self._report_missing(name, at)
        if name in self.misnamed:
            parameters = returns = None
        if parameters is not None and parameters != len(call.arguments):
            given = len(call.arguments)
            if builtin is not None and is_own_instruction(builtin):
                wanted = ", ".join(builtin.parameters) or "no operands"
                message = f"`{name}` takes {wanted}; {given} of {parameters} given."
                self.sink.error("TypeError", OPERAND_COUNT, at, message)
            else:
                message = f'Function "{name}" expects {parameters} arguments but got {given}.'
                self.sink.error("TypeError", 7000, at, message)
        literals = dict(zip(builtin.literal_arguments, builtin.literal_kinds, strict=True)) if builtin else {}
        for position in range(len(call.arguments) - 1, -1, -1):
            argument = call.arguments[position]
            kind = literals.get(position)
            if builtin is None or kind is None or not self._literal_argument(builtin, kind, argument, at):
                self._single(argument, scope)
        if builtin is not None and builtin.result_count is not None and returns is not None:
            return self._variable_returns(builtin, call)
        return returns

    @staticmethod
    def _name_range(call: ast.FunctionCall) -> SourceRange:
        """The range of the called name, which starts its call."""
        start, length, file = call.source
        return SourceRange(start, min(len(call.name), length), file) if start >= 0 else call.source

    def _literal_argument(
        self, builtin: BuiltinFunction, kind: str, argument: ast.Expression, at: SourceRange
    ) -> bool:
        """Check an argument that must be a literal; True when it needs no further check as an expression."""
        if not isinstance(argument, ast.Literal):
            message = "Function expects direct literals as arguments."
            if builtin.result_count is not None:
                message += " It says how many values the call returns."
            self.sink.error("TypeError", 9114, at, message)
            return False
        found = "string" if argument.kind == "hex_string" else argument.kind
        if found != kind:
            self.sink.error("TypeError", 5859, argument.source, f"Function expects {kind} literal.")
            return True
        if kind != "string":
            return False
        text = (argument.data or b"").decode("utf-8", "surrogateescape")
        if builtin.name in ("datasize", "dataoffset") and text not in self.data_names:
            self.sink.error("TypeError", 3517, argument.source, f'Unknown data object "{text}".')
        elif builtin.name.startswith("verbatim_") and not text:
            message = 'The "verbatim_*" builtins cannot be used with empty bytecode.'
            self.sink.error("TypeError", 1844, argument.source, message)
        return True

    def _variable_returns(self, builtin: BuiltinFunction, call: ast.FunctionCall) -> int | None:
        count = builtin.result_count
        if count is None:
            return None
        argument = call.arguments[builtin.parameters.index(count.operand)]
        if not isinstance(argument, ast.Literal) or argument.value is None or argument.kind != "number":
            return None
        if not count.minimum <= argument.value <= count.maximum:
            message = (
                f'The argument `{count.operand}` of "{builtin.name}" is {argument.value}, '
                f"expected a literal from {count.minimum} to {count.maximum}."
            )
            self.sink.error("TypeError", RESULT_COUNT, argument.source, message)
            return None
        return argument.value

    def _warn(self, builtin: BuiltinFunction, at: SourceRange) -> None:
        if builtin.instruction is None or builtin.instruction.warning is None:
            return
        code, message = builtin.instruction.warning
        if code in ONCE_A_COMPILATION and any(item.code == code for item in self.sink.items):
            self.sink.repeat(Diagnostic("warning", "Warning", code, message, at))
        else:
            self.sink.warning(code, at, message)

    def _report_missing(self, name: str, at: SourceRange) -> None:
        instruction = self.dialect.unavailable(name)
        if instruction is None:
            self.sink.error("DeclarationError", 4619, at, f'Function "{name}" not found.')
        elif self.dialect.table.has(instruction, self.dialect.fork):
            if instruction.unavailable_code is None:
                self.sink.error("DeclarationError", 4619, at, f'Function "{name}" not found.')
            else:
                message = f"`{name}` is a low-level instruction that Yul does not offer."
                self.sink.error("SyntaxError", instruction.unavailable_code, at, message)
        elif instruction.until is not None:
            self.sink.error("DeclarationError", 4619, at, f'Function "{name}" not found.')
        else:
            fork = instruction.since.replace("_", " ").title()
            message = (
                f'The "{name}" instruction is only available for {fork}-compatible VMs '
                f'(you are currently compiling for "{self.dialect.evm_version}").'
            )
            self.sink.error("TypeError", instruction.unavailable_code or NOT_IN_FORK, at, message)
