"""The contract ABI: types, and values to bytes and back (docs/abi-spec.rst of Solidity's documentation).

Python values: ``int`` for ``uintN`` and ``intN``, ``bool``, ``str`` for ``string`` and (as ``0x`` hex with
checksum) ``address``, ``bytes`` for ``bytesN``, ``bytes`` and ``function``, ``list`` for arrays, ``tuple``
for tuples. On the way in, hex text is taken for bytes, any sequence (NumPy arrays too) for arrays, and a
dict by component names for a tuple.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from smartvm.errors import SmartVMError
from smartvm.keccak import keccak256

Kind = Literal[
    "uint", "int", "address", "bool", "fixed_bytes", "bytes", "string", "function", "array", "tuple"
]

_WORD = 32
#: Arrays and tuples in a type text nested deeper than this are refused.
_DEPTH_LIMIT = 64


class AbiError(SmartVMError):
    """A type that is none, a value that does not fit its type, or bytes that are no encoding of a type."""


@dataclass(frozen=True)
class AbiType:
    """A type. ``size`` is bits of a number and bytes of ``bytesN``; ``element`` and ``length`` (None:
    dynamic) are an array's; ``components`` and ``names`` a tuple's."""

    kind: Kind
    size: int = 0
    element: AbiType | None = None
    length: int | None = None
    components: tuple[AbiType, ...] = ()
    names: tuple[str, ...] = ()

    @cached_property
    def is_dynamic(self) -> bool:
        """Whether its encoding's length depends on the value."""
        if self.kind == "array":
            assert self.element is not None
            return self.length is None or self.element.is_dynamic
        if self.kind == "tuple":
            return any(component.is_dynamic for component in self.components)
        return self.kind in ("bytes", "string")

    @cached_property
    def head_size(self) -> int:
        """Bytes that it takes in the head of a tuple."""
        if self.is_dynamic:
            return _WORD
        if self.kind == "array":
            assert self.element is not None
            assert self.length is not None
            return self.element.head_size * self.length
        if self.kind == "tuple":
            return sum(component.head_size for component in self.components)
        return _WORD

    def __str__(self) -> str:
        """The canonical text, as in a function's signature."""
        if self.kind == "array":
            return f"{self.element}[{'' if self.length is None else self.length}]"
        if self.kind == "tuple":
            return f"({','.join(str(component) for component in self.components)})"
        if self.kind in ("uint", "int"):
            return f"{self.kind}{self.size}"
        return f"bytes{self.size}" if self.kind == "fixed_bytes" else self.kind


# --- types from text and from JSON
# --------------------------------------------------------------------------------

_ELEMENTARY = re.compile(r"(uint|int|bytes|address|bool|string|function|byte|fixed|ufixed)(\d*)(?:x\d+)?")
_ARRAY_SUFFIX = re.compile(r"\[(\d*)\]")


def parse_type(text: str) -> AbiType:
    """A type from its text, ``(uint256,bytes)[3][]``; ``uint`` and ``int`` are 256 bits. Raises
    ``AbiError``."""
    parsed, end = _parse_type(text, 0, 0)
    if end != len(text):
        raise AbiError(f"`{text}` is no ABI type: `{text[end:]}` follows a whole one")
    return parsed


def _parse_type(text: str, start: int, depth: int) -> tuple[AbiType, int]:
    if depth > _DEPTH_LIMIT:
        raise AbiError("the type is nested too deeply")
    while start < len(text) and text[start] == " ":
        start += 1
    if text.startswith("(", start) or text.startswith("tuple(", start):
        position = text.index("(", start) + 1
        components: list[AbiType] = []
        while position < len(text) and text[position] != ")":
            component, position = _parse_type(text, position, depth + 1)
            components.append(component)
            if text.startswith(",", position):
                position += 1
            elif not text.startswith(")", position):
                raise AbiError(f"`{text}` is no ABI type: expected `,` or `)` at character {position + 1}")
        if position >= len(text):
            raise AbiError(f"`{text}` is no ABI type: a `(` is not closed")
        base, position = (
            AbiType("tuple", components=tuple(components), names=("",) * len(components)),
            position + 1,
        )
    else:
        match = _ELEMENTARY.match(text, start)
        if match is None:
            raise AbiError(
                f"`{text[start:] or text}` is no ABI type",
                hint="for example uint256, address, bytes, uint8[3]",
            )
        base, position = _elementary(match), match.end()
    nesting = 0
    while suffix := _ARRAY_SUFFIX.match(text, position):
        base = AbiType("array", element=base, length=int(suffix[1]) if suffix[1] else None)
        position = suffix.end()
        nesting += 1
        if nesting > _DEPTH_LIMIT:
            raise AbiError("the type is nested too deeply")
    while position < len(text) and text[position] == " ":
        position += 1
    return base, position


