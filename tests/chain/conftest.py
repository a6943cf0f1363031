"""A stand-in for each test, with pools and a trader; its contracts are deployed once per worker."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from defai.chain.standin import open_standin
from tests.chain.scenes import Market, opened_market


@pytest.fixture(scope="session")
def cache_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("standin")


@pytest.fixture
async def market(cache_directory: Path) -> AsyncIterator[Market]:
    async with open_standin(cache_directory=cache_directory) as chain:
        yield await opened_market(chain)
