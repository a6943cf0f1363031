"""Keys that stay where they are, transactions as eth_account would sign them, and reasons in words."""

import io
import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from eth_abi.abi import encode
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st

from defai.chain import mainnet
from defai.chain.codec import checksum, encode_call, keccak, selector
from defai.chain.contracts import approve
from defai.chain.keys import (
    KEYSTORE_VARIABLE,
    Signer,
    keystore_passphrase,
    load_keystore,
    throwaway_key,
    throwaway_secret,
)
from defai.chain.revert import decode_revert
from defai.chain.rpc import Json, Rpc, RpcError
from defai.chain.tx import (
    Step,
    Transaction,
    Wallet,
    carry_out,
    create_address,
    get_receipts,
    revert_reason,
    send,
    sign,
    wait_for_receipts,
)
from defai.domain.operations import Call
from defai.errors import ConfigError, DefaiError, NotFoundError, TooSlowError
from tests.chain.scenes import Market

WORDS = "correct horse"
OPENS = """
import sys
from pathlib import Path
from defai.chain.keys import load_keystore
from defai.errors import NotFoundError
deepest = sys.getrecursionlimit()
try:
    load_keystore(Path("nowhere"), "")
except NotFoundError:
    assert "eth_account" in sys.modules
    assert sys.getrecursionlimit() == deepest
"""


@settings(max_examples=40)
@given(
    nonce=st.integers(0, 2**64 - 1),
    to=st.none() | st.binary(min_size=20, max_size=20),
    data=st.binary(max_size=300),
    gas=st.integers(21_000, 2**40),
    fees=st.tuples(st.integers(0, 2**70), st.integers(0, 2**70)),
    value_wei=st.integers(0, 2**100),
    seed=st.integers(0, 50),
)
def test_signs_as_eth_account_does(
    nonce: int, to: bytes | None, data: bytes, gas: int, fees: tuple[int, int], value_wei: int, seed: int
) -> None:
    callee = None if to is None else checksum("0x" + to.hex())
    transaction = Transaction(
        chain_id=31337,
        nonce=nonce,
        to=callee,
        data=data,
        gas=gas,
        max_fee_wei=max(fees),
        priority_fee_wei=min(fees),
        value_wei=value_wei,
    )
    signed = sign(transaction, throwaway_key(seed, "x"))
    fields = {
        "type": 2,
        "chainId": 31337,
        "nonce": nonce,
        "data": data,
        "gas": gas,
        "maxFeePerGas": max(fees),
        "maxPriorityFeePerGas": min(fees),
        "value": value_wei,
    }
    if callee is not None:
        fields["to"] = callee
    expected = Account.from_key(throwaway_secret(seed, "x")).sign_transaction(fields)
    assert signed.raw == bytes(expected.raw_transaction)
    assert signed.hash == expected.hash.to_0x_hex()


def test_throwaway_keys_are_the_same_everywhere_and_differ_by_seed_and_name() -> None:
    assert throwaway_key(1, "lp").address == "0x5e6c9C6096048f5352a15614c66a0D5A0146DdF3"
    keys = {throwaway_key(seed, name).address for seed in range(3) for name in ("a", "b", "a/b")}
    assert len(keys) == 9
    assert throwaway_key(3, "a").address == Account.from_key(throwaway_secret(3, "a")).address


def test_a_signature_is_recovered_to_its_signer() -> None:
    signer, digest = throwaway_key(1, "owner"), keccak(b"approve")
    signature = signer.signature(digest)
    assert Account._recover_hash(digest, signature=signature) == signer.address


def test_a_signer_does_not_show_its_key() -> None:
    secret = throwaway_secret(1, "a")
    signer = Signer(secret)
    shown = [repr(signer), str(signer), f"{signer}", repr([signer]), repr(Wallet(signer, chain_id=1))]
    assert not any(secret.hex() in text or str(int.from_bytes(secret, "big")) in text for text in shown)
    assert signer.address in repr(signer)
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(signer)
    with pytest.raises(AttributeError):
        _ = signer.__dict__


