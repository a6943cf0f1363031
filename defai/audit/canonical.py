"""Canonical bytes and their digests: one spelling per value, the same on every machine."""

import json
from collections.abc import Mapping
from typing import Any

from eth_hash.auto import keccak


def canonical_json(value: Mapping[str, Any]) -> bytes:
    """JSON with sorted keys, no blanks and no floats, so that equal values give equal bytes.

    Raises:
        TypeError: for a float (its shortest spelling is no one's promise) or any value JSON has no word for.
    """
    _refuse_floats(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(content: bytes) -> str:
    """keccak256, as 0x and 64 hex digits."""
    return "0x" + keccak(content).hex()


def from_hex(hexadecimal: str) -> bytes:
    """The bytes of a 0x-prefixed string."""
    return bytes.fromhex(hexadecimal[2:])


def _refuse_floats(value: object) -> None:
    if isinstance(value, float):
        raise TypeError(f"a canonical record holds no float: {value!r}")
    if isinstance(value, Mapping):
        for item in value.values():
            _refuse_floats(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_floats(item)