def _elementary(match: re.Match[str]) -> AbiType:
    name, digits = match[1], match[2]
    size = int(digits) if digits else 0
    if name in ("uint", "int"):
        size = size or 256
        if not 8 <= size <= 256 or size % 8 or digits.startswith("0"):
            raise AbiError(f"`{match[0]}` is no ABI type: integers have 8, 16, ... or 256 bits")
        return AbiType("uint" if name == "uint" else "int", size)
    if name == "bytes" and digits:
        if not 1 <= size <= 32 or digits.startswith("0"):
            raise AbiError(f"`{match[0]}` is no ABI type: fixed bytes are bytes1 to bytes32")
        return AbiType("fixed_bytes", size)
    if digits or name in ("fixed", "ufixed", "byte"):
        raise AbiError(f"`{match[0]}` is no ABI type that this coder knows")
    sizes = {"address": 160, "function": 24}
    kinds: dict[str, Kind] = {
        "address": "address", "bool": "bool", "string": "string", "bytes": "bytes", "function": "function"
    }  # fmt: skip
    return AbiType(kinds[name], sizes.get(name, 0))


def type_from_json(parameter: Mapping[str, Any]) -> AbiType:
    """The type of an entry of ``inputs`` or ``outputs`` in a JSON ABI."""
    text = str(parameter.get("type", ""))
    if not text.startswith("tuple"):
        return parse_type(text)
    inner = parameter.get("components", ())
    names = tuple(str(component.get("name", "")) for component in inner)
    base = AbiType("tuple", components=tuple(type_from_json(c) for c in inner), names=names)
    for suffix in _ARRAY_SUFFIX.finditer(text, len("tuple")):
        base = AbiType("array", element=base, length=int(suffix[1]) if suffix[1] else None)
    return base


@dataclass(frozen=True)
class Signature:
    """A function's (or error's or event's) name and the types of its parameters."""

    name: str
    types: tuple[AbiType, ...]

    def __str__(self) -> str:
        return f"{self.name}({','.join(str(t) for t in self.types)})"

    @cached_property
    def selector(self) -> bytes:
        """The first four bytes of the signature's KECCAK-256."""
        return keccak256(str(self).encode())[:4]


def parse_signature(text: str) -> Signature:
    """A signature like ``classify(int256[])``. Raises ``AbiError``."""
    match = re.fullmatch(r"\s*([A-Za-z_$][\w$]*)\s*(\(.*\))\s*", text, re.DOTALL)
    if match is None:
        raise AbiError(f"`{text}` is no function signature", hint="write it as name(type,type)")
    return Signature(match[1], parse_type(match[2]).components)


def checksum_address(address: bytes) -> str:
    """The address as text with the letters' case as check sum (EIP-55)."""
    digits = address.hex()
    digest = keccak256(digits.encode()).hex()
    return "0x" + "".join(c.upper() if int(d, 16) >= 8 else c for c, d in zip(digits, digest, strict=False))


# --- encoding
# -----------------------------------------------------------------------------------------------------


def encode(types: Sequence[AbiType], values: Sequence[Any]) -> bytes:
    """The values as a tuple's encoding (a call's arguments). Raises ``AbiError`` with the place of a wrong
    value."""
    if len(types) != len(values):
        shown = ", ".join(str(t) for t in types) or "none"
        raise AbiError(f"{len(values)} values given, {len(types)} expected ({shown})")
    places = [f"argument {i + 1}" for i in range(len(types))]
    return _encode_sequence(types, values, places)


def _encode_sequence(types: Sequence[AbiType], values: Iterable[Any], places: Sequence[str]) -> bytes:
    heads: list[bytes] = []
    tails: list[bytes] = []
    offset = sum(t.head_size for t in types)
    for abi_type, value, place in zip(types, values, places, strict=True):
        encoded = _encode(abi_type, value, place)
        if abi_type.is_dynamic:
            heads.append(offset.to_bytes(_WORD, "big"))
            tails.append(encoded)
            offset += len(encoded)
        else:
            heads.append(encoded)
    return b"".join(heads + tails)


