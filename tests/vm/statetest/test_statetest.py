"""State tests: right results, and one clear error for each thing that is wrong with a fixture."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from smartvm.commands.statetest import command
from smartvm.instructions.loader import load_table
from smartvm.vm.statetest import CaseResult, FixtureError, load_fixture, run_fixture

TABLE = load_table("evm")
SENDER = "0xa94f5374fce5edbc8e2a8697c15331677e6ebf0b"
TARGET = "0x" + "c0" * 20
NO_LOGS = "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347"

TEST: dict[str, Any] = {
    "env": {
        "currentCoinbase": "0x2adc25665018aa1fe0e6bc666dac8fc2697ff9ba",
        "currentDifficulty": "0x00",
        "currentRandom": "0x" + "01" * 32,
        "currentGasLimit": "0x05f5e100",
        "currentNumber": "0x01",
        "currentTimestamp": "0x03e8",
        "currentBaseFee": "0x0a",
        "currentExcessBlobGas": "0x00",
    },
    "pre": {
        SENDER: {"balance": "0x0de0b6b3a7640000", "nonce": "0x00", "code": "0x", "storage": {}},
        TARGET: {"balance": "0x00", "nonce": "0x01", "code": "0x600160005500", "storage": {"0x01": "0x02"}},
    },
    "transaction": {
        "data": ["0x"],
        "gasLimit": ["0x0186a0"],
        "gasPrice": "0x0a",
        "nonce": "0x00",
        "to": TARGET,
        "value": ["0x00"],
        "secretKey": "0x45a915e4d060149eb4365960e6a7a45f334393093061116b197e3240065ff2d8",
    },
    "post": {
        "Cancun": [{"hash": "0x" + "00" * 32, "logs": NO_LOGS, "indexes": {"data": 0, "gas": 0, "value": 0}}]
    },
}


def fixture(**changes: Any) -> dict[str, Any]:
    """The test with some of its parts changed: ``env__currentNumber=None`` removes that key."""
    test = copy.deepcopy(TEST)
    for path, value in changes.items():
        *parents, last = path.split("__")
        place: Any = test
        for parent in parents:
            place = place[parent]
        if value is None:
            del place[last]
        else:
            place[last] = value
    return {"test": test}


def run(tests: dict[str, Any], *forks: str) -> list[CaseResult]:
    return list(run_fixture(tests, TABLE, forks=forks, engine="interpreter"))


def test_case_passes_when_everything_is_expected() -> None:
    (first,) = run(fixture())
    assert first.error is None
    assert first.exception is None
    assert first.gas_used == 21_000 + 6 + 22_100
    assert not first.passed
    tests = fixture()
    tests["test"]["post"]["Cancun"][0]["hash"] = "0x" + first.state_root.hex()
    assert run(tests)[0].passed
    tests["test"]["post"]["Cancun"][0]["expectException"] = "something"
    assert not run(tests)[0].passed


def test_eels_gives_the_same_root() -> None:
    eels = pytest.importorskip("ethereum_spec_tools.evm_tools.statetest")
    tools = pytest.importorskip("ethereum_spec_tools.evm_tools.t8n")
    import tempfile

    with tempfile.NamedTemporaryFile("w", suffix=".json") as file, tools.ForkCache() as cache:
        json.dump(fixture(), file)
        file.flush()
        (case,) = eels.read_test_cases(file.name)
        expected = eels.run_test_case(case, cache)
    (ours,) = run(fixture())
    assert ours.state_root == bytes(expected.state_root)
    assert ours.logs_hash == bytes(expected.logs_hash)
    assert ours.gas_used == int(expected.gas_used)


def test_invalid_transaction_is_an_exception_with_the_pre_state() -> None:
    (result,) = run(fixture(transaction__nonce="0x05"))
    assert result.exception == "nonce 5 is not the sender's, 0"
    assert result.error is None
    assert result.logs_hash.hex() == NO_LOGS[2:]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"env": None}, "the test has no `env`"),
        ({"env__currentNumber": None}, "`env` has no `currentNumber`"),
        ({"env__currentCoinbase": "0x12"}, "`currentCoinbase` is not 20 bytes in hex: '0x12'"),
        ({"env__currentTimestamp": "zz"}, "`currentTimestamp` is not a number: 'zz'"),
        ({"env__currentGasLimit": "-5"}, "`currentGasLimit` is not a number: '-5'"),
        ({"pre": None}, "the test has no `pre`"),
        ({"pre": []}, "`pre` is not an object"),
        (
            {"pre": {"0x12": {"balance": "0x", "nonce": "0x", "code": "0x", "storage": {}}}},
            "an address in `pre` is not",
        ),
        ({f"pre__{SENDER}__code": "0xabc"}, f"code of account {SENDER} is not hex"),
        (
            {f"pre__{SENDER}__balance": "0x1" + "0" * 64},
            f"balance of account {SENDER} has more than 256 bits",
        ),
        ({f"pre__{SENDER}__storage": {"x": "0x"}}, f"a slot of account {SENDER} is not a number"),
        ({"transaction": None}, "the test has no `transaction`"),
        ({"transaction__secretKey": None}, "`transaction` has no `secretKey`"),
        ({"transaction__secretKey": "0x" + "00" * 32}, "`secretKey` is no key of secp256k1"),
        ({"transaction__gasPrice": None}, "`transaction` has no `gasPrice`"),
        ({"transaction__data": "0x"}, "`data` is not a list"),
        ({"transaction__data": []}, "index 0 of data is beyond the 0 that `data` has"),
        ({"transaction__to": "0x1234"}, "`to` is not 20 bytes in hex"),
        ({"transaction__accessLists": [[{"address": "0x12"}]]}, "access list address is not"),
        (
            {"transaction__authorizationList": [{}], "transaction__maxFeePerGas": "0xa"},
            "authorization has no `chainId`",
        ),
        ({"post__Cancun": {}}, "`post` of Cancun is not a list"),
        ({"post__Cancun": [{}]}, "the case has no `hash`"),
        ({"post__Cancun": [None]}, "the case is not an object"),
        ({"post": []}, "`post` is not an object"),
    ],
)
def test_malformed_fixtures_give_one_error(changes: dict[str, Any], message: str) -> None:
    (result,) = run(fixture(**changes))
    assert result.error is not None
    assert message in result.error


def test_unknown_fork_is_the_error_of_its_cases_only() -> None:
    tests = fixture()
    tests["test"]["post"]["Gibraltar"] = tests["test"]["post"]["Cancun"]
    cancun, other = run(tests)
    assert cancun.error is None
    assert other.error is not None
    assert other.error.startswith("unknown fork `Gibraltar`")
    assert [result.fork for result in run(tests, "Cancun")] == ["Cancun"]


def test_fork_names_of_fixtures_are_understood() -> None:
    tests = fixture()
    tests["test"]["post"] = dict.fromkeys(("EIP150", "ConstantinopleFix", "Merge"), TEST["post"]["Cancun"])
    assert all(result.error is None for result in run(tests))
    assert [result.fork for result in run(tests, "petersburg")] == ["ConstantinopleFix"]


def test_big_integers_make_the_transaction_invalid() -> None:
    (result,) = run(fixture(transaction__value=["0x:bigint 0x1" + "0" * 64]))
    assert result.exception == "value has more than 256 bits"


def test_trace_is_written_to_stderr(tmp_path: Path) -> None:
    path = tmp_path / "test.json"
    path.write_text(json.dumps(fixture()))
    result = CliRunner().invoke(command, ["--trace", str(path)])
    names = [json.loads(line).get("opName") for line in result.stderr.splitlines()]
    assert names == ["PUSH1", "PUSH1", "SSTORE", "STOP", None]


def test_files_that_are_no_fixtures(tmp_path: Path) -> None:
    with pytest.raises(FixtureError, match="cannot read"):
        load_fixture(tmp_path / "absent.json")
    for content, message in (
        ("{", "is not JSON"),
        ("[]", "not an object of tests"),
        ("[" * 3_000, "is not JSON"),
    ):
        path = tmp_path / "bad.json"
        path.write_text(content)
        with pytest.raises(FixtureError, match=message):
            load_fixture(path)


def test_command_prints_a_line_for_each_case(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps({"_info": {}, **fixture()}))
    bad.write_text("nonsense")
    result = CliRunner().invoke(command, ["--fork", "Cancun", "--engine", "interpreter", str(bad), str(good)])
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    (line,) = [json.loads(text) for text in result.stdout.splitlines() if text.startswith("{")]
    assert set(line) == {
        "file",
        "name",
        "fork",
        "index",
        "pass",
        "stateRoot",
        "logsHash",
        "exception",
        "gasUsed",
    }
    assert line["file"] == str(good)
    assert line["exception"] is None
