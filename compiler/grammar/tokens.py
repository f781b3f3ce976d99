"""Turns Solidity text, inline assembly included, into tokens: parallel lists, ready for the table-driven
parser.

The text is taken as bytes, one character per byte (Latin-1), so every offset is a UTF-8 offset as in solc's
``src``. Which words are keywords is the grammar's matter (``Vocabulary``); soft keywords such as ``error``
get a kind of their own, which the parse table treats as an identifier wherever the keyword has no meaning.
Follows "SolidityLexer.g4" and the rules of docs/grammar.rst.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from smartvm.compiler.grammar.quoted import OPENING, mistake_in_hex_string, mistake_in_string
from smartvm.records import dataclass, field

#: Words that are keywords in some places and ordinary identifiers in all others.
SOFT_KEYWORDS = frozenset({"FROM", "ERROR", "REVERT", "GLOBAL", "TRANSIENT", "LAYOUT", "AT", "PLACEHOLDER"})

#: Units that may follow a number.
SUB_DENOMINATIONS = frozenset(
    ["wei", "gwei", "ether", "seconds", "minutes", "hours", "days", "weeks", "years"]
)

#: Words that mean nothing yet and may not be used as names.
RESERVED_WORDS = frozenset(
    [
        "after",
        "alias",
        "apply",
        "auto",
        "byte",
        "case",
        "copyof",
        "default",
        "define",
        "final",
        "implements",
        "in",
        "inline",
        "let",
        "macro",
        "match",
        "mutable",
        "null",
        "of",
        "partial",
        "promise",
        "reference",
        "relocatable",
        "sealed",
        "sizeof",
        "static",
        "supports",
        "switch",
        "typedef",
        "typeof",
        "var",
    ]
)

YUL_KEYWORDS = frozenset(
    [
        "break",
        "case",
        "continue",
        "default",
        "false",
        "for",
        "function",
        "if",
        "leave",
        "let",
        "switch",
        "true",
    ]
)

#: Weight of open brackets at which a source is refused.
NESTING_LIMIT = 1202

_TRIVIA = (
    r"(?:[ \t\r\n]+"
    r"|//(?!/(?!/))[^\n\r\x0b\x0c\xc2\xe2]*(?:(?:\xc2(?!\x85)|\xe2(?!\x80[\xa8\xa9]))[^\n\r\x0b\x0c\xc2\xe2]*)*"
    r"|/\*(?!\*(?![/*]))[\s\S]*?\*/)*"
)
_STRING = r""""(?:[^"\\\n\r\x0b\x0c]|\\(?:\r\n|[\s\S]))*"|'(?:[^'\\\n\r\x0b\x0c]|\\(?:\r\n|[\s\S]))*'"""
_NUMBER = (
    r"0x[0-9a-fA-F][0-9a-fA-F_]*"
    r"|(?:0(?![0-9])(?:[0-9_]*)|[1-9][0-9_]*)(?:\.[0-9][0-9_]*|\._[0-9_]*)?(?:[eE][+-]?[0-9][0-9_]*|[eE]_[0-9_]*)?"
    r"|\.[0-9][0-9_]*(?:[eE][+-]?[0-9][0-9_]*)?"
)
_OPERATOR = (
    r">>>=|>>=|<<=|>>>|=>|->|:=|\+\+|--|\*\*|&&|\|\||==|!=|<=|>=|<<|>>|\+=|-=|\*=|/=|%=|&=|\|=|\^="
    r"|[(){}\[\];,.:?=+\-*/%!~&|^<>]"
)
_DOCUMENTATION = (
    r"///(?!/)[^\n\r\x0b\x0c]*(?:(?:\r\n|\n|\r)[ \t]*///(?!/)[^\n\r\x0b\x0c]*)*"
    r"|/\*\*(?![/*])[\s\S]*?\*/"
)

# Groups: 1 word, 2 quoted (string, hex or unicode string), 3 number, 4 documentation, 5 unterminated comment,
# 6 operator, 7 end, 8 anything else.
_REST = rf"({_NUMBER})|({_DOCUMENTATION})|(/\*)|({_OPERATOR})|(\Z)|([\s\S])"
_SOLIDITY = re.compile(
    rf"{_TRIVIA}(?:((?!(?:hex|unicode)[\"'])[a-zA-Z_$][a-zA-Z0-9_$]*)|((?:hex|unicode)?(?:{_STRING}))|{_REST})"
)
_YUL = re.compile(rf"{_TRIVIA}(?:((?!hex[\"'])[a-zA-Z_$][a-zA-Z0-9_$.]*)|((?:hex)?(?:{_STRING}))|{_REST})")
_WORD_PART = re.compile(r"[a-zA-Z_$0-9]")
_END_OF_LINE = re.compile(r"\r\n|\n|\r")
_DIRECTIONAL = re.compile(r"\xe2\x80[\xaa-\xae]")
_DIRECTIONAL_SCOPE = re.compile(rf"""//[^\n\r]*|/\*[\s\S]*?\*/|(?:unicode|hex)?(?:{_STRING})""")

