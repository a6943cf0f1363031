"""The terminal from which a person runs AI agents in DeFi and can prove every decision they took."""

__version__ = "0.1.0"
