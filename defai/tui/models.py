"""What the screens know of a model that agents ask."""

from defai.domain.stream import ModelSeen
from defai.late_dataclass import dataclass


@dataclass(slots=True)
class ModelLine:
    """A model as it was told last.

    Attributes:
        version: grows whenever something of it changes.
    """

    seen: ModelSeen
    version: int = 0

    @property
    def key(self) -> str:
        """What stays the same when another model takes over."""
        return self.seen.key

    @property
    def words(self) -> str:
        """What a filter searches."""
        one = self.seen
        state = "stopped" if self.is_stopped else "training" if one.retraining else "serves"
        return f"{one.name} {one.target} {one.digest} {' '.join(one.agents)} {state}"

    @property
    def is_stopped(self) -> bool:
        """Whether its drift holds its agents back."""
        return self.seen.drift is not None and bool(self.seen.drift.reason)