_PREFIXES = {"h": "hex", "u": "unicode"}
_DOCUMENTATION_START = re.compile(r"///(?!/)|/\*\*(?![/*])")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The grammar's terminals as numbers ("kinds"): ``kinds`` by terminal name, ``solidity`` and ``yul`` by
    word, ``operators`` by spelling."""

    names: tuple[str, ...]
    kinds: Mapping[str, int]
    solidity: Mapping[str, int]
    yul: Mapping[str, int]
    operators: Mapping[str, int]

    @classmethod
    def from_literals(cls, names: tuple[str, ...], literals: Mapping[str, str]) -> Vocabulary:
        """Build from the terminals' names and the spelling of those that have only one (spelling to name)."""
        kinds = {name: kind for kind, name in enumerate(names)}
        words = {text: kinds[name] for text, name in literals.items() if text[0].isalpha() or text[0] == "_"}
        solidity = {
            **dict.fromkeys(RESERVED_WORDS, kinds["RESERVED"]),
            "hex": kinds["ILLEGAL"],
            "unicode": kinds["ILLEGAL"],
            **{word: kind for word, kind in words.items() if word not in YUL_KEYWORDS - _SHARED_KEYWORDS},
            **dict.fromkeys(SUB_DENOMINATIONS, kinds["SUB_DENOMINATION"]),
            **dict.fromkeys(elementary_type_names(), kinds["ELEMENTARY"]),
        }
        return cls(
            names=names,
            kinds=kinds,
            solidity=solidity,
            yul={**{word: words[word] for word in YUL_KEYWORDS}, "hex": kinds["ILLEGAL"]},
            operators={text: kinds[name] for text, name in literals.items() if text not in words},
        )


_SHARED_KEYWORDS = frozenset(["break", "continue", "false", "for", "function", "if", "true"])


def elementary_type_names() -> frozenset[str]:
    """The names of elementary types except ``address`` and the fixed point types with sizes."""
    widths = range(8, 257, 8)
    return frozenset(
        ["bool", "string", "bytes", "int", "uint", "fixed", "ufixed"]
        + [f"{sign}int{width}" for sign in ("", "u") for width in widths]
        + [f"bytes{length}" for length in range(1, 33)]
    )


_FIXED_POINT = re.compile(r"u?fixed([1-9][0-9]{0,2})x(0|[1-9][0-9]?)")


def _is_fixed_point(word: str) -> bool:
    match = _FIXED_POINT.fullmatch(word)
    if match is None:
        return False
    bits, digits = int(match[1]), int(match[2])
    return 8 <= bits <= 256 and bits % 8 == 0 and digits <= 80


@dataclass(frozen=True, slots=True)
class Documentation:
    """A documentation comment: its text without comment marks, and the bytes that it covers."""

    text: str
    start: int
    end: int


@dataclass(slots=True)
class TokenList:
    """The tokens of one source. ``names`` are those of the kinds. ``kinds[i]``, ``starts[i]`` and ``ends[i]``
    belong together; the last token is the end of the source. ``documentation`` is keyed by the start of the
    token that follows the comment; ``problems`` tells what is wrong with an ILLEGAL token, by its index."""

    text: str
    names: tuple[str, ...]
    kinds: list[int] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    documentation: dict[int, Documentation] = field(default_factory=dict)
    problems: dict[int, str] = field(default_factory=dict)

    def spelling(self, index: int) -> str:
        """The token's text as written (one character per byte)."""
        return self.text[self.starts[index] : self.ends[index]]


def tokenize(data: bytes, vocabulary: Vocabulary) -> TokenList:
    """All tokens of a Solidity source. Never fails: what is no token becomes ILLEGAL."""
    return _Tokenizer(data.decode("latin-1"), vocabulary).run()


