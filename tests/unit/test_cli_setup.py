"""`defai setup`: an encrypted key that nobody sees, and a fleet that names it; nothing is written over."""

import io
import json
import resource
import stat
from pathlib import Path

import pytest
from eth_account import Account

from defai.chain.keys import throwaway_key, throwaway_secret, write_keystore
from defai.cli.key_sources import named_key
from defai.cli.main import run
from defai.config import Settings
from defai.errors import DefaiError, NotFoundError

SECRET = throwaway_secret(3, "operator").hex()
PASSPHRASE = "correct horse"  # noqa: S105  it opens nothing but a throwaway key


def test_a_key_goes_into_a_file_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, address = tmp_path / "mine", throwaway_key(3, "operator").address
    monkeypatch.setattr("sys.stdin", io.StringIO(f"0x{SECRET}\n{PASSPHRASE}\n"))
    assert run(["setup", str(folder), "--import"]) == 0
    printed = "".join(capsys.readouterr())
    keystore = folder / "operator.json"
    assert address in printed
    assert stat.S_IMODE(keystore.stat().st_mode) == 0o600
    assert Account.decrypt(json.loads(keystore.read_text()), PASSPHRASE).hex().endswith(SECRET)
    for secret in (SECRET, PASSPHRASE):
        assert secret not in printed + "".join(path.read_text() for path in folder.iterdir())
    settings = Settings.load(folder / "fleet.toml", environment={})
    assert settings.network.keystore == keystore
    assert [agent.strategy for agent in settings.agents] == ["volatility_band"]
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert run(["setup", str(folder), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["address"], told["written"]) == (address, [])
    assert run(["setup", str(folder), "--import"]) == 4
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("typed", "words"),
    [("zz\nlong enough\n", "This is no private key."), (f"{SECRET}\nshort\n", "8 characters or more")],
)
def test_what_is_no_key_or_hardly_a_passphrase_writes_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    typed: str,
    words: str,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    assert run(["setup", str(tmp_path / "mine"), "--import"]) == 4
    said = capsys.readouterr().err
    assert words in said
    assert typed.split("\n", 1)[0] not in said
    assert not (tmp_path / "mine").exists()


def test_a_disk_that_fills_leaves_no_half_of_a_key_in_the_way_of_the_next(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(DefaiError, match=r"operator\.json cannot be written: File too large"):
            write_keystore(tmp_path / "operator.json", bytes.fromhex(SECRET), PASSPHRASE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_where_no_passphrase_is_given_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert run(["setup", str(tmp_path / "mine")]) == 4
    assert capsys.readouterr().err.startswith("defai: No passphrase was given for the keystore.\n")


def test_nobody_is_asked_for_the_passphrase_of_a_file_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(NotFoundError, match=r"There is no keystore at .*gone\.json"):
        named_key(tmp_path / "gone.json", "DEFAI_OWNER_KEY")