@pytest.fixture(scope="session")
def keystore(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "agent.json"
    document = Account.encrypt(throwaway_secret(1, "live"), WORDS, kdf="pbkdf2", iterations=10)
    path.write_text(json.dumps(document))
    return path


def test_a_keystore_opens_with_its_passphrase(keystore: Path) -> None:
    assert load_keystore(keystore, WORDS).address == throwaway_key(1, "live").address


def test_a_wrong_passphrase_is_said_to_be_wrong(keystore: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be opened with this passphrase") as caught:
        load_keystore(keystore, "wrong horse")
    assert "wrong horse" not in str(caught.value)


@pytest.mark.parametrize("content", ["", "[]", "{}", "not json", '"text"', '{"crypto": {}, "version": 3}'])
def test_what_is_no_keystore_is_said_to_be_none(tmp_path: Path, content: str) -> None:
    path = tmp_path / "key.json"
    path.write_text(content)
    with pytest.raises(ConfigError, match=r"is not a keystore|is damaged"):
        load_keystore(path, WORDS)


def test_a_missing_keystore_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"There is no keystore at .*key\.json"):
        load_keystore(tmp_path / "key.json", WORDS)


def test_the_passphrase_comes_from_the_environment_or_a_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEYSTORE_VARIABLE, raising=False)
    assert keystore_passphrase(io.StringIO("from a stream \n")) == "from a stream "
    for stream in (None, io.StringIO("")):
        with pytest.raises(ConfigError, match="No passphrase") as caught:
            keystore_passphrase(stream)
        assert KEYSTORE_VARIABLE in caught.value.hint
    monkeypatch.setenv(KEYSTORE_VARIABLE, "from the environment")
    assert keystore_passphrase(io.StringIO("from a stream\n")) == "from the environment"


async def test_many_transactions_in_one_block_keep_their_nonces(market: Market) -> None:
    rpc, trader = market.chain.rpc, market.trader
    call = approve(mainnet.USDC, mainnet.V2_ROUTER, 5)
    signed = [
        trader.sign(call.target, call.data, gas=100_000, max_fee_wei=10**10, priority_fee_wei=10**9)
        for _ in range(60)
    ]
    assert await send(rpc, signed) == [None] * 60
    assert await send(rpc, signed[:1]) == [None]  # it has it already
    assert await get_receipts(rpc, [signed[0].hash]) == [None]
    number = await market.chain.mine(base_fee_wei=10**9)
    receipts = await wait_for_receipts(rpc, [one.hash for one in signed], timeout_seconds=60)
    assert [receipt.index for receipt in receipts] == list(range(60))
    assert {receipt.block_number for receipt in receipts} == {number}
    assert {receipt.gas_price_wei for receipt in receipts} == {2 * 10**9}
    assert all(receipt.succeeded for receipt in receipts)
    again = await Wallet.connect(trader.signer, rpc)
    assert again.nonce == trader.nonce


async def test_order_in_the_block_follows_what_gas_may_cost(market: Market) -> None:
    chain = market.chain
    wallets = []
    for i in range(5):
        signer = throwaway_key(9, f"bidder-{i}")
        await chain.fund_ether(signer.address)
        wallets.append(await Wallet.connect(signer, chain.rpc))
    fees = [3, 5, 1, 4, 2]
    signed = [
        wallet.sign(wallet.address, b"", gas=21_000, max_fee_wei=10**10 + fee, priority_fee_wei=fee)
        for wallet, fee in zip(wallets, fees, strict=True)
    ]
    await send(chain.rpc, signed)
    await chain.mine(base_fee_wei=10**9)
    receipts = await wait_for_receipts(chain.rpc, [one.hash for one in signed], timeout_seconds=60)
    assert [receipt.index for receipt in receipts] == [2, 0, 4, 1, 3]


async def test_what_the_node_does_not_take_is_given_back(market: Market) -> None:
    poor = await Wallet.connect(throwaway_key(1, "poor"), market.chain.rpc)
    refused = poor.sign(poor.address, b"", gas=21_000, max_fee_wei=10**10, priority_fee_wei=1)
    (error,) = await send(market.chain.rpc, [refused])
    assert isinstance(error, RpcError)
    assert "nsufficient funds" in error.message
    await poor.resync(market.chain.rpc)
    assert poor.nonce == 0
    with pytest.raises(DefaiError, match="Could not pay: Insufficient funds"):
        await carry_out(
            market.chain.rpc,
            poor,
            [Step(poor.address, b"", 21_000, "pay")],
            max_fee_wei=10**10,
            priority_fee_wei=1,
        )