def _encode(abi_type: AbiType, value: Any, place: str) -> bytes:
    match abi_type.kind:
        case "uint" | "int":
            return _encode_integer(abi_type, value, place)
        case "bool":
            if not isinstance(value, bool) and str(value) not in ("0", "1", "True", "False"):
                raise _mismatch(abi_type, value, place, "true or false")
            return int(str(value) in ("1", "True")).to_bytes(_WORD, "big")
        case "address":
            data = _bytes_of(abi_type, value, place)
            if len(data) != 20:
                raise _mismatch(abi_type, value, place, "20 bytes")
            return data.rjust(_WORD, b"\0")
        case "fixed_bytes" | "function":
            data = _bytes_of(abi_type, value, place)
            if len(data) != abi_type.size:
                raise _mismatch(abi_type, value, place, f"{abi_type.size} bytes")
            return data.ljust(_WORD, b"\0")
        case "bytes":
            return _with_length(_bytes_of(abi_type, value, place))
        case "string":
            if not isinstance(value, str):
                raise _mismatch(abi_type, value, place, "text")
            return _with_length(value.encode("utf-8", "surrogateescape"))
        case "array":
            return _encode_array(abi_type, value, place)
        case "tuple":
            return _encode_tuple(abi_type, value, place)


def _mismatch(abi_type: AbiType, value: Any, place: str, expected: str) -> AbiError:
    shown = repr(value)
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    return AbiError(f"{place}: {shown} is no {abi_type}, expected {expected}")


def _with_length(data: bytes) -> bytes:
    return len(data).to_bytes(_WORD, "big") + data + b"\0" * (-len(data) % _WORD)


def _encode_integer(abi_type: AbiType, value: Any, place: str) -> bytes:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise _mismatch(abi_type, value, place, "an integer")
    number = int(value)
    low, high = _integer_range(abi_type)
    if not low <= number <= high:
        raise _mismatch(abi_type, number, place, f"{low} to {high}")
    return (number % 2**256).to_bytes(_WORD, "big")


def _integer_range(abi_type: AbiType) -> tuple[int, int]:
    if abi_type.kind == "uint":
        return 0, 2**abi_type.size - 1
    return -(2 ** (abi_type.size - 1)), 2 ** (abi_type.size - 1) - 1


def _bytes_of(abi_type: AbiType, value: Any, place: str) -> bytes:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, str) and value[:2] in ("0x", "0X"):
        try:
            return bytes.fromhex(value[2:])
        except ValueError:
            raise _mismatch(abi_type, value, place, "an even number of hexadecimal digits after 0x") from None
    raise _mismatch(abi_type, value, place, "bytes, or hexadecimal text that starts with 0x")


def _encode_array(abi_type: AbiType, value: Any, place: str) -> bytes:
    element = abi_type.element
    assert element is not None
    is_sequence = isinstance(value, (list, tuple)) or hasattr(value, "__array_interface__")
    if not is_sequence or getattr(value, "shape", None) == ():
        raise _mismatch(abi_type, value, place, "a list")
    if abi_type.length is not None and len(value) != abi_type.length:
        raise AbiError(f"{place}: {len(value)} elements given, {abi_type} has {abi_type.length}")
    prefix = b"" if abi_type.length is not None else len(value).to_bytes(_WORD, "big")
    if element.kind in ("uint", "int"):
        packed = _encode_integers(element, value)
        if packed is not None:
            return prefix + packed
    if not element.is_dynamic:
        return prefix + b"".join([_encode(element, item, f"{place}[{i}]") for i, item in enumerate(value)])
    places = [f"{place}[{i}]" for i in range(len(value))]
    return prefix + _encode_sequence([element] * len(value), value, places)


def _encode_integers(element: AbiType, value: Any) -> bytes | None:
    """A flat NumPy array of machine integers that all fit, at once; None to go one by one."""
    if (
        not hasattr(value, "__array_interface__")
        or value.ndim != 1
        or value.dtype.kind not in "iu"
        or not len(value)
    ):
        return None
    import numpy

    low, high = _integer_range(element)
    if int(value.min()) < low or int(value.max()) > high:
        return None
    words = numpy.zeros((len(value), _WORD), dtype=numpy.uint8)
    if value.dtype.kind == "i":
        words[value < 0] = 0xFF
    size = value.dtype.itemsize
    big_endian = value.astype(value.dtype.newbyteorder(">"))
    words[:, _WORD - size :] = big_endian.view(numpy.uint8).reshape(len(value), size)
    return words.tobytes()


