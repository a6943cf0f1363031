"""ERC-8004: the canonical registries where they stand, ours where not, and the agents in them."""

import base64
import json
import re
from dataclasses import replace

import pytest

from defai.chain.anvil import Anvil
from defai.chain.artifacts import artifact
from defai.chain.codec import address_at, decode_values, encode_call, selector, topic, unhex
from defai.chain.identity import (
    KNOWN,
    MAINNETS,
    REGISTRATION_TYPE,
    STANDIN,
    STANDIN_DEPLOYER,
    VAULT_KEY,
    Registration,
    Registries,
    Service,
    ensure_registries,
    find_registries,
    register_agents,
)
from defai.chain.keys import throwaway_key
from defai.chain.local import DevelopmentChain
from defai.chain.revert import canonical_type
from defai.chain.tx import Step, Wallet, carry_out, create_address
from defai.errors import DefaiError, DivergenceError
from defai.units import GWEI
from tests.chain.scenes import Market

VAULT = "0x3333333333333333333333333333333333333333"
SPECIFIED = {
    "AgentIdentity": """
        0x1aa3a008 0xf2c298be 0x8ea42286 0x0af28bd3 0xcb4799f2 0x466648da 0x00339509 0x2d1ef5ae 0x3fddcf19 0x0d8e6e2c
        0x84b0196e 0x6352211e 0xc87b56dd 0x42842e0e 0xb88d4fde 0x01ffc9a7 0x095ea7b3 0xa22cb465
        0x2c149ed548c6d2993cd73efe187df6eccabe4538091b33adbd25fafdb8a1468b
        0xca52e62c367d81bb2e328eb795f7c7ba24afb478408a26c0e201d155c449bc4a
        0x3a2c7fffc2cba7582c690e3b82c453ea02a308326a98a3ad7576c606336409fb
    """,
    "AgentReputation": """
        0xc2349ab2 0x42dd519c 0xbc4d861b 0xf2d81759 0x6e04cacd 0x81bbba58 0x0d8e6e2c 0x3c036a7e 0xd9d84224 0x232b0810
        0x4ab3ca99 0x25156fd3288212246d8b008d5921fde376c71ed14ac2e072a506eb06fde6d09d
        0x6a4a61743519c9d648a14e6493f47dbe3ff1aa29e7785c96c8326a205e58febc
        0xb1c6be0b5b8aef6539e2fac0fd131a2faa7b49edf8e505b5eb0ad487d56051d4
    """,
    "AgentValidation": """
        0x8d5d0c2d 0xbc4d861b 0x1b7cabd6 0xff2febfc 0x4bf3158c 0x0d8e6e2c 0xaaf400c4 0x3d659a96
        0x530436c3634a98e1e626b0898be2f1e9980cc1bd2a78c07a0aba52d0a48a5059
        0xafddf629e874ccc3963b6a888c477bd464a6c8525024fc88759ea3b2326349ae
    """,
}
"""Selectors and topics of the canonical contracts, version 2.0.0."""


@pytest.mark.parametrize("name", SPECIFIED)
def test_ours_have_the_functions_and_events_of_the_canonical_ones(name: str) -> None:
    ours = set()
    for entry in artifact(name).abi:
        signature = (
            f"{entry.get('name')}({','.join(canonical_type(part) for part in entry.get('inputs', ()))})"
        )
        ours |= {"0x" + selector(signature).hex(), topic(signature)}
    assert set(re.findall(r"0x\w+", SPECIFIED[name])) <= ours


def test_the_standins_registries_stand_where_their_deployer_puts_them() -> None:
    addresses = (STANDIN.identity, STANDIN.reputation, STANDIN.validation)
    assert addresses == tuple(create_address(STANDIN_DEPLOYER, nonce) for nonce in range(3))
    assert KNOWN[31337] == STANDIN


async def owner_of(chain: DevelopmentChain) -> Wallet:
    signer = throwaway_key(5, "owner")
    await chain.fund_ether(signer.address)
    return await Wallet.connect(signer, chain.rpc)


def entry(name: str) -> Registration:
    return Registration(
        name=name,
        description="Swaps back to the mean.",
        services=(Service("vault", f"eip155:31337:{VAULT}"), Service("web", "https://example.org", "1")),
        supported_trust=("reputation", "re-execution"),
        vault=VAULT,
        wallet=throwaway_key(5, f"agent/{name}"),
    )


async def file_of(market: Market, agent_id: int) -> str:
    answer = await market.view(STANDIN.identity, encode_call("tokenURI(uint256)", agent_id))
    uri: str = decode_values(("string",), answer)[0]
    return uri


