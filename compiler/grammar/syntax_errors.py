"""From the parser's state at an unexpected token to a diagnostic with solc's code."""

from __future__ import annotations

from smartvm.compiler.diagnostics import FatalDiagnostic
from smartvm.compiler.grammar.build_yul import YulActions
from smartvm.compiler.grammar.lalr import Tables, UnexpectedToken
from smartvm.compiler.grammar.tokens import SOFT_KEYWORDS

#: Terminals by which a message names them.
_SHOWN = {
    "IDENTIFIER": "a name",
    "NUMBER": "a number",
    "STRING": "a string",
    "ELEMENTARY": "a type",
    "$END": "the end of the source",
    "PRAGMA_TOKEN": "a version",
    "ANY_TOKEN": "an operator",
    "OPTIONS_LBRACE": "`{`",
    "SUB_DENOMINATION": "a unit",
    "HEX_STRING": "a hex string",
    "UNICODE_STRING": "a unicode string",
}

#: Terminals that are named first when several could follow.
_TELLING = ("SEMICOLON", "RPAR", "RBRACE", "RSQB", "IDENTIFIER", "LPAR", "LBRACE", "COMMA", "COLON")

_LITERALS = frozenset({"NUMBER", "STRING", "HEX_STRING", "TRUE", "FALSE"})
_STRINGS = frozenset({"STRING", "HEX_STRING", "UNICODE_STRING"})
_ENDS_OF_FUNCTION_TYPES = frozenset(
    {"RPAR", "EXTERNAL", "INTERNAL", "PRIVATE", "PUBLIC", "PURE", "VIEW", "PAYABLE"}
)


def report_nesting(token: int, builder: YulActions) -> FatalDiagnostic:
    """Error 7319 at a token: the source nests too deeply."""
    return builder.fatal(7319, token, "The source is nested too deeply here.")


def report_unexpected(error: UnexpectedToken, tables: Tables, builder: YulActions) -> FatalDiagnostic:
    """The diagnostic for a token that cannot stand where it does."""
    return _Mistake(error, tables, builder).diagnose()


