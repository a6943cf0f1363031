"""What an author's code did instead of giving an answer, in the same words wherever it runs."""


class IsolatedError(Exception):
    """What a strategy's process did instead of answering: words that follow the strategy's name."""


def fault_of(error: BaseException) -> str:
    """What somebody did who raised this, in words that follow his name."""
    return str(error) if isinstance(error, IsolatedError) else f"raised {type(error).__name__}: {error}"