async def test_agents_are_registered(market: Market) -> None:
    chain = market.chain
    owner = await owner_of(chain)
    assert await find_registries(chain.rpc) == STANDIN
    before = await chain.head()
    numbers = await register_agents(
        chain.rpc, owner, STANDIN.identity, [entry("anna"), entry("bela")], settle=chain.mine
    )
    assert numbers == [0, 1]
    assert await chain.head() == before + 2
    for agent_id, name in enumerate(("anna", "bela")):
        owned = await market.view(STANDIN.identity, encode_call("ownerOf(uint256)", agent_id))
        assert address_at(owned) == owner.address
        wallet = await market.view(STANDIN.identity, encode_call("getAgentWallet(uint256)", agent_id))
        assert address_at(wallet) == entry(name).wallet.address
        asked = encode_call("getMetadata(uint256,string)", agent_id, VAULT_KEY)
        (vault,) = decode_values(("bytes",), await market.view(STANDIN.identity, asked))
        assert vault == bytes.fromhex(VAULT[2:])
        kind, _, packed = (await file_of(market, agent_id)).partition(",")
        assert kind == "data:application/json;base64"
        assert json.loads(base64.b64decode(packed)) == {
            "type": REGISTRATION_TYPE,
            "name": name,
            "description": "Swaps back to the mean.",
            "services": [
                {"name": "vault", "endpoint": f"eip155:31337:{VAULT}"},
                {"name": "web", "endpoint": "https://example.org", "version": "1"},
            ],
            "x402Support": False,
            "active": True,
            "registrations": [{"agentId": agent_id, "agentRegistry": f"eip155:31337:{STANDIN.identity}"}],
            "supportedTrust": ["reputation", "re-execution"],
        }
    assert await register_agents(chain.rpc, owner, STANDIN.identity, []) == []


async def test_an_agent_that_somebody_came_ahead_of_gets_its_number_right(market: Market) -> None:
    """The stranger pays more, so that the block has him first."""
    chain = market.chain
    owner = await owner_of(chain)
    stranger = market.trader
    mined: list[int] = []

    async def settle() -> None:
        if not mined:
            early = stranger.sign(
                STANDIN.identity,
                selector("register()"),
                gas=500_000,
                max_fee_wei=100 * GWEI,
                priority_fee_wei=90 * GWEI,
            )
            await chain.rpc.call("eth_sendRawTransaction", "0x" + early.raw.hex())
        mined.append(await chain.mine())

    assert await register_agents(chain.rpc, owner, STANDIN.identity, [entry("anna")], settle=settle) == [1]
    uri = await file_of(market, 1)
    document = json.loads(base64.b64decode(uri.partition(",")[2]))
    assert document["registrations"][0]["agentId"] == 1


async def test_another_wallets_signature_is_refused(market: Market) -> None:
    """The owner's name is part of what is signed: whoever holds the agent can't pass it on with the wallet."""
    chain = market.chain
    owner = await owner_of(chain)
    await register_agents(chain.rpc, owner, STANDIN.identity, [entry("anna")], settle=chain.mine)
    wallet = entry("anna").wallet
    forged = encode_call(
        "setAgentWallet(uint256,address,uint256,bytes)",
        0,
        wallet.address,
        1 << 255,
        wallet.signature(bytes(32)),
    )
    with pytest.raises(DefaiError, match="DeadlineOutOfRange"):
        await carry_out(
            *(chain.rpc, owner, [Step(STANDIN.identity, forged, 500_000, "set a wallet")]),
            max_fee_wei=10 * GWEI,
            priority_fee_wei=GWEI,
            settle=chain.mine,
        )


async def test_what_a_network_lacks_is_deployed() -> None:
    async with Anvil() as anvil, anvil.rpc() as rpc:
        chain = DevelopmentChain(rpc, int(await rpc.call("eth_chainId"), 16))
        assert await find_registries(rpc) is None
        owner = await owner_of(chain)
        ours = await ensure_registries(rpc, owner, settle=chain.mine)
        assert ours == Registries(*(create_address(owner.address, nonce) for nonce in range(3)))
        assert await register_agents(rpc, owner, ours.identity, [entry("anna")], settle=chain.mine) == [0]

        # The canonical identity registry appears, without a validation registry of its own.
        code = await rpc.call("eth_getCode", ours.identity, "latest")
        await rpc.call("anvil_setCode", MAINNETS.identity, code)
        assert await find_registries(rpc) == Registries(MAINNETS.identity, None, None)
        mixed = await ensure_registries(rpc, owner, settle=chain.mine)
        assert mixed.identity == MAINNETS.identity
        for address in (mixed.reputation, mixed.validation):
            assert address is not None
            call = {"to": address, "data": "0x" + selector("getIdentityRegistry()").hex()}
            assert address_at(unhex(await rpc.call("eth_call", call, "latest"))) == MAINNETS.identity


async def test_a_registry_of_another_identity_registry_does_not_count(market: Market) -> None:
    rpc = market.chain.rpc
    assert STANDIN.reputation is not None
    await rpc.call("anvil_setStorageAt", STANDIN.reputation, "0x0", "0x" + "11" * 32)
    assert await find_registries(rpc) == replace(STANDIN, reputation=None)


async def test_there_is_no_registry(market: Market) -> None:
    chain = market.chain
    with pytest.raises(DivergenceError, match="There is no identity registry at"):
        await register_agents(chain.rpc, await owner_of(chain), VAULT, [entry("anna")], settle=chain.mine)
