"""`defai setup`: an encrypted key, and a fleet's settings that name it."""

import json
from pathlib import Path
from typing import Final

import click

KEYSTORE: Final = "operator.json"
FLEET: Final = "fleet.toml"
SETTINGS: Final = """\
# A fleet of one. Every setting has its meaning in examples/fleet.toml of defai's sources.
#
#   defai trade -c fleet.toml                     on a chain of its own, with play money
#   defai trade -c fleet.toml --network live --rpc-url URL --chain-id NUMBER
#                                                 with real money: the account pays, signs and owns the vault

[network]
kind = "standin"
keystore = {keystore}

[limits]
max_trade_usd = 1_000
approval_above_usd = 500        # above it every decision waits for you: `defai approvals list`

[[agents]]
name = "first"
strategy = "volatility_band"
usd = 1_000
"""


@click.command("setup")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.option(
    "--import",
    "imported",
    is_flag=True,
    help="Keep a key you have: asked for, or the first line of standard input.  [default: a new one]",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(*, folder: Path, imported: bool, as_json: bool) -> None:
    """Write an encrypted key (operator.json) and a fleet that uses it (fleet.toml). What is there already stays.

    The passphrase is asked for twice, or comes from DEFAI_KEYSTORE_PASSPHRASE or a line of standard input. The key is
    shown nowhere: keep the file and the passphrase, for whoever lost one of them has lost what the account owns.
    """
    from defai.cli.output import print_json  # noqa: PLC0415  loads on use, so that --help is quick

    keystore, fleet = folder / KEYSTORE, folder / FLEET
    found = keystore.exists()
    address = (
        _address_in(keystore, imported=imported) if found else _new_keystore(keystore, imported=imported)
    )
    kept = {keystore: found, fleet: fleet.exists()}
    if not kept[fleet]:
        _write(fleet, SETTINGS.format(keystore=json.dumps(KEYSTORE)))
    if as_json:
        written = [str(path) for path, was_there in kept.items() if not was_there]
        print_json({"address": address, "keystore": str(keystore), "fleet": str(fleet), "written": written})
        return
    for path, was_there in kept.items():
        click.echo(f"{'kept ' if was_there else 'wrote'} {path}")
    click.echo(f"\nThe account is {address}.\nNext: defai trade -c {fleet}")


def _new_keystore(path: Path, *, imported: bool) -> str:
    from defai.chain.keys import new_secret, signer_of, write_keystore  # noqa: PLC0415  coincurve
    from defai.cli.key_sources import new_passphrase, read_key  # noqa: PLC0415  the same

    secret = new_secret()
    if imported:
        text = read_key()
        signer_of(text)
        secret = bytes.fromhex(text.removeprefix("0x"))
    return write_keystore(path, secret, new_passphrase()).address


def _address_in(path: Path, *, imported: bool) -> str:
    """Whose key a keystore holds, without opening it."""
    from defai.chain.codec import checksum  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.errors import ConfigError  # noqa: PLC0415  the same

    if imported:
        raise ConfigError(
            f"There is a key in {path} already.", "It is not written over: name another folder."
        )
    try:
        return checksum("0x" + str(json.loads(path.read_bytes())["address"]).removeprefix("0x"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path} is not a keystore that names its account.") from error


def _write(path: Path, text: str) -> None:
    from defai.errors import DefaiError  # noqa: PLC0415  loads on use, so that --help is quick

    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise DefaiError(f"{path} cannot be written: {error.strerror}.") from error
