"""Canonical bytes and their digests: one spelling per value, the same on every machine."""

import json
from collections.abc import Mapping
from typing import Any

from defai.audit.hashing import keccak

_spelled = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode
_PLAIN = frozenset({str, int, bool, type(None)})
_STRINGS = frozenset({str})


def canonical_json(value: Mapping[str, Any]) -> bytes:
    """JSON with sorted keys, no blanks and no floats, so that equal values give equal bytes.

    Raises:
        TypeError: for a float (its shortest spelling is no one's promise), a key that is no string (JSON would spell
            1 and "1" alike), or any value JSON has no word for.
    """
    _refuse_ambiguity(value)
    return _spelled(value).encode()


def digest(content: bytes) -> str:
    """keccak256, as 0x and 64 hex digits."""
    return "0x" + keccak(content).hex()


def from_hex(hexadecimal: str) -> bytes:
    """The bytes of a 0x-prefixed string."""
    return bytes.fromhex(hexadecimal[2:])


def _refuse_ambiguity(value: object) -> None:
    if type(value) is dict:  # nearly all, and every decision is spelled
        if _PLAIN.issuperset(map(type, value.values())) and _STRINGS.issuperset(map(type, value)):
            return
    elif type(value) in _PLAIN:
        return
    if isinstance(value, float):
        raise TypeError(f"a canonical record holds no float: {value!r}")
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"a canonical record has strings for keys: {key!r}")
        value = tuple(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            _refuse_ambiguity(item)