def _encode_tuple(abi_type: AbiType, value: Any, place: str) -> bytes:
    if isinstance(value, Mapping):
        if not all(abi_type.names):
            raise _mismatch(abi_type, value, place, "a list: the components have no names")
        missing = [name for name in abi_type.names if name not in value]
        extra = [name for name in value if name not in abi_type.names]
        if missing or extra:
            wrong = f"lacks `{missing[0]}`" if missing else f"has `{extra[0]}`"
            raise AbiError(f"{place}: the value {wrong}; {abi_type} has {', '.join(abi_type.names)}")
        value = [value[name] for name in abi_type.names]
    if not isinstance(value, (list, tuple)):
        raise _mismatch(abi_type, value, place, "a list of its components")
    if len(value) != len(abi_type.components):
        raise AbiError(f"{place}: {len(value)} components given, {abi_type} has {len(abi_type.components)}")
    places = [f"{place}.{name or i}" for i, name in enumerate(abi_type.names)]
    return _encode_sequence(abi_type.components, value, places)


# --- decoding
# -----------------------------------------------------------------------------------------------------


def decode(types: Sequence[AbiType], data: bytes) -> tuple[Any, ...]:
    """The values of a tuple's encoding (a call's results). Raises ``AbiError`` when ``data`` is none; bytes
    after the values are ignored, as the ABI says."""
    return tuple(_decode_sequence(types, data, 0))


def _decode_sequence(types: Sequence[AbiType], data: bytes, start: int) -> list[Any]:
    values = []
    position = start
    for abi_type in types:
        if abi_type.is_dynamic:
            offset = start + _word(data, position)
            if offset > len(data):
                raise AbiError(
                    f"the data is no {abi_type}: an offset points past its end ({len(data)} bytes)"
                )
            values.append(_decode(abi_type, data, offset))
        else:
            values.append(_decode(abi_type, data, position))
        position += abi_type.head_size
    return values


def _word(data: bytes, position: int) -> int:
    if position + _WORD > len(data):
        raise AbiError(f"the data ends too soon: {len(data)} bytes, a word is expected at byte {position}")
    return int.from_bytes(data[position : position + _WORD], "big")


def _decode(abi_type: AbiType, data: bytes, position: int) -> Any:
    match abi_type.kind:
        case "uint" | "int" | "bool" | "address":
            return _decode_number(abi_type, _word(data, position))
        case "fixed_bytes" | "function":
            word = _word(data, position).to_bytes(_WORD, "big")
            if any(word[abi_type.size :]):
                raise AbiError(
                    f"the data is no {abi_type}: bytes after the first {abi_type.size} are not zero"
                )
            return word[: abi_type.size]
        case "bytes" | "string":
            length = _word(data, position)
            content = data[position + _WORD : position + _WORD + length]
            if len(content) != length:
                raise AbiError(
                    f"the data ends too soon: a {abi_type} of {length} bytes starts at byte {position}"
                )
            return content if abi_type.kind == "bytes" else content.decode("utf-8", "surrogateescape")
        case "array":
            return _decode_array(abi_type, data, position)
        case "tuple":
            return tuple(_decode_sequence(abi_type.components, data, position))


def _decode_number(abi_type: AbiType, word: int) -> Any:
    if abi_type.kind == "address":
        if word >> 160:
            raise AbiError(f"the data is no address: {word:#x}")
        return checksum_address(word.to_bytes(20, "big"))
    if abi_type.kind == "bool":
        if word > 1:
            raise AbiError(f"the data is no bool: {word:#x}")
        return bool(word)
    number = word - 2**256 if abi_type.kind == "int" and word >> 255 else word
    low, high = _integer_range(abi_type)
    if not low <= number <= high:
        raise AbiError(f"the data is no {abi_type}: {word:#x}")
    return number


def _decode_array(abi_type: AbiType, data: bytes, position: int) -> list[Any]:
    element = abi_type.element
    assert element is not None
    length = abi_type.length
    if length is None:
        length = _word(data, position)
        position += _WORD
    # Even elements without content take a word each, except empty tuples and arrays of length zero.
    if length * max(element.head_size, 1) > len(data) - position:
        raise AbiError(
            f"the data ends too soon: {length} elements of {element} are expected at byte {position}"
        )
    if element.is_dynamic:
        return _decode_sequence([element] * length, data, position)
    step = element.head_size
    return [_decode(element, data, position + i * step) for i in range(length)]


