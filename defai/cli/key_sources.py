"""Where a command gets a private key from: an encrypted file, the environment, standard input. Never from a flag."""

import getpass
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from defai.errors import ConfigError
from defai.redaction import protect

if TYPE_CHECKING:
    from defai.chain.keys import Signer


def unlocked(keystore: Path) -> "Signer":
    """The account in an encrypted file; its passphrase from the environment, a prompt, or standard input.

    Raises:
        NotFoundError: where there is no such file.
        ConfigError: where it is no keystore, or the passphrase is missing or another one.
    """
    from defai.chain.keys import (  # noqa: PLC0415  coincurve
        KEYSTORE_VARIABLE,
        keystore_document,
        keystore_passphrase,
        load_keystore,
    )

    keystore_document(keystore)  # nobody types a passphrase for a file that is not there
    if KEYSTORE_VARIABLE not in os.environ and sys.stdin.isatty():
        passphrase = getpass.getpass(f"Passphrase of {keystore}: ")
    else:
        passphrase = keystore_passphrase(sys.stdin)
    _hide(passphrase)
    return load_keystore(keystore, passphrase)


def new_passphrase() -> str:
    """A new keystore's passphrase: of the environment, asked for twice at a terminal, else a line of standard input.

    Raises:
        ConfigError: where the two differ, or there is none.
    """
    from defai.chain.keys import KEYSTORE_VARIABLE, keystore_passphrase  # noqa: PLC0415  coincurve

    if KEYSTORE_VARIABLE in os.environ or not sys.stdin.isatty():
        passphrase = keystore_passphrase(sys.stdin)
    else:
        passphrase = getpass.getpass("Passphrase of the new keystore: ")
        if getpass.getpass("Once more: ") != passphrase:
            raise ConfigError("The two are not the same: nothing was written.")
    _hide(passphrase)
    return passphrase


def named_key(keystore: Path | None, variable: str, *, from_stdin: bool = False) -> "Signer | None":
    """The account that somebody named; None where nobody named one.

    Args:
        keystore: its encrypted file, which goes first.
        variable: of the environment, for its key in hex.
        from_stdin: whether the key, in hex, is a line of standard input.

    Raises:
        NotFoundError: where there is no such file.
        ConfigError: where what was named is no key.
    """
    from defai.chain.keys import signer_of  # noqa: PLC0415  coincurve

    if keystore is not None:
        return unlocked(keystore)
    secret = read_key() if from_stdin else os.environ.get(variable, "")
    _hide(secret)
    return signer_of(secret) if secret or from_stdin else None


def read_key() -> str:
    """A private key in hex that nobody sees: asked for at a terminal, a line of standard input elsewhere."""
    secret = getpass.getpass("Private key: ") if sys.stdin.isatty() else sys.stdin.readline()
    _hide(secret.strip())
    return secret.strip()


def _hide(secret: str) -> None:
    """Keep it out of logs; what is too short to be told from ordinary text is no key, and a poor passphrase."""
    with suppress(ValueError):
        protect(secret)
