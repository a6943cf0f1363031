"""Models on disk, one directory per digest. What does not match its digest is not loaded; nothing is unpickled.

<folder>/<digest>/model.json      trees, target, features: all that a forecast depends on
<folder>/<digest>/card.json       the card, with a digest of its own
<folder>/<digest>/lightgbm.txt    the same trees as LightGBM writes them; the card holds its digest
<folder>/keys/<key>               the digest that a key stands for now
<folder>/lines/<key>              which models it stood for, one after the other, and why (`lineage`)
"""

import json
import os
import re
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from defai import whole_file
from defai.errors import ConfigError, DefaiError, NotFoundError
from defai.features.spec import FeatureSpec
from defai.models.card import ModelCard, canonical_json, keccak_hex
from defai.models.ensemble import Ensemble
from defai.models.targets import Target
from defai.models.trained import TrainedModel

FORMAT: Final = 2
_DIGEST: Final = re.compile(r"0x[0-9a-f]{64}\Z")
_KEY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}\Z")


def is_digest(text: str) -> bool:
    """Whether it is written as a model's digest is: 0x and 64 hex digits."""
    return _DIGEST.match(text) is not None


class ModelRefusedError(DefaiError):
    """A model on disk that is not what its digest says, or that this version cannot serve."""


@dataclass(frozen=True, slots=True)
class ModelRegistry:
    """The models in a folder. Several processes may write to it at once.

    Args:
        folder: where they are; made when the first one is saved.
    """

    folder: Path

    def save(self, model: TrainedModel, *, key: str | None = None) -> str:
        """Keep a model; one that is there already stays as it is.

        Args:
            model: what to keep.
            key: what `find` is to know it by; an earlier model of this key is no longer found by it.

        Returns:
            The model's digest.
        """
        place = self.folder / model.digest
        if not place.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            draft = self.folder / f".{model.digest}.{secrets.token_hex(4)}"
            draft.mkdir()
            try:
                for name, content in _files(model).items():
                    _write_durably(draft / name, content)
                draft.rename(place)
            except OSError:
                shutil.rmtree(draft, ignore_errors=True)
                if not place.exists():
                    raise
        if key is not None:
            self.link(key, model.digest)
        return model.digest

    def link(self, key: str, digest: str) -> None:
        """Let a key stand for a model from now on."""
        place = self._key_file(key)
        place.parent.mkdir(parents=True, exist_ok=True)
        whole_file.put(place, f"{digest}\n".encode(), durable=True)

    def find(self, key: str) -> TrainedModel | None:
        """The model a key stands for; None where there is none.

        Raises:
            ModelRefusedError: where it is there and does not match its digest.
        """
        place = self._key_file(key)
        if not place.exists():
            return None
        return self.load(place.read_text(encoding="utf-8").strip())

    def load(self, digest: str) -> TrainedModel:
        """The model of a digest.

        Raises:
            NotFoundError: where it is not there.
            ModelRefusedError: where a file of it was changed, or a feature's version is not the one it wants.
        """
        if not _DIGEST.match(digest):
            raise NotFoundError(f"{digest!r} is not the digest of a model.", "It has 0x and 64 hex digits.")
        place = self.folder / digest
        if not place.is_dir():
            raise NotFoundError(f"There is no model {digest} in {self.folder}.", "Train one.")
        model = _read(place, digest)
        if model.digest != digest:
            raise _refused(digest, f"its trees have the digest {model.digest}")
        return model

    def digests(self) -> tuple[str, ...]:
        """Digests of all models in the folder."""
        if not self.folder.is_dir():
            return ()
        return tuple(sorted(place.name for place in self.folder.iterdir() if _DIGEST.match(place.name)))

    def list(self) -> tuple[ModelCard, ...]:
        """Cards of all models in the folder, each checked as `load` does."""
        return tuple(self.load(digest).card for digest in self.digests())

    def named(self, wanted: str) -> str:
        """The digest of the one model that is meant.

        Args:
            wanted: the beginning of its digest, with 0x, or its identifier.

        Raises:
            NotFoundError: where there is none.
            ConfigError: where there are several.
        """
        by_digest = wanted.startswith("0x")
        if by_digest:
            found = [known for known in self.digests() if known.startswith(wanted)]
        else:
            found = [known for known in self.digests() if wanted and self._identifier(known) == wanted]
        if not found:
            raise NotFoundError(
                f"There is no model {wanted or repr(wanted)} in {self.folder}.",
                "`defai models list` names them.",
            )
        if len(found) > 1:
            how = "begin with" if by_digest else "are called"
            raise ConfigError(
                f"{len(found)} models {how} {wanted}.",
                "Give more digits." if by_digest else f"Name one by its digest: {', '.join(found)}.",
            )
        return found[0]

    def _identifier(self, digest: str) -> str:
        """What its author calls a model; nothing of one that would not be loaded."""
        try:
            return self.load(digest).card.identifier
        except ModelRefusedError:
            return ""

    def keys(self) -> dict[str, str]:
        """Every key with the digest that it stands for."""
        folder = self.folder / "keys"
        if not folder.is_dir():
            return {}
        places = (place for place in sorted(folder.iterdir()) if _KEY.match(place.name))
        return {place.name: place.read_text(encoding="utf-8").strip() for place in places}

    def remove(self, digest: str) -> None:
        """Remove a model; it disappears at once or not at all.

        Raises:
            NotFoundError: where it is not there.
        """
        if not _DIGEST.match(digest) or not (self.folder / digest).is_dir():
            raise NotFoundError(f"There is no model {digest} in {self.folder}.")
        grave = self.folder / f".{digest}.{secrets.token_hex(4)}"
        (self.folder / digest).rename(grave)
        shutil.rmtree(grave)

    def _key_file(self, key: str) -> Path:
        if not _KEY.match(key):
            raise ValueError(f"{key!r} is no key: letters, digits, dots, dashes and underscores")
        return self.folder / "keys" / key


