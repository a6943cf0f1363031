"""`--param name=value` of the command line."""

from collections.abc import Sequence

from defai.errors import ConfigError


def parse_parameters(pairs: Sequence[str]) -> dict[str, str]:
    """Parameters by name; their types are the strategy's business.

    Raises:
        ConfigError: for a pair without a name or an equals sign.
    """
    parameters = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise ConfigError(f"'{pair}' is not a parameter.", "Write --param name=value.")
        parameters[name.strip()] = value.strip()
    return parameters
