"""Small checks of Standard JSON values, each with solc's message."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

#: The largest number that solc's JSON reader takes for an unsigned one.
_MOST_UNSIGNED = 2**64 - 1


class InputError(Exception):
    """Standard JSON input that cannot be used. ``type`` is the type of the error reported."""

    def __init__(self, message: str, type_: str = "JSONError") -> None:
        super().__init__(message)
        self.type = type_


def check_keys(value: Any, known: frozenset[str], name: str) -> Mapping[str, Any]:
    """The object ``value``, whose keys must be among ``known``; empty things count as an empty object.

    Raises InputError naming the field ``name`` or the first unknown key (in the order of names)."""
    if not isinstance(value, Mapping):
        if value is None or (isinstance(value, list) and not value):
            return {}
        raise InputError(f'"{name}" must be an object')
    for key in sorted(value):
        if key not in known:
            raise InputError(f'Unknown key "{key}"')
    return value


def boolean(parent: Mapping[str, Any], key: str, message: str, default: bool) -> bool:
    """A field that is true or false; InputError with ``message`` when it is anything else."""
    value = parent.get(key, default)
    if not isinstance(value, bool):
        raise InputError(message)
    return value


def string(parent: Mapping[str, Any], key: str, message: str, default: str) -> str:
    """A field that is a string; InputError with ``message`` when it is anything else."""
    value = parent.get(key, default)
    if not isinstance(value, str):
        raise InputError(message)
    return value


def is_unsigned(value: Any) -> bool:
    """Whether a JSON value is an integer from 0 to 2^64 - 1."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_UNSIGNED


#: A string (left as it is) or a comment.
_STRING_OR_COMMENT = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def read_json(text: str) -> Any:
    """JSON as solc reads it: comments and bare control characters in strings are fine, NaN is not.

    Raises InputError with the line and column of what is wrong."""
    try:
        return _decoded(text)
    except json.JSONDecodeError as first:
        error = first
        if "/" in text and (plain := _STRING_OR_COMMENT.sub(_without_comment, text)) != text:
            try:
                return _decoded(plain)
            except json.JSONDecodeError as second:
                error = second
        if not text.strip():
            detail = "attempting to parse an empty input; there must be a JSON object"
        else:
            detail = f"syntax error: {error.msg}"
        raise InputError(f"parse error at line {error.lineno}, column {error.colno}: {detail}") from None
    except (RecursionError, ValueError) as error:
        detail = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise InputError(f"parse error: {detail}") from None


#: Brackets within brackets that an input may have. The decoder recurses on the C stack: where the process was given a
#: high recursion limit, it would run out of stack instead of saying so.
_DEEPEST = 900
_STRING_OR_BRACKET = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[{]|[\]}]', re.DOTALL)


def _is_too_deep(text: str) -> bool:
    if text.count("[") + text.count("{") <= _DEEPEST:
        return False
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(text):
        if match[0] in "[{":
            depth += 1
            if depth > _DEEPEST:
                return True
        elif match[0] in "]}":
            depth -= 1
    return False


def _decoded(text: str) -> Any:
    if _is_too_deep(text):
        raise RecursionError
    data = json.loads(text, strict=False, parse_constant=_no_constant)
    if _SURROGATE.search(text):
        try:
            json.dumps(data, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise ValueError("invalid string: half of a surrogate pair stands alone") from None
    return data


def _no_constant(name: str) -> Any:
    raise ValueError(f"invalid literal `{name}`")


def _without_comment(match: re.Match[str]) -> str:
    """The string itself, or a comment's line ends, so that places stay right."""
    return match[0] if match[0][0] == '"' else re.sub(r"[^\n]", " ", match[0])
