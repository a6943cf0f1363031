"""Settings of a session: from a TOML file, then the environment, then the command line; the last one wins.

Every value can be given as `DEFAI_<SECTION>__<KEY>`, agents by name or number: `DEFAI_NETWORK__FORK_URL`,
`DEFAI_AGENTS__LP_WIDE__USD`. Secrets are not settings: they come from a keystore, the environment or standard
input, and a file that holds one is refused.
"""

from defai.config.settings import (
    DEMO_AGENTS,
    STANDIN_CHAIN_ID,
    AgentSettings,
    MarketSettings,
    ModelSettings,
    NetworkSettings,
    Settings,
)

__all__ = [
    "DEMO_AGENTS",
    "STANDIN_CHAIN_ID",
    "AgentSettings",
    "MarketSettings",
    "ModelSettings",
    "NetworkSettings",
    "Settings",
]
