"""Where ``break``, ``continue``, ``leave`` and function definitions may stand in Yul (docs/yul.rst,
"Restrictions")."""

from __future__ import annotations

from smartvm.compiler.diagnostics import DiagnosticSink
from smartvm.compiler.source import SourceRange
from smartvm.compiler.yul import ast as yul

#: Outside of any loop, in a loop's initialisation, its post block, its body.
_OUTSIDE, _PRE, _POST, _BODY = range(4)

_MISPLACED = {
    _OUTSIDE: (2592, "`{}` can stand only in a for loop's body."),
    _PRE: (9615, "`{}` cannot stand in a for loop's initialisation."),
    _POST: (2461, "`{}` cannot stand in a for loop's post block."),
}


def check_positions(block: yul.Block, sink: DiagnosticSink) -> None:
    """Report statements that stand where they have no meaning. ``block`` is an inline assembly's."""
    _Checker(sink).block(block, _OUTSIDE, inside_function=False)


class _Checker:
    def __init__(self, sink: DiagnosticSink) -> None:
        self.sink = sink

    def _keyword(self, code: int, statement: yul.Statement, word: str, message: str) -> None:
        source = SourceRange(statement.source.start, len(word), statement.source.file)
        self.sink.error("SyntaxError", code, source, message)

    def block(self, block: yul.Block, place: int, *, inside_function: bool) -> None:
        for statement in block.statements:
            self.statement(statement, place, inside_function)

    def statement(self, statement: yul.Statement, place: int, inside_function: bool) -> None:
        if isinstance(statement, yul.Break | yul.Continue):
            if place in _MISPLACED:
                word = type(statement).__name__.lower()
                code, message = _MISPLACED[place]
                self._keyword(code, statement, word, message.format(word))
        elif isinstance(statement, yul.Leave):
            if not inside_function:
                self._keyword(8149, statement, "leave", "`leave` can stand only in a function.")
        elif isinstance(statement, yul.FunctionDefinition):
            if place == _PRE:
                self._keyword(
                    3441, statement, "function", "No function can be defined in a for loop's initialisation."
                )
            self.block(statement.body, _OUTSIDE, inside_function=True)
        elif isinstance(statement, yul.ForLoop):
            self.block(statement.pre, _PRE, inside_function=inside_function)
            self.block(statement.post, _POST, inside_function=inside_function)
            self.block(statement.body, _BODY, inside_function=inside_function)
        elif isinstance(statement, yul.Block):
            self.block(statement, place, inside_function=inside_function)
        elif isinstance(statement, yul.If):
            self.block(statement.body, place, inside_function=inside_function)
        elif isinstance(statement, yul.Switch):
            for case in statement.cases:
                self.block(case.body, place, inside_function=inside_function)
