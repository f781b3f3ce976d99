"""Parse tables: what the cache gives back is what Lark computes."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest
from smartvm.compiler.grammar import lalr
from smartvm.compiler.grammar.tokens import SOFT_KEYWORDS

REFUSED = ("ILLEGAL", "RESERVED", "TOO_DEEP")


def load(monkeypatch: pytest.MonkeyPatch, folder: Path) -> lalr.Tables:
    monkeypatch.setenv("SMARTVM_CACHE_DIR", str(folder))
    return lalr.load_tables(
        "smartvm.compiler.grammar",
        "solidity.lark",
        start="source_unit",
        identifier="IDENTIFIER",
        soft_keywords=SOFT_KEYWORDS,
        refused=REFUSED,
    )


def test_cached_tables_equal_fresh_ones(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fresh = load(monkeypatch, tmp_path)
    (file,) = (tmp_path / "grammar").glob("solidity-*")
    cached = load(monkeypatch, tmp_path)
    assert cached.rules == fresh.rules
    assert list(cached.states) == list(fresh.states)
    assert cached.literals == fresh.literals
    file.write_bytes(b"damaged")
    assert set(load(monkeypatch, tmp_path).rules) == set(fresh.rules)


def test_unwritable_cache_only_costs_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert load(monkeypatch, blocked / "below").rules


class Calculator:
    """Actions of a small grammar."""

    def total(self, first: int, *rest: int) -> tuple[int, ...]:
        return (first, *rest)

    def pair(self, left: int, right: int | None) -> tuple[int, int | None]:
        return left, right


def test_rules_call_actions_as_lark_would() -> None:
    grammar = """
        %declare NUMBER
        total: item ("," item)*
        ?item: NUMBER
             | "(" NUMBER [":" NUMBER] ")" -> pair
    """
    tables = lalr.build_tables(grammar, start="total", identifier="NUMBER")
    kinds = tables.kinds
    names = dict(tables.literals)

    def parse(*tokens: str) -> object:
        listed = [kinds["NUMBER"] if token == "n" else kinds[names[token]] for token in tokens]
        return lalr.Parser(tables, Calculator, stack_limit=100).parse([*listed, kinds["$END"]], Calculator())

    assert parse("n") == (0,)
    assert parse("n", ",", "(", "n", ":", "n", ")", ",", "(", "n", ")") == (0, (3, 5), (9, None))
    with pytest.raises(lalr.UnexpectedToken) as caught:
        parse("n", "n")
    assert caught.value.index == 1
    assert resources.files("smartvm.compiler.grammar").joinpath("solidity.lark").is_file()
