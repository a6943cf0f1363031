"""Private keys: throwaway ones for local chains, keystores for everything else. A key is never shown or logged."""

import hashlib
import hmac
import json
import os
import secrets
import sys
from pathlib import Path
from typing import Any, Final, TextIO

from coincurve import PrivateKey

from defai.chain.codec import checksum, keccak
from defai.domain.tokens import Address
from defai.errors import ConfigError, DefaiError, NotFoundError

KEYSTORE_VARIABLE: Final = "DEFAI_KEYSTORE_PASSPHRASE"
LEAST_PASSPHRASE: Final = 8
"""Characters a new keystore's passphrase has at least."""
_CURVE_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


class Signer:
    """An account that can sign. It has no way to give its key away: not in `repr`, not by pickling.

    Args:
        secret: the private key, 32 bytes.

    Attributes:
        address: the account's address.

    Raises:
        ValueError: where the key is not 32 bytes, or not on the curve.
    """

    __slots__ = ("_key", "address")

    def __init__(self, secret: bytes) -> None:
        if len(secret) != 32:
            raise ValueError(
                "a private key has 32 bytes"
            )  # a shorter one would be filled up, a longer one cut off
        self._key = PrivateKey(secret)
        self.address: Address = checksum(
            "0x" + keccak(self._key.public_key.format(compressed=False)[1:])[12:].hex()
        )

    def __repr__(self) -> str:
        return f"Signer({self.address})"

    def __reduce__(self) -> str:
        raise TypeError("a signer is not pickled: its key stays in this process")

    def sign_digest(self, digest: bytes) -> tuple[int, int, int]:
        """Sign 32 bytes (ECDSA over secp256k1, RFC 6979, low s).

        Returns:
            The parity of R's y coordinate (0 or 1), r and s.
        """
        signature = self._key.sign_recoverable(digest, hasher=None)
        return signature[64], int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")

    def signature(self, digest: bytes) -> bytes:
        """Sign 32 bytes, in the 65-byte form contracts recover from: r, s, v (27 or 28)."""
        parity, r, s = self.sign_digest(digest)
        return r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes((27 + parity,))

    def derive(self, name: str) -> "Signer":
        """Another account, the same for the same name; only who holds this key can find it, and it leads to no other.

        Its key is HMAC-SHA256 of the name under this one, brought into the curve's order.
        """
        digest = hmac.new(self._key.secret, f"defai account: {name}".encode(), hashlib.sha256).digest()
        return Signer(_within_order(digest))


def throwaway_key(seed: int, name: str) -> Signer:
    """The same account for the same seed and name, on any machine. Anyone can compute its key.

    For stand-ins and forks only: what is sent to it on a public network is gone.
    """
    return Signer(throwaway_secret(seed, name))


def throwaway_secret(seed: int, name: str) -> bytes:
    """The private key of `throwaway_key`: no secret, since anyone can compute it."""
    return _within_order(
        keccak(f"defai throwaway key, never fund it on a public network: {seed}/{name}".encode())
    )


def keystore_passphrase(stream: TextIO | None = None) -> str:
    """The passphrase of a keystore: from the environment, else one line of a stream.

    Args:
        stream: where to read from if the environment has none; usually standard input.

    Raises:
        ConfigError: where neither has one.
    """
    passphrase = os.environ.get(KEYSTORE_VARIABLE)
    if passphrase is None and stream is not None:
        passphrase = stream.readline().rstrip("\r\n")
    if not passphrase:
        raise ConfigError(
            "No passphrase was given for the keystore.",
            f"Set {KEYSTORE_VARIABLE}, or write it to standard input.",
        )
    return passphrase


def signer_of(secret: str) -> Signer:
    """The account of a private key, written as 64 hex digits.

    Raises:
        ConfigError: where it is none; the sentence does not repeat it.
    """
    try:
        return Signer(bytes.fromhex(secret.strip().removeprefix("0x")))
    except ValueError:
        raise ConfigError("This is no private key.", "It is 64 hex digits.") from None


def new_secret() -> bytes:
    """A private key nobody has had before."""
    return _within_order(secrets.token_bytes(32))


def write_keystore(path: Path, secret: bytes, passphrase: str) -> Signer:
    """Encrypt a private key into a file that only its owner can read (Web3 Secret Storage, version 3, scrypt).

    Raises:
        ConfigError: where there is such a file already, the passphrase is short, or the key is none.
        DefaiError: where it cannot be written.
    """
    account = _account()
    if len(passphrase) < LEAST_PASSPHRASE:
        raise ConfigError(f"A keystore's passphrase has {LEAST_PASSPHRASE} characters or more.")
    signer = signer_of(secret.hex())
    document = json.dumps(account.encrypt(secret, passphrase))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            try:
                file.write(document + "\n")
                file.flush()
            except OSError:
                path.unlink()
                raise
    except FileExistsError as error:
        raise ConfigError(
            f"There is a file {path} already.", "It is not written over: name another."
        ) from error
    except OSError as error:
        raise DefaiError(f"The keystore {path} cannot be written: {error.strerror}.") from error
    return signer


def keystore_document(path: Path) -> dict[str, object]:
    """What an encrypted keystore file holds, for those who ask for its passphrase only once it is known to be one.

    Raises:
        NotFoundError: where there is no such file.
        ConfigError: where it is no keystore.
    """
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no keystore at {path}.", "`defai setup` writes one.") from error
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} is not a keystore: it cannot be read as JSON.") from error
    if not isinstance(document, dict) or "crypto" not in {str(key).lower() for key in document}:
        raise ConfigError(f"{path} is not a keystore: it has no encrypted key in it.")
    return document


def load_keystore(path: Path, passphrase: str) -> Signer:
    """The account in an encrypted keystore file (Web3 Secret Storage, version 3).

    Raises:
        NotFoundError: where there is no such file.
        ConfigError: where it is no keystore, or the passphrase is another one.
    """
    account = _account()
    document = keystore_document(path)
    try:
        secret = bytes(account.decrypt(document, passphrase))
    except (ValueError, TypeError, KeyError) as error:
        sentence = f"The keystore {path} cannot be opened with this passphrase."
        if "MAC" not in str(error):
            sentence = f"The keystore {path} is damaged or of a kind that is not understood."
        raise ConfigError(sentence) from None
    return Signer(secret)


def _account() -> Any:  # noqa: ANN401  eth-account's, whose types are not exported
    """eth-account's; what it imports lets calls nest deeper than the stack is: a stranger's JSON could end us."""
    deepest = sys.getrecursionlimit()
    from eth_account import Account  # noqa: PLC0415  takes most of a second, and only live runs need it

    sys.setrecursionlimit(deepest)
    return Account


def _within_order(digest: bytes) -> bytes:
    return (int.from_bytes(digest, "big") % (_CURVE_ORDER - 1) + 1).to_bytes(32, "big")