class _Mistake:
    """An unexpected token with what is known about its place."""

    def __init__(self, error: UnexpectedToken, tables: Tables, builder: YulActions) -> None:
        self.builder = builder
        self.token = error.index
        self.expected = tables.expected(error.states)
        below = error.states[:-1]
        self.expected_before = tables.expected(below) if below else frozenset()
        self.spellings = {name: text for text, name in tables.literals.items()}
        self.kind = self.kind_of(self.token)
        self.previous = self.kind_of(self.token - 1)

    def kind_of(self, token: int) -> str:
        tokens = self.builder.tokens
        return tokens.names[tokens.kinds[token]] if 0 <= token < len(tokens.kinds) else "$END"

    def is_name(self, token: int) -> bool:
        return self.kind_of(token) == "IDENTIFIER" or self.kind_of(token) in SOFT_KEYWORDS

    def fatal(self, code: int, wanted: str, token: int | None = None) -> FatalDiagnostic:
        where = self.token if token is None else token
        problem = self.builder.tokens.problems.get(where)
        if problem is not None:
            return self.builder.fatal(code, where, problem)
        found = self.builder.describe(where)
        return self.builder.fatal(code, where, f"Expected {wanted} but found {found}.")

    def diagnose(self) -> FatalDiagnostic:
        expected, kind = self.expected, self.kind
        if kind == "TOO_DEEP":
            return report_nesting(self.token, self.builder)
        if kind == "$END" and self.is_alone():
            return self.fatal(7858, "a pragma, an import or a definition", self.token - 1)
        if "PRAGMA" in expected:
            return self.fatal(7858, "a pragma, an import or a definition")
        if "MODIFIER" in expected:
            return self.fatal(9182, "a function, variable, struct or modifier")
        if "CONTRACT" in expected and self.previous == "ABSTRACT":
            return self.after_abstract()
        if "LEAVE" in expected:
            return self.in_assembly()
        if "CASE" in expected and "DEFAULT" in expected and self.previous not in ("RBRACE",):
            return self.fatal(2418, "`case` or `default`")
        if "NUMBER" in expected:
            return self.expression() if "LPAR" in expected else self.yul_expression()
        if "MAPPING" in expected:
            if kind == "RPAR" and self.previous == "COMMA":
                return self.builder.fatal(7591, self.token - 1, "A comma follows the last parameter.")
            return self.fatal(3546, "a type")
        if {"ELEMENTARY", "IDENTIFIER"} <= expected and self.previous == "LPAR":
            return self.fatal(1005, "an elementary type or a name as the mapping's key")
        if self.is_yul_operator_state():
            return self.after_yul_name()
        return self.single()

    def is_alone(self) -> bool:
        """Whether the last token is a name or type that begins a declaration of the file."""
        begins = self.token == 1 or self.kind_of(self.token - 2) in ("SEMICOLON", "RBRACE")
        is_type = self.is_name(self.token - 1) or self.previous in ("ELEMENTARY", "ADDRESS")
        return begins and is_type and "MODIFIER" not in self.expected_before

    def after_abstract(self) -> FatalDiagnostic:
        diagnostic = self.fatal(3515, "`contract`, `interface` or `library`")
        if not self.is_name(self.token):
            return self.fatal(2314, "a name")
        if self.kind_of(self.token + 1) not in ("IS", "LAYOUT", "LBRACE"):
            return self.fatal(2314, "`{`", self.token + 1)
        return diagnostic

    # --- expressions
    # ----------------------------------------------------------------------------------------------

    def expression(self) -> FatalDiagnostic:
        if self.kind == "PLUS":
            return self.builder.fatal(9636, self.token, "There is no unary `+`.")
        if self.kind == "ILLEGAL":
            return self.fatal(5428 if self.previous in _STRINGS else 8936, "an expression")
        if self.kind in ("COMMA", "RSQB") and self.in_inline_array():
            return self.fatal(4799, "an element of the inline array")
        return self.fatal(6933, "an expression")

    def in_inline_array(self) -> bool:
        """Whether the innermost open bracket is ``[`` at the start of an operand."""
        depth = 0
        for token in range(self.token - 1, 0, -1):
            kind = self.kind_of(token)
            if kind in ("RPAR", "RSQB", "RBRACE"):
                depth += 1
            elif kind in ("LPAR", "LSQB", "LBRACE", "OPTIONS_LBRACE"):
                if depth == 0:
                    before = self.kind_of(token - 1)
                    is_index = self.is_name(token - 1) or before in (
                        "RPAR",
                        "RSQB",
                        "RBRACE",
                        "ELEMENTARY",
                        "ADDRESS",
                    )
                    return kind == "LSQB" and not is_index
                depth -= 1
        return False

    # --- inline assembly
    # ------------------------------------------------------------------------------------------

    def in_assembly(self) -> FatalDiagnostic:
        if self.kind == "DEFAULT":
            return self.builder.fatal(6931, self.token, "A switch has at most one default case.")
        if self.kind == "CASE":
            return self.builder.fatal(4904, self.token, "No case can stand after the default case.")
        if self.kind == "COLON" and self.previous == "IDENTIFIER":
            return self.type_in_yul()
        if self.kind in _LITERALS:
            return self.after_yul_literal(self.token + 1)
        return self.fatal(1465 if self.kind == "ILLEGAL" else 1856, "a statement of inline assembly")

    def after_yul_literal(self, token: int) -> FatalDiagnostic:
        kind = self.kind_of(token)
        if kind == "LPAR":
            return self.fatal(9980, "a function's name before it", token)
        if kind == "COMMA" or self.builder.spelling(token) == ":=":
            return self.fatal(2856, "a variable's name before it", token)
        return self.fatal(6913, "a call or an assignment", token)

    def yul_expression(self) -> FatalDiagnostic:
        if "IDENTIFIER" in self.expected:
            return self.fatal(1465 if self.kind == "ILLEGAL" else 1856, "a literal or a name")
        return self.fatal(1465 if self.kind == "ILLEGAL" else 4805, "a literal")

    def is_yul_operator_state(self) -> bool:
        return any(self.spellings.get(name) == ":=" for name in self.expected)

    def after_yul_name(self) -> FatalDiagnostic:
        """After a name that starts a statement, or after ``let`` and names."""
        if "LPAR" in self.expected:
            return self.fatal(6913, "a call or an assignment")
        return self.type_in_yul() if self.kind == "COLON" else self.single()

    def type_in_yul(self) -> FatalDiagnostic:
        """``name : type``"""
        if not self.is_name(self.token + 1):
            return self.fatal(2314, "a name", self.token + 1)
        source = self.builder.covering(self.token - 1, self.token + 1)
        return self.builder.sink.fatal("ParserError", 5473, source, "Yul has no types.")

    # --- anything else
    # --------------------------------------------------------------------------------------------

    def single(self) -> FatalDiagnostic:
        expected, kind, previous = self.expected, self.kind, self.previous
        if previous == "IMPORT":
            return self.fatal(9478, "a path, `*` or `{`")
        if "FROM" in expected and "IDENTIFIER" not in expected:
            return self.fatal(8208, "`from`")
        if previous == "FROM" and "STRING" in expected:
            return self.fatal(6845, "an import path")
        if previous == "UNCHECKED" and "IF" not in self.expected_before:
            message = "`unchecked` blocks can stand only inside of regular blocks."
            self.builder.error(5296, self.token - 1, message)
        if previous == "EMIT":
            return self.fatal(5620, "an event's name")
        if previous == "COMMA" and "IDENTIFIER" in expected and self.in_enum():
            return self.fatal(1612, "a name")
        if previous in _STRINGS and kind == "ILLEGAL":
            return self.fatal(5428, "an expression")
        if kind == "LBRACE" and "TRANSIENT" in expected and self.starts_with_function_type():
            return self.fatal(
                2915, "a variable's name (a fallback function starts with `fallback` or `receive`)"
            )
        return self.fatal(2314, self.wanted())

    def starts_with_function_type(self) -> bool:
        """Whether all before the token, back to the last declaration, can be a function type."""
        if self.previous not in _ENDS_OF_FUNCTION_TYPES:
            return False
        token = self.token - 1
        while token > 0 and self.kind_of(token) not in ("SEMICOLON", "LBRACE", "RBRACE"):
            if self.kind_of(token) == "OVERRIDE":
                return False
            token -= 1
        return self.kind_of(token + 1) == "FUNCTION" and self.kind_of(token + 2) == "LPAR"

    def in_enum(self) -> bool:
        token = self.token - 1
        while token > 1 and (self.is_name(token) or self.kind_of(token) == "COMMA"):
            token -= 1
        return self.kind_of(token) == "LBRACE" and self.kind_of(token - 2) == "ENUM"

    def wanted(self) -> str:
        telling = [name for name in _TELLING if name in self.expected]
        names = telling[:2] if telling else sorted(self.expected)[:3]
        return " or ".join(
            _SHOWN.get(name) or f"`{self.spellings.get(name, name.lower())}`" for name in names
        )
