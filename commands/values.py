"""Arguments of calls on the command line: text or a file to a value of an ABI type."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from smartvm.abi import AbiType
from smartvm.commands.options import UsageError

_NUMBER = re.compile(r"[+-]?(0[xX][0-9a-fA-F_]+|\d[\d_]*)")
_SCALED = re.compile(r"([+-]?)(\d[\d_]*)(?:\.(\d+))?(?:[eE](\d+)|\s*(wei|gwei|ether))")
_UNITS = {"wei": 0, "gwei": 9, "ether": 18}
_FILES = (".npy", ".npz", ".json", ".png")
_DEPTH_LIMIT = 64


def argument(abi_type: AbiType, text: str) -> Any:
    """The value that a word of the command line stands for.

    A file (``.npy``, ``.npz`` or ``.npz:NAME``, ``.json``, ``.png``, or ``@FILE`` for bytes and strings)
    gives its content; else numbers are decimal or ``0x`` (``1e18`` and ``2 ether`` too), bytes and
    addresses ``0x`` text, arrays ``[a, b]``, tuples ``(a, b)``. Raises ``UsageError``.
    """
    is_file, content = _from_file(abi_type, text)
    return (
        content if is_file else _from_text(abi_type, text.strip() if abi_type.kind != "string" else text, 0)
    )


def _from_file(abi_type: AbiType, text: str) -> tuple[bool, Any]:
    explicit = text.startswith("@")
    name = text[1:] if explicit else text
    base, _, member = name.partition(".npz:")
    path = Path(base + ".npz") if member else Path(name)
    if abi_type.kind in ("bytes", "string", "fixed_bytes") and explicit:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise UsageError(f"cannot read `{path}`: {error.strerror}") from None
        return True, data if abi_type.kind != "string" else data.decode("utf-8", "surrogateescape")
    if path.suffix not in _FILES or abi_type.kind in (
        "string",
        "bytes",
        "address",
        "fixed_bytes",
        "function",
    ):
        if explicit:
            raise UsageError(
                f"`{text}`: cannot read a {abi_type} from this file", hint=f"known: {', '.join(_FILES)}"
            )
        return False, None
    if not path.is_file():
        raise UsageError(f"no file `{path}`")
    try:
        if path.suffix == ".json":
            return True, json.loads(path.read_text(encoding="utf-8"))
        if path.suffix == ".png":
            return True, _shaped(abi_type, _image(path), str(path))
        return True, _shaped(abi_type, _array(path, member), str(path))
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read `{path}`: {error}") from None


def _array(path: Path, member: str) -> Any:
    import numpy

    loaded = numpy.load(path, allow_pickle=False)
    if path.suffix == ".npy":
        return loaded
    names = list(loaded.files)
    if not member and len(names) != 1:
        raise UsageError(
            f"`{path}` holds several arrays", hint=f"write {path}:NAME with one of {', '.join(names)}"
        )
    if member and member not in names:
        raise UsageError(f"`{path}` holds no array `{member}`", hint=f"it holds: {', '.join(names)}")
    return loaded[member or names[0]]


def _image(path: Path) -> Any:
    """An image's gray values, rows from the top: 0 is black, 255 white."""
    import numpy
    from PIL import Image

    with Image.open(path) as image:
        return numpy.asarray(image.convert("L"), dtype=numpy.int64)


def _shaped(abi_type: AbiType, array: Any, name: str) -> Any:
    """The array flattened to as many dimensions as the type has."""
    if array.dtype.kind == "b":
        array = array.astype("uint8")
    if array.dtype.kind not in "iu":
        raise UsageError(f"`{name}` holds {array.dtype} numbers, a contract takes integers")
    dimensions, inner, sizes = 0, abi_type, []
    while inner.kind == "array" and inner.element is not None:
        dimensions += 1
        sizes.append(inner.length)
        inner = inner.element
    if dimensions == 0:
        if array.size != 1:
            raise UsageError(f"`{name}` holds {array.size} numbers, {abi_type} is one")
        return int(array.reshape(()))
    if dimensions == 1:
        return array.reshape(-1)
    if array.ndim != dimensions:
        known = 1
        for size in sizes[1:]:
            known *= size or 0
        if not known or array.size % known:
            raise UsageError(f"`{name}` has the shape {array.shape}, which is no {abi_type}")
        array = array.reshape((-1, *sizes[1:]))
    return array.tolist()


def _from_text(abi_type: AbiType, text: str, depth: int) -> Any:
    if depth > _DEPTH_LIMIT:
        raise UsageError("a value is nested too deeply")
    if abi_type.kind in ("uint", "int"):
        return _integer(abi_type, text)
    if abi_type.kind == "bool":
        if text.lower() not in ("true", "false", "0", "1"):
            raise UsageError(f"`{_short(text)}` is no bool, expected true or false")
        return text.lower() in ("true", "1")
    if abi_type.kind == "array":
        if not (text.startswith("[") and text.endswith("]")):
            raise UsageError(
                f"`{_short(text)}` is no {abi_type}",
                hint="write [1, 2, 3], or name a file (.npy, .npz, .json, .png)",
            )
        assert abi_type.element is not None
        return [_from_text(abi_type.element, part, depth + 1) for part in _split(text[1:-1])]
    if abi_type.kind == "tuple":
        if not (text[:1] in "([" and text[-1:] in ")]" and len(text) >= 2):
            raise UsageError(f"`{_short(text)}` is no {abi_type}", hint="write (1, true)")
        parts = _split(text[1:-1])
        if len(parts) != len(abi_type.components):
            raise UsageError(
                f"`{_short(text)}` has {len(parts)} components, {abi_type} has {len(abi_type.components)}"
            )
        return tuple(
            _from_text(t, part, depth + 1) for t, part in zip(abi_type.components, parts, strict=True)
        )
    return _unquoted(text) if depth or abi_type.kind != "string" else text


def _integer(abi_type: AbiType, text: str) -> int:
    text = _unquoted(text)
    if _NUMBER.fullmatch(text):
        return int(text.replace("_", ""), 16 if "x" in text.lower() else 10)
    scaled = _SCALED.fullmatch(text)
    if scaled is not None:
        digits = scaled[3] or ""
        exponent = int(scaled[4]) if scaled[4] else _UNITS[scaled[5]]
        if exponent <= 100 and len(digits) <= exponent:
            number: int = int(scaled[2].replace("_", "") + digits) * 10 ** (exponent - len(digits))
            return -number if scaled[1] == "-" else number
    raise UsageError(
        f"`{_short(text)}` is no {abi_type}", hint="write a number like 12, -3, 0xff, 1e18 or 2ether"
    )


def wei(text: str) -> int:
    """An amount: ``5``, ``1e18``, ``2ether``."""
    return _integer(AbiType("uint", 256), text.strip())


def _unquoted(text: str) -> str:
    if len(text) >= 2 and text[0] in "\"'" and text[-1] == text[0]:
        return text[1:-1]
    return text


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."


def _split(text: str) -> list[str]:
    """The parts between commas that stand in no bracket and no quotes."""
    parts: list[str] = []
    depth, start, quote = 0, 0, ""
    for index, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character in "([":
            depth += 1
        elif character in ")]":
            depth -= 1
        elif character == "," and depth == 0:
            parts.append(text[start:index].strip())
            start = index + 1
    last = text[start:].strip()
    return [*parts, last] if last or parts else []