class _Tokenizer:
    def __init__(self, text: str, vocabulary: Vocabulary) -> None:
        self.text = text
        self.vocabulary = vocabulary
        self.tokens = TokenList(text, vocabulary.names)

    def run(self) -> TokenList:
        position = 0
        while position >= 0:
            position = self._solidity(position)
            if position >= 0:
                position = self._assembly(position)
        if _DIRECTIONAL.search(self.text):
            self._check_directions()
        self._soft_keywords()
        return self.tokens

    def _solidity(self, position: int) -> int:
        """Tokens from ``position`` to the end (gives -1) or to the brace that opens an assembly block (its
        offset)."""
        kinds, starts, ends = self.tokens.kinds, self.tokens.starts, self.tokens.ends
        names = self.vocabulary.kinds
        words, operators = self.vocabulary.solidity, self.vocabulary.operators
        identifier, number, brace = names["IDENTIFIER"], names["NUMBER"], names["LBRACE"]
        assembly, pragma, colon = names["ASSEMBLY"], names["PRAGMA"], names["COLON"]
        semicolon, pragma_token = names["SEMICOLON"], names["PRAGMA_TOKEN"]
        declaration_ends = (semicolon, names["RBRACE"])
        in_pragma = expect_assembly = False
        pending: Documentation | None = None
        while position >= 0:
            for match in _SOLIDITY.finditer(self.text, position):
                group = match.lastindex or 0
                start, end = match.span(group)
                if group == 1:
                    word = match[1]
                    kind = words.get(word, identifier)
                    if kind == identifier:
                        if word[-1].isdigit() and _is_fixed_point(word):
                            kind = names["ELEMENTARY"]
                    elif kind == assembly:
                        expect_assembly = not in_pragma
                    elif kind == pragma and not in_pragma and (not kinds or kinds[-1] in declaration_ends):
                        in_pragma = True
                        kinds.append(kind)
                        starts.append(start)
                        ends.append(end)
                        continue
                elif group == 6:
                    kind = operators[match[6]]
                    if kind == colon:
                        self._mark_call_options()
                    elif kind == brace and expect_assembly:
                        return start
                    elif kind == semicolon:
                        # As solc reads it, a pragma has at least one word, whatever that is.
                        in_pragma = in_pragma and kinds[-1] == pragma
                        expect_assembly = False
                elif group == 3:
                    kind = number
                    if _WORD_PART.match(self.text, end):
                        kind, end = self._bad_number(start, end)
                elif group == 4:
                    pending = self._documentation(start, end)
                    continue
                elif group == 2:
                    kind, end = self._quoted(start, end, is_yul=False)
                elif group == 7:
                    position = -1
                    break
                else:
                    kind, end = self._unknown(start, group)
                if in_pragma:
                    kind = pragma_token
                if pending is not None:
                    self.tokens.documentation[start] = pending
                    pending = None
                kinds.append(kind)
                starts.append(start)
                ends.append(end)
                if end != match.end():
                    position = end
                    break
        size = len(self.text)
        kinds.append(names["$END"])
        starts.append(size)
        ends.append(size)
        return -1

    def _assembly(self, position: int) -> int:
        """Tokens of an assembly block from its opening brace; gives the offset after its closing brace, -1 at
        the source's end."""
        kinds, starts, ends = self.tokens.kinds, self.tokens.starts, self.tokens.ends
        names = self.vocabulary.kinds
        words, operators = self.vocabulary.yul, self.vocabulary.operators
        identifier, opening, closing = names["IDENTIFIER"], names["LBRACE"], names["RBRACE"]
        depth = 0
        while True:
            for match in _YUL.finditer(self.text, position):
                group = match.lastindex or 0
                start, end = match.span(group)
                if group == 1:
                    kind = words.get(match[1], identifier)
                elif group == 6:
                    kind = operators[match[6]]
                    if kind == opening:
                        depth += 1
                    elif kind == closing:
                        depth -= 1
                elif group == 3:
                    kind = names["NUMBER"]
                    if _WORD_PART.match(self.text, end):
                        kind, end = self._bad_number(start, end)
                elif group == 4:
                    continue
                elif group == 2:
                    kind, end = self._quoted(start, end, is_yul=True)
                elif group == 7:
                    kinds.append(names["$END"])
                    starts.append(end)
                    ends.append(end)
                    return -1
                else:
                    kind, end = self._unknown(start, group)
                kinds.append(kind)
                starts.append(start)
                ends.append(end)
                if depth == 0:
                    return end
                if end != match.end():
                    position = end
                    break

    def _problem(self, message: str) -> int:
        """Note what is wrong with the token about to be added, and give its kind."""
        self.tokens.problems[len(self.tokens.kinds)] = message
        return self.vocabulary.kinds["ILLEGAL"]

    def _mark_call_options(self) -> None:
        """At a colon: ``{ name`` before it opens call options (``f{value: 1}``) unless it stands after ``(``,
        where it opens named arguments."""
        kinds = self.tokens.kinds
        names = self.vocabulary.kinds
        if len(kinds) < 3 or kinds[-2] != names["LBRACE"] or kinds[-3] == names["LPAR"]:
            return
        if self._is_identifier(len(kinds) - 1):
            kinds[-2] = names["OPTIONS_LBRACE"]

    def _is_identifier(self, index: int) -> bool:
        if index >= len(self.tokens.kinds):
            return False
        name = self.vocabulary.names[self.tokens.kinds[index]]
        return name == "IDENTIFIER" or name in SOFT_KEYWORDS

    def _bad_number(self, start: int, end: int) -> tuple[int, int]:
        """A number directly followed by a letter or digit."""
        text = self.text
        if text[start] == "0" and text[end].isdigit():
            return self._problem("Octal numbers not allowed."), end
        if text[end] == "x" and end == start + 1 and text[start] == "0":
            return self._problem("Hexadecimal digit missing or invalid."), end + 1
        if text[end] in "eE" and not text.startswith("0x", start):
            return self._problem("Invalid exponent."), end + (2 if text[end + 1 : end + 2] in ("+", "-") else 1)
        return self._problem("Identifier-start is not allowed at end of a number."), end

    def _unknown(self, start: int, group: int) -> tuple[int, int]:
        """What begins no token: an unterminated comment or string, or a stray character."""
        if group == 5:
            return self._problem("Expected multi-line comment-terminator."), len(self.text)
        if opening := OPENING.match(self.text, start):
            return self._bad_quoted(start, opening[1], is_yul=False)
        return self._problem("Invalid token."), start + 1

    def _quoted(self, start: int, end: int, *, is_yul: bool) -> tuple[int, int]:
        """The kind and the end of a quoted literal, after looking at its characters."""
        names = self.vocabulary.kinds
        text = self.text[start:end]
        prefix = _PREFIXES.get(text[0], "")
        if prefix == "hex":
            found = mistake_in_hex_string(self.text, start, closed=True)
            return (names["HEX_STRING"], end) if found is None else (self._problem(found[0]), found[1])
        body = text[len(prefix) + 1 : -1]
        if "\\" in body or not (body.isascii() and (body.isprintable() or not body)):
            found = mistake_in_string(self.text, start + len(prefix), is_unicode=bool(prefix), is_yul=is_yul)
            if found is not None:
                return self._problem(found[0]), found[1]
        return names["UNICODE_STRING" if prefix else "STRING"], end

    def _bad_quoted(self, start: int, prefix: str, *, is_yul: bool) -> tuple[int, int]:
        """A quoted literal without its end."""
        if prefix == "hex":
            found = mistake_in_hex_string(self.text, start, closed=False)
        else:
            found = mistake_in_string(self.text, start + len(prefix), is_unicode=bool(prefix), is_yul=is_yul)
        assert found is not None
        return self._problem(found[0]), found[1]

    def _documentation(self, start: int, end: int) -> Documentation:
        raw = self.text[start:end]
        if raw.startswith("///"):
            text = _line_documentation(raw)
            newline = _END_OF_LINE.match(self.text, end)
            if newline is not None and self.text[newline.end() : newline.end() + 1] not in (" ", "\t"):
                end = newline.end()
        else:
            text = _block_documentation(raw)
        return Documentation(text.encode("latin-1").decode("utf-8", "replace"), start, end)

    def _check_directions(self) -> None:
        """Unicode's direction overrides must be balanced within each comment and unicode string."""
        for scope in _DIRECTIONAL_SCOPE.finditer(self.text):
            if scope[0][0] in "\"'h" or _DOCUMENTATION_START.match(scope[0]):
                continue
            depth, end = 0, scope.end() - (scope[0][1] != "/")
            for mark in _DIRECTIONAL.finditer(self.text, scope.start(), scope.end()):
                depth += -1 if mark[0][-1] == "\xac" else 1
                if depth < 0:
                    end = mark.start()
                    break
            if depth:
                message = "underflow" if depth < 0 else "mismatch"
                self._spoil(
                    scope.start(), end, f"Unicode direction override {message} in a comment or string."
                )

    def _spoil(self, start: int, end: int, message: str) -> None:
        tokens = self.tokens
        index = next((i for i, token_start in enumerate(tokens.starts) if token_start >= start), -1)
        if tokens.starts[index] != start:
            tokens.kinds.insert(index, 0)
            tokens.starts.insert(index, start)
            tokens.ends.insert(index, end)
            tokens.problems = {i + (i >= index): problem for i, problem in tokens.problems.items()}
        tokens.kinds[index] = self.vocabulary.kinds["ILLEGAL"]
        tokens.ends[index] = end
        tokens.problems[index] = message

    def _soft_keywords(self) -> None:
        """Decide by the tokens around them where a soft keyword may be one at all."""
        tokens, names = self.tokens, self.vocabulary.kinds
        identifier = names["IDENTIFIER"]
        kinds = tokens.kinds
        if names["ERROR"] in kinds:
            for i, kind in enumerate(kinds):
                if kind == names["ERROR"] and not (
                    self._is_identifier(i + 1) and kinds[i + 2] == names["LPAR"]
                ):
                    kinds[i] = identifier
        if names["REVERT"] in kinds:
            for i, kind in enumerate(kinds):
                if kind == names["REVERT"] and not self._is_identifier(i + 1):
                    kinds[i] = identifier
        if names["TRANSIENT"] in kinds:
            for i, kind in enumerate(kinds):
                if kind == names["TRANSIENT"] and kinds[i + 1] in (names["EQUAL"], names["SEMICOLON"]):
                    kinds[i] = identifier
        if names["PLACEHOLDER"] in kinds:
            self._placeholders()
        if names["USING"] in kinds:
            self._operators_of_using()
        self._deep_nesting()

    def _operators_of_using(self) -> None:
        """Whatever follows ``as`` in the braces of a using directive is read as an operator, to be judged
        later."""
        kinds, names = self.tokens.kinds, self.vocabulary.kinds
        ends = (names["RBRACE"], names["SEMICOLON"], names["$END"])
        for i, kind in enumerate(kinds):
            if kind == names["USING"] and kinds[i + 1] == names["LBRACE"]:
                position = i + 2
                while kinds[position] not in ends:
                    if kinds[position] == names["AS"] and kinds[position + 1] != names["$END"]:
                        position += 1
                        kinds[position] = names["ANY_TOKEN"]
                    position += 1

    def _deep_nesting(self) -> None:
        """Mark the first bracket that nests too deeply. The measure is solc's: five steps down for a
        parenthesis or index, two for a block, 1,200 below a function's header."""
        kinds, names = self.tokens.kinds, self.vocabulary.kinds
        braces = (names["LBRACE"], names["OPTIONS_LBRACE"])
        weights = dict.fromkeys(braces, 2) | {names["RBRACE"]: -2}
        weights |= {names["LPAR"]: 5, names["LSQB"]: 5, names["RPAR"]: -5, names["RSQB"]: -5}
        depth = 0
        for i, kind in enumerate(kinds):
            if kind in weights:
                depth += weights[kind]
                if depth >= NESTING_LIMIT:
                    kinds[i] = names["TOO_DEEP"]
                    return

    def _placeholders(self) -> None:
        """``_`` is a placeholder within modifiers and a name everywhere else."""
        kinds, names = self.tokens.kinds, self.vocabulary.kinds
        placeholder, modifier, semicolon = names["PLACEHOLDER"], names["MODIFIER"], names["SEMICOLON"]
        opening, closing = (names["LBRACE"], names["OPTIONS_LBRACE"]), names["RBRACE"]
        in_modifier, depth = False, 0
        for i, kind in enumerate(kinds):
            if kind == modifier:
                in_modifier, depth = True, 0
            elif kind == placeholder and not (in_modifier and depth):
                kinds[i] = names["IDENTIFIER"]
            elif in_modifier:
                if kind in opening:
                    depth += 1
                elif kind == closing:
                    depth -= 1
                    in_modifier = depth > 0
                elif kind == semicolon and depth == 0:
                    in_modifier = False


def _line_documentation(raw: str) -> str:
    """The text of ``///`` lines: marks removed, lines that are empty after them left out."""
    first, *others = _END_OF_LINE.split(raw)
    text = first[3:].lstrip(" \t")
    for line in others:
        content = line.lstrip(" \t")[3:]
        if content:
            text += "\n" + content
    return text


def _block_documentation(raw: str) -> str:
    """The text of a ``/** */`` comment: one leading star per line and the indentation before it removed."""
    first, *others = re.split(r"[\r\n][ \t\r\n]*", raw[3:-2])
    text = first.lstrip(" \t")
    has_content = bool(text)
    for number, line in enumerate(others, 1):
        is_last = number == len(others)
        if line.startswith("**") or (is_last and line == "*"):
            text += line
        elif line.startswith("*"):
            if line == "*":
                continue
            text += ("\n" if has_content else "") + line[1:]
        elif is_last and not line:
            continue
        else:
            text += ("\n" if has_content else "") + line
        has_content = True
    return text
