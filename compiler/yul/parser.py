"""Text -> Yul tree, by recursive descent: standalone Yul, inline assembly, and the snippets that lowering
writes.

The grammar is that of ``grammar/yul.lark``; a test holds both against each other. Written by hand because
it runs for thousands of utility functions per contract. What a name means, and whether a builtin of that
name exists, is ``checker``'s matter.
"""

from __future__ import annotations

import re

from smartvm.compiler.diagnostics import DiagnosticSink, FatalDiagnostic
from smartvm.compiler.source import NO_SOURCE, SourceRange, SourceText
from smartvm.compiler.yul import ast
from smartvm.compiler.yul.origins import source_names_before, token_origins
from smartvm.compiler.yul.tokens import (
    COMMENT,
    TokenError,
    Tokens,
    decode_hex_string,
    decode_string,
    is_hex_string,
    is_identifier,
    token_texts,
    tokenize,
)
from smartvm.errors import InternalError

_NUMBER = re.compile(r"0x[0-9a-fA-F]+|0|[1-9][0-9]*")
#: Nesting of blocks and calls that is accepted; solc stops at a comparable depth.
_DEPTH_LIMIT = 600

#: Unicode's marks that start a run of text in a direction of its own, and that end one.
_DIRECTION_STARTS = frozenset("\u202a\u202b\u202d\u202e\u2066\u2067\u2068")
_DIRECTION_ENDS = frozenset("\u202c\u2069")

#: Outside any loop, in a loop's initialisation, in its post block, in its body.
_NO_LOOP, _PRE, _POST, _BODY = range(4)


def parse_yul(source: SourceText, sink: DiagnosticSink, *, origins: bool = False) -> ast.Object:
    """A standalone Yul source: an ``object``, or a bare block, which counts as the code of an object
    "object".

    Nodes carry their ranges in ``source``, or with ``origins`` the ranges that ``@src`` comments give (no
    range before the first one). Errors go to ``sink``; raises ``FatalDiagnostic`` after the one that ends
    parsing.
    """
    tokens = tokenize(source)
    parser = YulParser(tokens.texts, tokens=tokens, file=source.index, sink=sink)
    if not source.is_ascii:
        _check_directions(source, sink)
    if origins:
        parser.origins = token_origins(source, tokens, sink)
    try:
        return parser.source_unit(source)
    except RecursionError:
        raise parser.too_deep() from None


def parse_yul_block(source: SourceText, start: int, sink: DiagnosticSink) -> tuple[ast.Block, int]:
    """The block that starts at character ``start`` of a source (inline assembly), and the byte offset after
    it."""
    tokens = tokenize(source, start)
    parser = YulParser(tokens.texts, tokens=tokens, file=source.index, sink=sink)
    try:
        block = parser.block()
    except RecursionError:
        raise parser.too_deep() from None
    return block, tokens.ends[parser.position - 1]


def parse_yul_text(text: str, source: SourceRange = NO_SOURCE) -> ast.Block:
    """Statements (or one block in braces) that the compiler itself wrote; every node gets the range
    ``source``.

    A mistake in them is smartvm's: raises ``InternalError``.
    """
    sink = DiagnosticSink()
    parser = YulParser(token_texts(text), sink=sink)
    parser.constant_range = source
    parser.inside_function = True
    try:
        block = parser.statements_to_end()
    except (FatalDiagnostic, RecursionError):
        block = None
    if block is None or sink.has_errors:
        message = sink.items[0].message if sink.items else "nested too deeply"
        near = " ".join(parser.texts[max(0, parser.position - 8) : parser.position + 4])
        raise InternalError(f"Yul text of the compiler does not parse: {message} near `{near}`")
    return block


