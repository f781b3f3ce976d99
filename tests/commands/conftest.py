from __future__ import annotations

from dataclasses import dataclass

import pytest
from smartvm import cli


@dataclass
class Run:
    status: int
    out: str
    err: str


@pytest.fixture
def smartvm(capsys, tmp_path, monkeypatch):
    """Run the command in an empty folder: status, stdout, stderr. No traceback is ever printed."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Run:
        with pytest.raises(SystemExit) as caught:
            cli.main([str(a) for a in arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        assert "Internal error" not in captured.err
        status = caught.value.code
        assert isinstance(status, int)
        return Run(status, captured.out, captured.err)

    return run
