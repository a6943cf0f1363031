"""keccak256 as often as records need it: four times a decision, and once for each node of a tree.

pycryptodome's own class makes a state, three buffers and their wrappers for every digest, which takes several times as
long as hashing. Here the same compiled functions are called on a state that each thread keeps. They are not part of
what pycryptodome promises: where they aren't there, or answer otherwise than `eth_hash`, that is what is used.
"""

import threading
from collections.abc import Callable
from typing import Any, Final

from eth_hash.auto import keccak as plain_keccak

_DIGEST_BYTES: Final = 32
_CAPACITY_BYTES: Final = 64
_ROUNDS: Final = 24
_PADDING: Final = 1
_SAMPLES: Final = (b"", b"defai", bytes(range(136)), bytes(range(256)) * 3)
"""Shorter than a block, a whole block, and longer."""


def reusing_keccak(library: Any, ffi: Any) -> Callable[[bytes], bytes]:  # noqa: ANN401  cffi's, without types
    """keccak256 by pycryptodome's compiled functions, on one state a thread."""
    reset, absorb, digest = library.keccak_reset, library.keccak_absorb, library.keccak_digest
    kept = threading.local()  # a call lets other threads run

    def keccak256(content: bytes) -> bytes:
        """The 32 bytes."""
        try:
            state, buffer, out = kept.own
        except AttributeError:
            state, buffer, out = kept.own = _state(library, ffi)
        if (
            reset(state)
            or absorb(state, content, len(content))
            or digest(state, buffer, _DIGEST_BYTES, _PADDING)
        ):
            return plain_keccak(content)
        answer: bytes = out[:]
        return answer

    return keccak256


def _state(library: Any, ffi: Any) -> tuple[Any, Any, Any]:  # noqa: ANN401  as above
    pointer = ffi.new("void **")
    if library.keccak_init(pointer, _CAPACITY_BYTES, _ROUNDS):
        raise MemoryError("no room for a hash")
    buffer = ffi.new(f"uint8_t[{_DIGEST_BYTES}]")
    return ffi.gc(pointer[0], library.keccak_destroy), buffer, ffi.buffer(buffer)


def fastest_keccak() -> Callable[[bytes], bytes]:
    """The compiled functions where they are as expected; else `eth_hash`."""
    try:
        from Crypto.Hash import keccak as module  # noqa: PLC0415  may not be there
        from Crypto.Util import _raw_api as raw  # noqa: PLC0415  as above

        found = reusing_keccak(getattr(module, "_raw_keccak_lib", None), getattr(raw, "ffi", None))
        if all(found(sample) == plain_keccak(sample) for sample in _SAMPLES):
            return found
    except (ImportError, AttributeError, TypeError, MemoryError):
        pass
    return plain_keccak


keccak: Final = fastest_keccak()