async def test_waiting_for_what_never_comes_ends(market: Market) -> None:
    with pytest.raises(TooSlowError, match=f"Transaction 0x{'12' * 32} was in no block after 0"):
        await wait_for_receipts(market.chain.rpc, ["0x" + "12" * 32], timeout_seconds=0)


async def test_a_created_contract_stands_where_it_was_foretold(market: Market) -> None:
    nonce = market.trader.nonce
    initcode = bytes.fromhex("600160005360016000f3")  # deploys one byte, 0x01
    (receipt,) = await carry_out(
        market.chain.rpc,
        market.trader,
        [Step(None, initcode, 100_000, "deploy")],
        max_fee_wei=10**10,
        priority_fee_wei=10**9,
        settle=market.chain.mine,
    )
    assert receipt.contract == create_address(market.trader.address, nonce)


class TracelessRpc(Rpc):
    """A node like the public ones, which do not trace."""

    async def call(self, method: str, *params: Json) -> Json:
        if method.startswith("debug_"):
            raise RpcError(method, -32601, "the method does not exist")
        return await super().call(method, *params)


async def test_why_a_transaction_reverted_is_found(market: Market) -> None:
    transfer = Call(
        mainnet.USDC.address, encode_call("transfer(address,uint256)", mainnet.V3_FACTORY, 10**30)
    )
    with pytest.raises(
        DefaiError, match=r"Could not act: BalanceTooLow\(holder=0x.*, balance=\d+, wanted=10{30}\)"
    ):
        await market.act([transfer])
    block = await market.chain.rpc.call("eth_getBlockByNumber", "latest", False)
    (sent,) = block["transactions"]
    assert (await revert_reason(market.chain.rpc, sent)).startswith("BalanceTooLow")
    async with TracelessRpc(market.chain.url) as rpc:
        assert (await revert_reason(rpc, sent)).startswith("probably: BalanceTooLow")
        (approval,) = await market.act([approve(mainnet.USDC, mainnet.V2_ROUTER)])
        assert (await revert_reason(rpc, approval.transaction_hash)).startswith("unknown")
        with pytest.raises(DefaiError, match="does not know transaction"):
            await revert_reason(rpc, "0x" + "12" * 32)


ERROR, PANIC = bytes.fromhex("08c379a0"), bytes.fromhex("4e487b71")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "it reverted without a reason"),
        (ERROR + encode(["string"], ["STF"]), "a token transfer from the payer failed"),
        (ERROR + encode(["string"], ["my own words"]), "my own words"),
        (PANIC + encode(["uint256"], [0x11]), "an arithmetic overflow (panic 0x11)"),
        (PANIC + encode(["uint256"], [0x99]), "a panic (panic 0x99)"),
        (ERROR + b"\x01", "its reason cannot be decoded"),
        (bytes.fromhex("deadbeef01"), "0xdeadbeef01"),
        (b"\x01", "0x01"),
        (
            selector("WrongSequence(uint256,uint256)") + encode(["uint256", "uint256"], [4, 5]),
            "WrongSequence(expected=4, given=5)",
        ),
        (
            selector("CallFailed(uint256,bytes)")
            + encode(["uint256", "bytes"], [2, ERROR + encode(["string"], ["LOK"])]),
            "CallFailed(index=2, reason: the pool is locked (LOK))",
        ),
    ],
)
def test_reasons_in_words(data: bytes, words: str) -> None:
    assert words in decode_revert(data)


@given(st.binary(max_size=200))
def test_no_revert_data_breaks_the_decoder(data: bytes) -> None:
    for head in (b"", ERROR, PANIC, selector("CallFailed(uint256,bytes)")):
        assert decode_revert(head + data)


def test_who_opens_a_keystore_is_not_ended_by_what_a_node_nests_too_deep() -> None:
    assert subprocess.run([sys.executable, "-c", OPENS], check=False).returncode == 0