def _files(model: TrainedModel) -> dict[str, bytes]:
    card = model.card.to_json()
    described = {
        "format": FORMAT,
        "target": _target_of(model.target),
        "features": list(model.spec.names),
        "features_digest": model.spec.digest,
        "band_x24": model.band_x24,
        "beats_baseline": model.beats_baseline,
        **model.ensemble.to_json(),
    }
    return {
        "model.json": canonical_json(described),
        "card.json": _carded(card),
        "lightgbm.txt": model.lightgbm_text.encode(),
    }


def _target_of(target: Target) -> dict[str, Any]:
    """A target in JSON; without a parameter, as it was written before there were any."""
    plain: dict[str, Any] = {"kind": target.kind, "horizon_blocks": target.horizon_blocks}
    return {**plain, "parameter": target.parameter} if target.parameter else plain


def _carded(card: dict[str, Any]) -> bytes:
    shown = {"card": card, "card_digest": keccak_hex(canonical_json(card))}
    return json.dumps(shown, indent=1, sort_keys=True, allow_nan=False).encode() + b"\n"


def _read(place: Path, digest: str) -> TrainedModel:
    try:
        model_bytes, card_bytes, text_bytes = (
            (place / name).read_bytes() for name in ("model.json", "card.json", "lightgbm.txt")
        )
        raw = json.loads(model_bytes)
        shown = json.loads(card_bytes)
        if canonical_json(raw) != model_bytes or raw["format"] != FORMAT:
            raise _refused(digest, "model.json is not as it was written")
        if _carded(shown["card"]) != card_bytes or shown["card"]["model_digest"] != digest:
            raise _refused(digest, "card.json is not as it was written")
        if keccak_hex(text_bytes) != shown["card"]["lightgbm_digest"]:
            raise _refused(digest, "lightgbm.txt is not as it was written")
        target = Target(**raw["target"])
        return TrainedModel(
            spec=_spec(raw["features"], raw["features_digest"], digest),
            target=target,
            ensemble=Ensemble.from_json(raw),
            band_x24=raw["band_x24"],
            beats_baseline=raw["beats_baseline"],
            card=ModelCard.from_json(shown["card"]),
            lightgbm_text=text_bytes.decode(),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _refused(digest, f"it cannot be read ({type(error).__name__})") from error


def _spec(names: list[str], wanted: str, digest: str) -> FeatureSpec:
    spec = FeatureSpec.of(names)
    if spec.digest != wanted:
        raise ModelRefusedError(
            f"The model {digest} was trained on other versions of its features.", "Train it again."
        )
    return spec


def _refused(digest: str, why: str) -> ModelRefusedError:
    return ModelRefusedError(
        f"The model {digest} is not what its digest says: {why}.", "Remove its directory and train again."
    )


def _write_durably(place: Path, content: bytes) -> None:
    with place.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
