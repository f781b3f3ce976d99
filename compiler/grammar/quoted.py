"""Quoted literals: strings, unicode strings and hex strings, their escapes, and what is wrong with them.

Texts are the bytes of a source, one character each (Latin-1), as the tokenizer has them.
"""

from __future__ import annotations

import re

#: What opens a quoted literal: its prefix, then the quote.
OPENING = re.compile(r"(hex|unicode|)[\"']")

_ESCAPE = re.compile(r"\\(?:(\r\n|\n|\r)|(['\"\\nrt])|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([\s\S]?))")
_SIMPLE_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
#: The ends of lines: also U+0085, U+2028 and U+2029.
_END_OF_LINE = re.compile(r"[\n\r\x0b\x0c]|\xc2\x85|\xe2\x80[\xa8\xa9]")
_HEX_BYTE = re.compile(r"[0-9a-fA-F]{2}")

#: What is wrong, and where the token ends that is no string.
Mistake = tuple[str, int]


def mistake_in_string(text: str, start: int, *, is_unicode: bool, is_yul: bool) -> Mistake | None:
    """The first mistake in the string whose quote stands at ``start``; None when it is right."""
    quote, position = text[start], start + 1
    while position < len(text):
        letter = text[position]
        if letter == quote:
            return None
        if _END_OF_LINE.match(text, position):
            break
        if letter == "\\":
            escape = _ESCAPE.match(text, position)
            assert escape is not None
            if escape[5]:
                return "Invalid escape sequence.", escape.end()
            position = escape.end()
            continue
        if not is_unicode and not " " <= letter <= "~":
            message = "Invalid character in string."
            if not is_yul:
                message += (
                    " If you are trying to use Unicode characters, use a unicode\"...\" string literal."
                )
            return message, position + 1
        position += 1
    return "Expected string end-quote.", position


def mistake_in_hex_string(text: str, start: int, *, closed: bool) -> Mistake | None:
    """The first mistake in the hex string at ``start``; None when it is right, which it is not unless
    ``closed``."""
    quote, position = text[start + 3], start + 4
    may_separate = False
    while position < len(text) and text[position] != quote:
        if _HEX_BYTE.match(text, position):
            position += 2
            may_separate = True
        elif text[position] == "_":
            position += 1
            if not may_separate or text[position : position + 1] == quote:
                return "Invalid use of number separator '_'.", position
            may_separate = False
        else:
            return "Expected even number of hex-nibbles.", position
    return None if closed else ("Expected string end-quote.", position)


def decode_string(token: str) -> bytes:
    """The bytes of a string, unicode string or hex string token (given one character per byte, already
    checked)."""
    if token.startswith("hex"):
        return bytes.fromhex(token[4:-1].replace("_", ""))
    body = token[token.index(token[-1]) + 1 : -1]
    if "\\" not in body:
        return body.encode("latin-1")

    def replace(escape: re.Match[str]) -> str:
        if escape[1] is not None:
            return ""
        if escape[2] is not None:
            return _SIMPLE_ESCAPES.get(escape[2], escape[2])
        if escape[3] is not None:
            return chr(int(escape[3], 16)).encode("utf-8", "surrogatepass").decode("latin-1")
        return chr(int(escape[4], 16))

    return _ESCAPE.sub(replace, body).encode("latin-1")