# --- errors and events
# --------------------------------------------------------------------------------------------

#: What Solidity's Panic(uint256) codes mean (docs/control-structures.rst, "Panic via assert and Error via
#: require").
PANIC_REASONS: Mapping[int, str] = {
    0x00: "generic panic of the compiler",
    0x01: "assertion failed",
    0x11: "arithmetic overflow or underflow",
    0x12: "division or modulo by zero",
    0x21: "value out of an enum's range",
    0x22: "wrongly encoded byte array in storage",
    0x31: "pop() of an empty array",
    0x32: "array index out of bounds",
    0x41: "too much memory allocated",
    0x51: "call of an internal function that was never assigned",
}


def signature_of(entry: Mapping[str, Any]) -> Signature:
    """The signature of a function, error or event of a JSON ABI."""
    return Signature(
        str(entry.get("name", "")), tuple(type_from_json(item) for item in entry.get("inputs", ()))
    )


def describe_revert(abi: Iterable[Mapping[str, Any]], data: bytes) -> str:
    """What a revert says: its message, its panic's meaning, or its error by the contract's ABI."""
    if not data:
        return "without a reason"
    selector, rest = data[:4], data[4:]
    try:
        if selector.hex() == "08c379a0":
            return str(decode([parse_type("string")], rest)[0])
        if selector.hex() == "4e487b71":
            code = decode([parse_type("uint256")], rest)[0]
            return f"panic 0x{code:02x}: {PANIC_REASONS.get(code, 'unknown panic code')}"
        for entry in abi:
            if entry.get("type") == "error" and signature_of(entry).selector == selector:
                return _named(entry, decode(signature_of(entry).types, rest))
    except AbiError:
        pass
    return f"with the data 0x{data.hex()}"


def describe_log(abi: Iterable[Mapping[str, Any]], topics: Sequence[bytes], data: bytes) -> str:
    """A log by the contract's ABI, ``Transfer(from: 0x..., value: 5)``; indexed values of dynamic types are
    hashes."""
    for entry in abi:
        if entry.get("type") != "event" or entry.get("anonymous") or not topics:
            continue
        signature = signature_of(entry)
        if keccak256(str(signature).encode()) != topics[0]:
            continue
        inputs = entry.get("inputs", ())
        indexed = [item for item in inputs if item.get("indexed")]
        if len(indexed) != len(topics) - 1:
            continue
        try:
            plain = iter(decode([type_from_json(item) for item in inputs if not item.get("indexed")], data))
            hashed = iter(topics[1:])
            values = [
                _topic(type_from_json(i), next(hashed)) if i.get("indexed") else next(plain) for i in inputs
            ]
        except AbiError:
            continue
        return _named(entry, values)
    shown = ", ".join("0x" + topic.hex() for topic in topics)
    return f"log [{shown}] 0x{data.hex()}"


def _topic(abi_type: AbiType, topic: bytes) -> Any:
    if abi_type.is_dynamic or abi_type.kind in ("array", "tuple"):
        return topic
    return decode([abi_type], topic)[0]


def _named(entry: Mapping[str, Any], values: Sequence[Any]) -> str:
    parts = []
    for item, value in zip(entry.get("inputs", ()), values, strict=True):
        name = item.get("name")
        parts.append(f"{name}: {format_value(value)}" if name else format_value(value))
    return f"{entry.get('name')}({', '.join(parts)})"


def format_value(value: Any) -> str:
    """A decoded value as people write it; ``bytes`` as hex, text in quotes unless it is an address."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (bytes, bytearray)):
        return "0x" + value.hex()
    if isinstance(value, str):
        return value if re.fullmatch(r"0x[0-9a-fA-F]{40}", value) else repr(value)
    if isinstance(value, list):
        return f"[{', '.join(format_value(item) for item in value)}]"
    if isinstance(value, tuple):
        return f"({', '.join(format_value(item) for item in value)})"
    return str(value)


def json_value(value: Any) -> Any:
    """A decoded value for JSON: integers beyond 53 bits and bytes as text, tuples as lists."""
    if isinstance(value, (bytes, bytearray)):
        return "0x" + value.hex()
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**53:
        return str(value)
    if isinstance(value, (list, tuple)):
        return [json_value(item) for item in value]
    return value
