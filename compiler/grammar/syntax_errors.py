"""From the parser's state at an unexpected token to a diagnostic with solc's code."""

from __future__ import annotations

from smartvm.compiler.diagnostics import FatalDiagnostic
from smartvm.compiler.grammar.build_yul import YulActions
from smartvm.compiler.grammar.lalr import Tables, UnexpectedToken

#: Terminals by which a message names them.
_SHOWN = {
    "IDENTIFIER": "a name",
    "NUMBER": "a number",
    "STRING": "a string",
    "ELEMENTARY": "a type",
    "$END": "the end of the source",
    "PRAGMA_TOKEN": "a pragma's word",
}


def report_nesting(token: int, builder: YulActions) -> FatalDiagnostic:
    """Error 7319 at a token: the source nests too deeply."""
    return builder.fatal(7319, token, "This is nested too deeply.")


def report_unexpected(error: UnexpectedToken, tables: Tables, builder: YulActions) -> FatalDiagnostic:
    """The diagnostic for a token that cannot stand where it does."""
    expected = tables.expected(error.state)
    token = error.index
    found = builder.describe(token)
    kind = builder.tokens.names[builder.tokens.kinds[token]]
    previous = builder.tokens.names[builder.tokens.kinds[token - 1]] if token else ""
    problem = builder.tokens.problems.get(token)
    reserved = f"{found} cannot be used as a name" if kind == "RESERVED" else f"found {found}"

    def fatal(code: int, wanted: str) -> FatalDiagnostic:
        if problem is not None:
            return builder.fatal(code, token, problem)
        return builder.fatal(code, token, f"Expected {wanted} but {reserved}.")

    if "PRAGMA" in expected:
        return fatal(7858, "a pragma, an import or a definition")
    if "MODIFIER" in expected:
        return fatal(9182, "a function, variable, struct or modifier")
    if "LET" in expected or ("LEAVE" in expected):
        return _in_assembly(expected, token, builder, fatal)
    if "NUMBER" in expected and "LPAR" in expected:
        if kind == "PLUS":
            return builder.fatal(9636, token, "There is no unary `+`.")
        if previous in ("STRING", "HEX_STRING", "UNICODE_STRING") and kind == "ILLEGAL":
            return fatal(5428, "an expression")
        return fatal(8936 if kind == "ILLEGAL" else 6933, "an expression")
    if "NUMBER" in expected and "TRUE" in expected:
        if "IDENTIFIER" not in expected:
            return fatal(4805, "a literal")
        return fatal(1465 if kind == "ILLEGAL" else 1856, "a literal or a name")
    if "MAPPING" in expected:
        if kind == "RPAR" and previous == "COMMA":
            return builder.fatal(7591, token - 1, "A comma follows the last parameter.")
        return fatal(3546, "a type")
    if {"ELEMENTARY", "IDENTIFIER"} <= expected and previous == "LPAR":
        return fatal(1005, "an elementary type or a name as the mapping's key")
    return _single(expected, kind, previous, token, builder, fatal)


def _in_assembly(expected, token, builder, fatal):  # type: ignore[no-untyped-def]
    kind = builder.tokens.names[builder.tokens.kinds[token]]
    if kind == "DEFAULT":
        return builder.fatal(6931, token, "A switch has at most one default case.")
    if kind == "CASE":
        return builder.fatal(4904, token, "No case can stand after the default case.")
    return fatal(1465 if kind == "ILLEGAL" else 1856, "a statement of inline assembly")


def _single(expected, kind, previous, token, builder, fatal):  # type: ignore[no-untyped-def]
    shown = sorted(_SHOWN.get(name, name.lower()) for name in expected)
    wanted = " or ".join(shown[:1]) if len(shown) == 1 else "one of " + ", ".join(shown[:6])
    return fatal(2314, wanted)
