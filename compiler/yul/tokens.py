"""Cuts Yul text into tokens. A token is its text: what kind it is, its first character tells."""

from __future__ import annotations

import re
from itertools import accumulate

from smartvm.compiler.source import SourceText
from smartvm.instructions.rows import YUL_KEYWORDS
from smartvm.records import dataclass

_SKIPPED = r"(?:[ \t\r\n\f]+|//[^\r\n]*|/\*(?:[^*]|\*(?!/))*\*/)*"
_TOKEN = re.compile(
    _SKIPPED
    + r"""(
    hex"[^"\r\n]*" | hex'[^'\r\n]*'
    | [A-Za-z_$][A-Za-z0-9_$.]*
    | [(){},]
    | := | ->
    | [0-9][A-Za-z0-9_$.]*
    | "(?:[^"\\\r\n]|\\(?:\r\n|[\s\S]))*" | '(?:[^'\\\r\n]|\\(?:\r\n|[\s\S]))*'
    | [\s\S]
    | $
    )""".replace(" ", "").replace("\n", "")
)
#: Comments that document, the only ones in which ``@src`` and ``@use-src`` count.
DOCUMENTATION = re.compile(r"///(?P<line>[^\r\n]*)|/\*\*(?P<block>(?:[^*]|\*(?!/))*)\*/")

#: Any comment; also what looks like one in a string.
COMMENT = re.compile(r"//[^\r\n]*|/\*(?:[^*]|\*(?!/))*\*/")

_IDENTIFIER_START = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_$")
_SHORT_ESCAPES = {"n": b"\n", "r": b"\r", "t": b"\t", "\\": b"\\", "'": b"'", '"': b'"'}
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|(\r\n|[\s\S]))")
_HEX_DIGITS = re.compile(r"(?:[0-9a-fA-F]{2}(?:_?[0-9a-fA-F]{2})*)?")


class TokenError(ValueError):
    """A token is malformed."""


@dataclass(frozen=True)
class Tokens:
    """Tokens with the byte offsets at which they start and end; the last token is the empty text at the
    end."""

    texts: list[str]
    starts: list[int]
    ends: list[int]


def token_texts(text: str) -> list[str]:
    """The tokens of ``text`` without positions; the last is empty."""
    texts: list[str] = _TOKEN.findall(text)
    if len(texts) > 1 and not texts[-2]:
        texts.pop()
    return texts


def tokenize(source: SourceText, start: int = 0) -> Tokens:
    """The tokens of a source from character ``start`` on."""
    texts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for match in _TOKEN.finditer(source.text, start):
        texts.append(match[1])
        first, last = match.span(1)
        starts.append(first)
        ends.append(last)
        if not match[1]:
            break
    if not source.is_ascii:
        offsets = byte_offsets(source.text)
        starts = [offsets[position] for position in starts]
        ends = [offsets[position] for position in ends]
    return Tokens(texts, starts, ends)


def byte_offsets(text: str) -> list[int]:
    """The UTF-8 offset of each character, and of the end."""
    widths = (1 if c < "\x80" else 2 if c < "\u0800" else 3 if c < "\U00010000" else 4 for c in text)
    return list(accumulate(widths, initial=0))


def is_identifier(token: str) -> bool:
    """Whether the token is an identifier: it may hold dots, as solc's own names and ``x.slot`` do."""
    return token[:1] in _IDENTIFIER_START and token not in YUL_KEYWORDS and not is_hex_string(token)


def is_hex_string(token: str) -> bool:
    """Whether the token is ``hex"..."``."""
    return token.startswith(('hex"', "hex'"))


def decode_string(token: str) -> bytes:
    """The bytes of a string literal, escapes resolved; ``TokenError`` when it is malformed."""
    if len(token) < 2 or token[-1] != token[0]:
        raise TokenError("Expected string end-quote.")
    body = token[1:-1]
    for character in body:
        if not " " <= character <= "~" and character not in "\r\n":
            raise TokenError("Invalid character in string.")
    if "\\" not in body:
        return body.encode("ascii")

    def decode(match: re.Match[str]) -> str:
        if match[1]:
            return chr(int(match[1], 16))
        if match[2]:
            return chr(int(match[2], 16)).encode("utf-8", "surrogatepass").decode("latin-1")
        if match[3] in ("\n", "\r", "\r\n"):
            return ""
        if match[3] not in _SHORT_ESCAPES:
            raise TokenError("Invalid escape sequence.")
        return _SHORT_ESCAPES[match[3]].decode("latin-1")

    return _ESCAPE.sub(decode, body).encode("latin-1")


def decode_hex_string(token: str) -> bytes:
    """The bytes of ``hex"..."``; ``TokenError`` when the digits are no whole bytes."""
    body = token[4:-1]
    if not _HEX_DIGITS.fullmatch(body):
        raise TokenError(
            "Expected even number of hex-nibbles." if "_" not in body else "Invalid use of underscore."
        )
    return bytes.fromhex(body.replace("_", ""))