def _check_directions(source: SourceText, sink: DiagnosticSink) -> None:
    """Refuse comments that change the direction of text and do not change it back: what one reads would not
    be what is compiled (CVE-2021-42574)."""
    for match in COMMENT.finditer(source.text):
        for line in re.split(r"[\n\r\u2028\u2029]", match[0]):
            depth = 0
            for character in line:
                depth += 1 if character in _DIRECTION_STARTS else -1 if character in _DIRECTION_ENDS else 0
                if depth < 0:
                    break
            if depth:
                start = len(source.text[: match.start()].encode())
                at = SourceRange(start, len(match[0].encode()), source.index)
                raise sink.fatal(
                    "ParserError", 1465, at, "Illegal token: Mismatching directional override markers."
                )


class YulParser:
    """A cursor over tokens; each method reads one construct of the grammar and leaves the cursor after it."""

    def __init__(
        self, texts: list[str], *, sink: DiagnosticSink, tokens: Tokens | None = None, file: int = -1
    ) -> None:
        self.texts = texts
        self.tokens = tokens
        self.file = file
        self.sink = sink
        self.position = 0
        self.depth = 0
        self.loop_part = _NO_LOOP
        self.inside_function = False
        self.constant_range = NO_SOURCE
        self.origins: list[SourceRange] | None = None

    # --- ranges and errors ------------------------------------------------------------------------

    def _range(self, first: int) -> SourceRange:
        """The range from token ``first`` to the last token read."""
        if self.tokens is None:
            return self.constant_range
        if self.origins is not None:
            return self.origins[first]
        start = self.tokens.starts[first]
        return SourceRange(start, self.tokens.ends[self.position - 1] - start, self.file)

    def _text_range(self, first: int) -> SourceRange:
        """The range in the text from token ``first`` to the last token read, whatever nodes carry."""
        if self.tokens is None:
            return self.constant_range
        start = self.tokens.starts[first]
        return SourceRange(start, self.tokens.ends[self.position - 1] - start, self.file)

    def token_range(self, position: int | None = None) -> SourceRange:
        """The range of a token in the text, the current one by default: where errors point."""
        if self.tokens is None:
            return self.constant_range
        index = self.position if position is None else position
        start = self.tokens.starts[index]
        return SourceRange(start, self.tokens.ends[index] - start, self.file)

    def fail(self, code: int, message: str, position: int | None = None) -> FatalDiagnostic:
        """A syntax error at a token (the current one by default); to be raised."""
        return self.sink.fatal("ParserError", code, self.token_range(position), message)

    def too_deep(self) -> FatalDiagnostic:
        """Blocks or calls are nested too deeply."""
        self.position = min(self.position, len(self.texts) - 1)
        return self.fail(7319, "Maximum recursion depth reached during parsing.")

    def _describe(self) -> str:
        token = self.texts[self.position]
        if not token:
            return "end of source"
        if is_identifier(token):
            return "identifier"
        if token[0] in "\"'" and len(token) > 1:
            return "string literal"
        if token[0].isdigit():
            return "number"
        return f"'{token}'"

    def expect(self, token: str) -> None:
        """Read the token or fail."""
        if self.texts[self.position] != token:
            if self.texts[self.position][:1] in ("/", '"', "'"):
                self._check_illegal()
            raise self.fail(2314, f"Expected '{token}' but got {self._describe()}")
        self.position += 1

    def _check_illegal(self) -> None:
        token = self.texts[self.position]
        if token in ('"', "'"):
            raise self.fail(8936, "Expected string end-quote.")
        if token == "/" and self.texts[self.position + 1][:1] == "*":
            raise self.fail(8936, "Expected multi-line comment-terminator.")

    def identifier(self) -> str:
        """Read an identifier or fail."""
        token = self.texts[self.position]
        if not is_identifier(token):
            self._check_illegal()
            raise self.fail(2314, f"Expected identifier but got {self._describe()}")
        self.position += 1
        return token

    def _untyped(self) -> None:
        """Refuse ``: type`` behind the name or literal that was just read."""
        if self.texts[self.position] != ":":
            return
        first = self.position - 1
        self.position += 1
        self.identifier()
        at = self._text_range(first)
        raise self.sink.fatal("ParserError", 5473, at, "Types are not supported in untyped Yul.")

    # --- statements -------------------------------------------------------------------------------

    def block(self) -> ast.Block:
        """``{ statements }``."""
        first = self.position
        self.expect("{")
        self.depth += 1
        if self.depth > _DEPTH_LIMIT:
            raise self.too_deep()
        statements = []
        texts = self.texts
        while texts[self.position] != "}":
            statements.append(self.statement())
        self.position += 1
        self.depth -= 1
        return ast.Block(tuple(statements), self._range(first))

    def statements_to_end(self) -> ast.Block:
        """Statements up to the end of the text; braces around all of them are allowed."""
        if self.texts[0] == "{":
            block = self.block()
            if not self.texts[self.position]:
                return block
            self.position = 0
        statements = []
        while self.texts[self.position]:
            statements.append(self.statement())
        return ast.Block(tuple(statements), self.constant_range)

    def statement(self) -> ast.Statement:
        """One statement."""
        token = self.texts[self.position]
        if token not in _STATEMENTS:
            return self._call_or_assignment()
        return _STATEMENTS[token](self)

    def _let(self) -> ast.Statement:
        first = self.position
        self.position += 1
        names = self._names()
        value = None
        if self.texts[self.position] == ":=":
            self.position += 1
            value = self.expression()
        return ast.VariableDeclaration(names, value, self._range(first))

    def _names(self) -> tuple[str, ...]:
        names = [self.identifier()]
        self._untyped()
        while self.texts[self.position] == ",":
            self.position += 1
            names.append(self.identifier())
            self._untyped()
        return tuple(names)

    def _targets(self) -> tuple[str, ...]:
        """The names on the left-hand side of an assignment."""
        names = [self.identifier()]
        while self.texts[self.position] == ",":
            self.position += 1
            if not is_identifier(self.texts[self.position]) and self._literal() is not None:
                last = self.texts[self.position] != ","
                where = '":=" in assignment.' if last else '"," in multiple assignment.'
                raise self.fail(2856, f"Variable name must precede {where}")
            names.append(self.identifier())
        return tuple(names)

    def _if(self) -> ast.Statement:
        first = self.position
        self.position += 1
        condition = self.expression()
        body = self.block()
        return ast.If(condition, body, self._range(first))

    def _switch(self) -> ast.Statement:
        first = self.position
        self.position += 1
        expression = self.expression()
        cases = []
        while self.texts[self.position] == "case":
            start = self.position
            self.position += 1
            value = self._literal()
            if value is None:
                raise self.fail(4805, "Literal expected.")
            body = self.block()
            cases.append(ast.Case(value, body, self._range(start)))
        if self.texts[self.position] == "default":
            start = self.position
            self.position += 1
            body = self.block()
            cases.append(ast.Case(None, body, self._range(start)))
            if self.texts[self.position] == "default":
                raise self.fail(6931, "Only one default case allowed.")
            if self.texts[self.position] == "case":
                raise self.fail(4904, "Case not allowed after default case.")
        if not cases:
            raise self.fail(2418, "Switch statement without any cases.")
        return ast.Switch(expression, tuple(cases), self._range(first))

    def _for(self) -> ast.Statement:
        first = self.position
        self.position += 1
        outer = self.loop_part
        self.loop_part = _PRE
        pre = self.block()
        self.loop_part = _NO_LOOP
        condition = self.expression()
        self.loop_part = _POST
        post = self.block()
        self.loop_part = _BODY
        body = self.block()
        self.loop_part = outer
        return ast.ForLoop(pre, condition, post, body, self._range(first))

    def _check_loop(self, keyword: str) -> None:
        if self.loop_part == _BODY:
            return
        code, message = {
            _NO_LOOP: (2592, f'Keyword "{keyword}" needs to be inside a for-loop body.'),
            _PRE: (9615, f'Keyword "{keyword}" in for-loop init block is not allowed.'),
            _POST: (2461, f'Keyword "{keyword}" in for-loop post block is not allowed.'),
        }[self.loop_part]
        self.sink.error("SyntaxError", code, self.token_range(), message)

    def _break(self) -> ast.Statement:
        self._check_loop("break")
        self.position += 1
        return ast.Break(self._range(self.position - 1))

    def _continue(self) -> ast.Statement:
        self._check_loop("continue")
        self.position += 1
        return ast.Continue(self._range(self.position - 1))

    def _leave(self) -> ast.Statement:
        if not self.inside_function:
            message = 'Keyword "leave" can only be used inside a function.'
            self.sink.error("SyntaxError", 8149, self.token_range(), message)
        self.position += 1
        return ast.Leave(self._range(self.position - 1))

    def _function(self) -> ast.Statement:
        if self.loop_part == _PRE:
            message = "Functions cannot be defined inside a for-loop init block."
            self.sink.error("SyntaxError", 3441, self.token_range(), message)
        first = self.position
        self.position += 1
        name = self.identifier()
        self.expect("(")
        parameters = () if self.texts[self.position] == ")" else self._names()
        self.expect(")")
        returns: tuple[str, ...] = ()
        if self.texts[self.position] == "->":
            self.position += 1
            returns = self._names()
        outer_loop, outer_function = self.loop_part, self.inside_function
        self.loop_part, self.inside_function = _NO_LOOP, True
        body = self.block()
        self.loop_part, self.inside_function = outer_loop, outer_function
        return ast.FunctionDefinition(name, parameters, returns, body, self._range(first))

    def _call_or_assignment(self) -> ast.Statement:
        first = self.position
        if not is_identifier(self.texts[first]):
            self._check_illegal()
            if self._literal() is None:
                raise self.fail(1856, "Literal or identifier expected.")
            following = self.texts[self.position]
            if following == "(":
                raise self.fail(9980, "Function name expected.")
            if following in (",", ":="):
                where = "multiple assignment" if following == "," else "assignment"
                raise self.fail(2856, f'Variable name must precede "{following}" in {where}.')
            raise self.fail(6913, "Call or assignment expected.")
        following = self.texts[first + 1]
        if following == "(":
            call = self.expression()
            return ast.ExpressionStatement(call, call.source)
        if following in (":=", ","):
            names = self._targets()
            self.expect(":=")
            value = self.expression()
            return ast.Assignment(names, value, self._range(first))
        self.position += 1
        raise self.fail(6913, "Call or assignment expected.")

    # --- expressions ------------------------------------------------------------------------------

    def expression(self) -> ast.Expression:
        """A call, a variable or a literal."""
        first = self.position
        token = self.texts[first]
        if not is_identifier(token):
            literal = self._literal()
            if literal is None:
                self._check_illegal()
                raise self.fail(1856, "Literal or identifier expected.")
            if self.texts[self.position] == "(":
                raise self.fail(9980, "Function name expected.")
            return literal
        self.position += 1
        if self.texts[self.position] != "(":
            return ast.Identifier(token, self._range(first))
        self.position += 1
        arguments: list[ast.Expression] = []
        if self.texts[self.position] != ")":
            self.depth += 1
            if self.depth > _DEPTH_LIMIT:
                raise self.too_deep()
            arguments.append(self.expression())
            while self.texts[self.position] == ",":
                self.position += 1
                arguments.append(self.expression())
            self.depth -= 1
        self.expect(")")
        return ast.FunctionCall(token, tuple(arguments), self._range(first))

    def _literal(self) -> ast.Literal | None:
        first = self.position
        token = self.texts[first]
        start = token[:1]
        if start.isdigit():
            if not _NUMBER.fullmatch(token):
                if token[0] == "0" and token[1:2].isdigit():
                    start_of_it = self.token_range()._replace(length=1)
                    message = "Illegal token: Octal numbers not allowed."
                    raise self.sink.fatal("ParserError", 1465, start_of_it, message)
                raise self.fail(4828, "Invalid number literal.")
            self.position += 1
            self._untyped()
            value = int(token, 0)
            if value >> 256:
                # Kept for the checker's error: a word has 256 bits.
                return ast.Literal("number", None, None, token, self._range(first))
            return ast.Literal("number", value, None, token, self._range(first))
        if token in ("true", "false"):
            self.position += 1
            self._untyped()
            return ast.Literal("boolean", int(token == "true"), None, token, self._range(first))
        hexadecimal = is_hex_string(token)
        if not hexadecimal and not (start in ("'", '"') and len(token) > 1):
            return None
        try:
            data = decode_hex_string(token) if hexadecimal else decode_string(token)
        except TokenError as error:
            raise self.fail(1465, f"Illegal token: {error}") from None
        self.position += 1
        self._untyped()
        word = int.from_bytes(data.ljust(32, b"\0"), "big") if len(data) <= 32 else None
        return ast.Literal("hex_string" if hexadecimal else "string", word, data, token, self._range(first))

    # --- objects ----------------------------------------------------------------------------------

    def source_unit(self, source: SourceText) -> ast.Object:
        """A whole standalone source."""
        if self.texts[0] == "{":
            names = source_names_before(source, self.tokens, 0, self.sink)
            result = ast.Object("object", self.block(), (), names)
        else:
            result = self._object(source, None)
        if self.texts[self.position]:
            raise self.fail(2314, f"Expected end of source but got {self._describe()}")
        return result

    def _object(self, source: SourceText, container: tuple[str, set[str]] | None) -> ast.Object:
        self.depth += 1
        if self.depth > _DEPTH_LIMIT:
            raise self.too_deep()
        names = source_names_before(source, self.tokens, self.position, self.sink)
        if self.texts[self.position] != "object":
            raise self.fail(4294, 'Expected keyword "object".')
        self.position += 1
        name = self._unique_name(container)
        self.expect("{")
        if self.texts[self.position] != "code":
            raise self.fail(4846, 'Expected keyword "code".')
        self.position += 1
        code = self.block()
        inside: tuple[str, set[str]] = (name, set())
        parts: list[ast.Object | ast.Data] = []
        while self.texts[self.position] != "}":
            keyword = self.texts[self.position]
            if keyword == "object":
                parts.append(self._object(source, inside))
            elif keyword == "data":
                self.position += 1
                data_name = self._unique_name(inside)
                literal = self._literal()
                if literal is None or literal.data is None:
                    raise self.fail(2314, f"Expected string literal but got {self._describe()}")
                parts.append(ast.Data(data_name, literal.data))
            else:
                raise self.fail(8143, 'Expected keyword "data" or "object" or "}".')
        self.position += 1
        self.depth -= 1
        return ast.Object(name, code, tuple(parts), names)

    def _unique_name(self, container: tuple[str, set[str]] | None) -> str:
        position = self.position
        token = self.texts[position]
        if token[:1] not in ('"', "'") or len(token) < 2:
            self._check_illegal()
            raise self.fail(2314, f"Expected string literal but got {self._describe()}")
        try:
            name = decode_string(token).decode("utf-8", "replace")
        except TokenError as error:
            raise self.fail(1465, f"Illegal token: {error}") from None
        at = self.token_range(position)
        if not name:
            self.sink.error("ParserError", 3287, at, "Object name cannot be empty.")
        elif container and container[0] == name:
            message = "Object name cannot be the same as the name of the containing object."
            self.sink.error("ParserError", 8311, at, message)
        elif container and name in container[1]:
            message = f'Object name "{name}" already exists inside the containing object.'
            self.sink.error("ParserError", 8794, at, message)
        if container:
            container[1].add(name)
        self.position += 1
        return name


_STATEMENTS = {
    "{": YulParser.block,
    "let": YulParser._let,
    "if": YulParser._if,
    "switch": YulParser._switch,
    "for": YulParser._for,
    "break": YulParser._break,
    "continue": YulParser._continue,
    "leave": YulParser._leave,
    "function": YulParser._function,
}
