"""Signing a transaction, against eth_account."""

from figures import Figure, seconds_each

from defai.chain.keys import Signer, throwaway_secret
from defai.chain.mainnet import SWAP_ROUTER_02
from defai.chain.tx import Transaction, sign
from defai.units import GWEI

DATA = bytes(range(256)) * 6
"""As long as a recorded swap."""


def measure() -> list[Figure]:
    """Sign the same transaction with both."""
    from eth_account import Account  # noqa: PLC0415  takes most of a second, and isn't what is measured

    secret = throwaway_secret(1, "bench")
    signer, account = Signer(secret), Account.from_key(secret)
    fields = {"nonce": 7, "gas": 400_000, "data": DATA, "to": SWAP_ROUTER_02}
    ours = Transaction(
        chain_id=31337,
        nonce=7,
        to=SWAP_ROUTER_02,
        data=DATA,
        gas=400_000,
        max_fee_wei=10 * GWEI,
        priority_fee_wei=GWEI,
    )
    theirs = {**fields, "chainId": 31337, "maxFeePerGas": 10 * GWEI, "maxPriorityFeePerGas": GWEI, "value": 0}
    if sign(ours, signer).raw != bytes(account.sign_transaction(theirs).raw_transaction):
        raise AssertionError("both are to sign the same bytes")
    return [
        Figure(
            what="signing a transaction",
            value=seconds_each(lambda: sign(ours, signer)) * 1e3,
            unit="ms",
            against="eth_account",
            alternative=seconds_each(lambda: account.sign_transaction(theirs)) * 1e3,
            headline=True,
            note=f"The same bytes, {len(DATA):,} of them calldata; both sign with coincurve.",
        )
    ]
