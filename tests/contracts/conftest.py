"""One stand-in with a vault for a module's tests; each test starts from the same state of it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from defai.chain import mainnet
from defai.chain.deploy import VaultRules
from defai.chain.standin import open_standin
from tests.chain.scenes import opened_market
from tests.contracts.scenes import VaultScene, open_vault


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened_vault(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[VaultScene]:
    async with open_standin(cache_directory=tmp_path_factory.mktemp("standin")) as chain:
        yield await open_vault(
            await opened_market(chain), VaultRules(pools=(mainnet.USDC_WETH_005,), routers=True)
        )


@pytest_asyncio.fixture(loop_scope="module")
async def scene(opened_vault: VaultScene) -> AsyncIterator[VaultScene]:
    chain = opened_vault.market.chain
    before = await chain.snapshot()
    yield opened_vault
    await chain.revert(before)
