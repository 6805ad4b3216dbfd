"""The front door of trained explainers: fit once, then explain in the classifier's own pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor, nn

from input_iba.attribution.amortised import (
    Explainer,
    Format,
    check_exportable,
    export_explainer,
    read_explainer,
    write_explainer,
)
from input_iba.attribution.facade import InputIBA
from input_iba.attribution.found import Attributions, check_on_error, raise_failed
from input_iba.attribution.methods import Amortised, MethodAttributor
from input_iba.attribution.presets import Preset
from input_iba.core.modes import with_gradients
from input_iba.errors import AttributionError
from input_iba.records import Explanation, Targets, described
from input_iba.training.explainer import taught, train, untrained
from input_iba.training.explainer_settings import ExplainerTraining, Objective


class AmortisedIBA:
    """An explainer that is trained once for a classifier, and then costs hardly more than its pass.

    It reads features that the classifier computes anyway, and learns from the maps that the
    optimised method makes of inputs of one's own; labels are not needed. It answers which pixels or
    words speak for a class, the predicted one or any other; all other questions are `InputIBA`'s.

    Args:
        model: As of `InputIBA`, and so are all arguments that are not listed here.
        preset: Of the optimised method that is learned from.
        taps: Names of layers to read; None for those that suit the model.

    >>> import torch
    >>> net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 5))
    >>> fast = AmortisedIBA(net, layer="1").fit(torch.randn(8, 1, 8, 8), epochs=1)
    >>> fast.attribute(torch.randn(2, 1, 8, 8)).maps.shape
    torch.Size([2, 1, 8, 8])
    """

    def __init__(
        self,
        model: nn.Module | str | Path,
        layer: str | None = None,
        *,
        preset: str | Preset = "instant",
        taps: Sequence[str] | None = None,
        **settings: Any,
    ) -> None:
        self.optimised = InputIBA(model, layer, preset=preset, **settings)
        self.model = self.optimised.model
        self.taps = taps
        self.explainer: Explainer | None = None
        self._attributor: MethodAttributor | None = None

    @with_gradients()
    def fit(
        self,
        data: Any,
        epochs: int | None = None,
        *,
        training: ExplainerTraining = ExplainerTraining(),  # noqa: B008  frozen
        objective: Objective = Objective(),  # noqa: B008  frozen
    ) -> AmortisedIBA:
        """Explain inputs by the optimised method, and learn to say the same; return this object.

        The epoch is kept that is best on 5 % of the inputs, which are held out.

        Args:
            data: Inputs like those to explain, some hundreds at least, all kept in memory: a
                tensor, a list of texts or images, or a loader or data set that yields them, alone
                or before labels.
            epochs: Passes over them; None for as many as `training` says.
            training: How to train.
            objective: What for.

        Raises:
            AttributionError: There are no inputs, or the model puts out something else than logits.
            DataError: The inputs are of several sizes, or cannot be explained.
        """
        reader, data = self.optimised.reader_for(data)
        batches = list(reader.batches(data))
        if not batches:
            raise AttributionError("fit() was given no inputs. Give some hundreds for good maps.")
        inputs = reader.joined(batches)
        self.optimised.fit(inputs)
        teacher = self.optimised.attributor
        how: dict[str, Any] = {"taps": self.taps, "layout": self.optimised.layout}
        explainer, watched = untrained(teacher, inputs, seed=training.seed, **how)
        lessons = taught(teacher, inputs, explainer, training)
        settings = training if epochs is None else replace(training, epochs=epochs)
        with TemporaryDirectory() as folder:
            best = Path(folder) / "explainer.safetensors"
            train(explainer, watched, teacher, lessons, settings, objective, best=best)
            self.explainer, self._attributor = read_explainer(best), None
        return self

    @with_gradients()
    def attribute(
        self,
        inputs: Any,
        target: Targets | None = None,
        *,
        ids: Sequence[str] | None = None,
        on_error: str = "raise",
    ) -> Attributions[Explanation]:
        """Explain inputs in one pass of the classifier; see `InputIBA.attribute`.

        Raises:
            AttributionError: Nothing is fitted, something else than a class is asked about, or an
                input cannot be explained.
        """
        check_on_error(on_error)
        reader, data = self.optimised.reader_for(inputs)
        values, looks = reader.read(data)
        if len(values) == 0:
            return Attributions([])
        if self._attributor is None:
            self._attributor = self.optimised.other(Amortised(self._trained()))
        found = self._attributor.attribute(values, target, ids=ids)
        if on_error == "raise":
            raise_failed(found)
        names = tuple(self._attributor.class_names)
        return Attributions(
            described(record, look, names) if isinstance(record, Explanation) else record
            for record, look in zip(found, looks, strict=True)
        )

    def start(self, task: Any) -> Tensor:
        """Return where the optimised method's mask begins: `InputIBA(model, start=…)`."""
        return self._trained().start(task)

    def check(self, classifier: nn.Module) -> None:
        """Refuse another classifier than that of the explainer; see `Explainer.check`."""
        self._trained().check(classifier)

    def reads(self, classifier: nn.Module) -> Sequence[nn.Module]:
        """Return the modules at which the explainer reads features."""
        return self._trained().reads(classifier)

    def save(self, path: str | Path) -> Path:
        """Write the explainer, without the model; return where it is.

        Raises:
            AttributionError: There is none yet.
        """
        return write_explainer(Path(path), self._trained())

    def export(
        self,
        path: str | Path,
        example: Any = None,
        format: Format = "onnx",
        *,
        any_class: bool = False,
    ) -> Path:
        """Write model and explainer as one graph from images to logits and maps; return where.

        Args:
            path: File to write.
            example: One or several images to run it on; None for noise.
            format: 'onnx', or 'torch' for what `torch.export.load` reads.
            any_class: See `export_explainer`.

        Raises:
            AttributionError: Nothing is trained yet, or the model cannot be written as one graph.
            ConfigError: The explainer is for texts, or the format is unknown.
            MissingExtraError: A package of the extra 'export' is not installed.
        """
        explainer = self._trained()
        check_exportable(explainer, format)
        data = torch.zeros(1, *explainer.plan.inputs) if example is None else example
        reader, data = self.optimised.reader_for(data)
        given = None if example is None else reader.read(data)[0]
        how: dict[str, Any] = {"layout": self.optimised.layout, "output": self.optimised.output}
        how |= {"format": format, "example": given, "any_class": any_class}
        return export_explainer(Path(path), explainer, self.model, reader.modality, **how)

    @classmethod
    def load(cls, path: str | Path, model: nn.Module | str | Path, **settings: Any) -> AmortisedIBA:
        """Return one with the explainer in a file, for the model that it was trained for.

        Raises:
            DataError: The file holds no explainer.
            ConfigError: It is for a model with other weights.
        """
        loaded = cls(model, **settings)
        loaded.explainer = read_explainer(Path(path))
        loaded.explainer.check(loaded.model)
        return loaded

    def _trained(self) -> Explainer:
        if self.explainer is None:
            raise AttributionError("Nothing is trained yet: call fit(data), or load(path, model).")
        return self.explainer
