"""The quicker way to keccak256 gives what the plain one gives, from any thread, and steps aside where it can't."""

import sys
from concurrent.futures import ThreadPoolExecutor
from random import Random
from types import SimpleNamespace

import pytest
from cffi import FFI  # type: ignore[import-untyped]  # it comes without types
from eth_hash.auto import keccak as plain

from defai.audit.hashing import fastest_keccak, keccak, reusing_keccak


def test_every_length_around_a_block_gives_the_plain_digest() -> None:
    draw = Random(3)  # noqa: S311  no secret
    for length in (*range(4), 31, 32, 33, *range(134, 139), 271, 272, 273, 5_000):
        content = draw.randbytes(length)
        assert keccak(content) == plain(content)


def test_threads_do_not_share_a_state() -> None:
    contents = [bytes([seed]) * 2_000 for seed in range(8)] * 50
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(keccak, contents)) == [plain(content) for content in contents]


@pytest.mark.parametrize("module", ["Crypto.Hash.keccak", "Crypto.Hash", "Crypto.Util"])
def test_without_the_compiled_functions_the_plain_way_is_taken(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    if module == "Crypto.Hash.keccak":
        monkeypatch.delattr(sys.modules["Crypto.Hash"], "keccak", raising=False)
    assert fastest_keccak() is plain


def test_a_function_that_fails_is_not_believed() -> None:
    ffi = FFI()
    library = SimpleNamespace(
        keccak_init=lambda *_: 0,
        keccak_reset=lambda *_: 1,
        keccak_absorb=lambda *_: 0,
        keccak_digest=lambda *_: 0,
        keccak_destroy=lambda *_: 0,
    )
    assert reusing_keccak(library, ffi)(b"defai") == plain(b"defai")
