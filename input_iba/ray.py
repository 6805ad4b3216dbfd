"""Explain a data set of Ray: its batches stream through actors that hold the classifier.

>>> import input_iba.ray  # `ray` itself is the extra of that name, and imported when it is needed
>>> callable(input_iba.ray.explain)
True
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from input_iba.attribution.facade import InputIBA
from input_iba.errors import AttributionError, ConfigError, import_extra
from input_iba.records import Explanation, Failure, Target
from input_iba.run.on_ray import Share
from input_iba.run.options import RayOptions

if TYPE_CHECKING:
    from ray.data import Dataset

COLUMNS = ("image", "text")
"""Columns that hold inputs, where none is named."""

IDS = ("id", "path")
"""Columns that name the rows."""

Rows = dict[str, Any]


class OfInputs(Protocol):
    """What explains inputs: an `InputIBA`, or an `AmortisedIBA`."""

    def attribute(self, inputs: Any, target: Any = None, *, ids: Any, on_error: str) -> Any:
        """Explain inputs."""


def explain(
    dataset: Dataset,
    explainer: OfInputs | Callable[[], OfInputs],
    *,
    target: Target | int | str | None = None,
    column: str | None = None,
    batch_size: int = 4,
    num_workers: int | None = None,
    gpus_per_worker: float | None = None,
) -> Dataset:
    """Return a data set with what explains each row, computed as it is read.

    Added are `map` (bits, float32: (H, W), or one per word in `words`), `target`, `prediction`,
    `target_probability`, `prediction_probability`, and `failure`, which says why a row could not be
    explained; its map is then empty. The numbers of a row do not depend on its place: the noise is
    drawn for its `id` or `path`, or else for what it holds.

    Args:
        dataset: Of images in `image`, (H, W, C) in 8 bits for the explainer's transform or floats
            (C, H, W) as the model takes them; or of texts in `text`.
        explainer: Fitted. Or what makes one, once in every actor, on the GPU there say.
        target: Asked of every row; None for the predicted class.
        column: Where inputs are; None for `image` or `text`.
        batch_size: Rows explained at once.
        num_workers: Actors; None for one per GPU of the cluster, or where it has none per core.
        gpus_per_worker: GPUs of each; None for one where the cluster has any.

    Raises:
        AttributionError: The explainer is not fitted.
        ConfigError: There is no such column.
        MissingExtraError: Ray is not installed.
    """
    data = import_extra("ray.data", "ray", "ray")
    if isinstance(explainer, InputIBA):
        _check_fitted(explainer)
    names = dataset.schema().names
    chosen = column or next((name for name in COLUMNS if name in names), None)
    if chosen not in names:
        raise ConfigError(
            f"Expected inputs in a column {' or '.join(map(repr, COLUMNS))}, or column=; got "
            f"{column or 'none'!r}, and the data set has {', '.join(map(repr, names))}."
        )
    share = Share.of(RayOptions(num_workers=num_workers, gpus_per_worker=gpus_per_worker))
    return dataset.map_batches(
        _Explaining,
        fn_constructor_args=(explainer, chosen, target),
        batch_size=batch_size,
        batch_format="numpy",
        compute=data.ActorPoolStrategy(min_size=1, max_size=share.actors),
        num_cpus=1,
        num_gpus=share.gpus or None,
    )


def _check_fitted(explainer: InputIBA) -> None:
    if explainer.statistics is None:
        raise AttributionError(
            "The explainer is not fitted, so every actor would take other statistics: call "
            "fit(data) on usual inputs first."
        )


class _Explaining:
    """Explains batches of rows in an actor."""

    def __init__(self, explainer: Any, column: str, target: Any) -> None:
        self._explainer = explainer if hasattr(explainer, "attribute") else explainer()
        if isinstance(self._explainer, InputIBA):
            _check_fitted(self._explainer)
        self._column, self._target = column, target

    def __call__(self, rows: Rows) -> Rows:
        """Return rows with what explains them."""
        values = list(rows[self._column])
        named = next((rows[name] for name in IDS if name in rows), None)
        ids = list(map(_digest, values)) if named is None else list(map(str, named))
        once = dict(zip(ids, values, strict=True))  # equal rows of a batch are explained once
        found = dict(zip(once, self._explained(list(once), list(once.values())), strict=True))
        of_texts = not isinstance(values[0], np.ndarray)
        return {**rows, **_columns([found[id_] for id_ in ids], of_texts)}

    def _explained(self, ids: Sequence[str], values: Sequence[Any]) -> list[Explanation | Failure]:
        """Explain inputs together, or one by one where that raises, so that only bad ones fail."""
        try:
            inputs: Any = list(map(_input, values))
            if isinstance(inputs[0], torch.Tensor):
                inputs = torch.stack(inputs)
            found = self._explainer.attribute(inputs, self._target, ids=ids, on_error="return")
            return list(found)
        # A model of the user's own may raise anything about one bad row.
        except Exception as error:
            if len(ids) == 1:
                return [Failure(ids[0], f"{type(error).__name__}: {error}")]
            each = zip(ids, values, strict=True)
            return [self._explained([id_], [value])[0] for id_, value in each]


def _input(value: Any) -> Any:
    """Return an input as explainers take it: an image of PIL, a tensor, or a text."""
    if not isinstance(value, np.ndarray):
        return str(value)
    if value.dtype == np.uint8:
        return Image.fromarray(value)
    return torch.from_numpy(np.array(value, np.float32))  # a copy: Ray's arrays are read-only


def _digest(value: Any) -> str:
    """Return a name that depends on what an input holds."""
    image = isinstance(value, np.ndarray)
    content = value.tobytes() if image else str(value).encode("utf-8", "surrogatepass")
    return hashlib.sha256(content).hexdigest()[:16]


def _columns(found: Sequence[Explanation | Failure], of_texts: bool) -> Rows:
    """Return what explains some rows as columns, each of which has a value in every row."""
    explained = [one if isinstance(one, Explanation) else None for one in found]
    columns: Rows = {
        name: np.array([_known(getattr(one, name, None), missing) for one in explained])
        for name, missing in _TOLD.items()
    }
    columns["failure"] = ["" if isinstance(one, Explanation) else one.reason for one in found]
    maps = np.empty(len(found), object)  # of several shapes, as texts and failures have
    for i, one in enumerate(explained):
        empty = np.zeros((0,) if of_texts else (0, 0), np.float32)
        maps[i] = empty if one is None else _map(one)
    columns["map"] = maps
    if of_texts:
        columns["words"] = [[word for word, _ in one.words] if one else [] for one in explained]
    return columns


def _known(value: Any, missing: Any) -> Any:
    return missing if value is None else value


def _map(one: Explanation) -> NDArray[np.float32]:
    """Return the map of an input, one value per pixel, or per word where those are known."""
    if one.words:
        return np.array([value for _, value in one.words], np.float32)
    found: NDArray[np.float32] = one.map.numpy()
    return found


_TOLD: Mapping[str, Any] = {
    "target": -1,
    "prediction": -1,
    "target_probability": math.nan,
    "prediction_probability": math.nan,
}
"""What is told of every row, and what stands for it where it is not known."""
