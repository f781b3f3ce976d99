"""The names that are defined without a declaration (docs/units-and-global-variables.rst)."""

from __future__ import annotations

from smartvm.compiler.analysis import types as t
from smartvm.compiler.analysis.model import MagicVariable
from smartvm.compiler.analysis.settings import AnalysisSettings
from smartvm.compiler.ast import nodes

#: solc's ids, which its AST shows.
_IDS = {
    "abi": -1, "addmod": -2, "assert": -3, "block": -4, "blockhash": -5, "ecrecover": -6, "gasleft": -7,
    "keccak256": -8, "msg": -15, "mulmod": -16, "now": -17, "require": -18, "revert": -19, "ripemd160": -20,
    "selfdestruct": -21, "sha256": -22, "sha3": -23, "suicide": -24, "super": -25, "tx": -26, "type": -27,
    "this": -28, "blobhash": -29, "erc7201": -30,
}  # fmt: skip


def _function(
    kind: t.FunctionKind,
    parameters: tuple[t.Type, ...],
    returns: tuple[t.Type, ...],
    mutability: nodes.StateMutability = "pure",
) -> t.FunctionType:
    return t.FunctionType(parameters, returns, kind, mutability)


def magic_variables(settings: AnalysisSettings) -> list[MagicVariable]:
    """All builtin names but ``this`` and ``super``, which belong to a contract."""
    word, word_bytes, data = t.UINT256, t.BYTES32, t.BYTES_MEMORY
    listed: list[tuple[str, t.Type]] = [
        ("abi", t.MagicType("abi")),
        ("addmod", _function("add_mod", (word, word, word), (word,))),
        ("assert", _function("assert", (t.BOOL,), ())),
        ("block", t.MagicType("block")),
        ("blockhash", _function("blockhash", (word,), (word_bytes,), "view")),
        ("ecrecover", _function("ecrecover", (word_bytes, t.UINT8, word_bytes, word_bytes), (t.ADDRESS,))),
        ("gasleft", _function("gas_left", (), (word,), "view")),
        ("keccak256", _function("keccak256", (data,), (word_bytes,))),
        ("msg", t.MagicType("message")),
        ("mulmod", _function("mul_mod", (word, word, word), (word,))),
        ("now", word),
        ("require", _function("require", (t.BOOL,), ())),
        ("require", _function("require", (t.BOOL, t.STRING_MEMORY), ())),
        ("require", _function("require", (t.BOOL, t.MagicType("error")), ())),
        ("revert", _function("revert", (), ())),
        ("revert", _function("revert", (t.STRING_MEMORY,), ())),
        ("ripemd160", _function("ripemd160", (data,), (t.BYTES20,))),
        ("selfdestruct", _function("selfdestruct", (t.ADDRESS_PAYABLE,), (), "nonpayable")),
        ("sha256", _function("sha256", (data,), (word_bytes,))),
        ("sha3", _function("keccak256", (data,), (word_bytes,))),
        ("suicide", _function("selfdestruct", (t.ADDRESS_PAYABLE,), (), "nonpayable")),
        ("tx", t.MagicType("transaction")),
        ("type", t.FunctionType((), (), "metatype", "pure", arbitrary_parameters=True)),
        ("erc7201", _function("erc7201", (t.STRING_MEMORY,), (word,))),
    ]
    if settings.at_least("cancun"):
        listed.append(("blobhash", _function("blobhash", (word,), (word_bytes,), "view")))
    return [MagicVariable(name, type_, _IDS[name]) for name, type_ in listed]


def this_of(contract: nodes.ContractDefinition, declared: t.DeclaredTypes) -> MagicVariable:
    """``this`` within a contract."""
    return MagicVariable("this", t.ContractType(contract, declared=declared), _IDS["this"])


def super_of(contract: nodes.ContractDefinition, declared: t.DeclaredTypes) -> MagicVariable:
    """``super`` within a contract."""
    type_ = t.TypeType(t.ContractType(contract, True, declared=declared))
    return MagicVariable("super", type_, _IDS["super"])
