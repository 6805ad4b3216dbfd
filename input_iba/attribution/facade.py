"""The front door: explain a model's inputs in two lines."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from input_iba.attribution.borrowed import BorrowedModel
from input_iba.attribution.fitted import read_fitted, write_fitted
from input_iba.attribution.found import Attributions, check_on_error, raise_failed
from input_iba.attribution.presets import preset_of
from input_iba.attribution.recommend.candidates import Present
from input_iba.attribution.recommend.of_model import recommend
from input_iba.attribution.recommend.recommendation import Recommendation
from input_iba.attribution.several_questions import each_asked
from input_iba.core.arguments import Arguments
from input_iba.core.modes import with_gradients
from input_iba.core.optimise import Progress
from input_iba.core.targets import EmbeddingTarget
from input_iba.errors import AttributionError
from input_iba.evaluation.halving import SearchSettings
from input_iba.records import Attribution, Target, Targets, described

LOGGER = logging.getLogger(__name__)

VARIATIONS = 100
"""Views of the inputs themselves that statistics come from where nothing else is given."""


class InputIBA(BorrowedModel):
    """See which pixels or words made a classifier decide.

    The model is borrowed: it stays where it is, and comes back from every call as it was.

    Args:
        model: Any `nn.Module` that maps images (B, C, H, W), or token ids (B, T), to an answer; or
            the name of one as `--model` takes it, with whose transform or tokenizer it comes.
        layer: Name of the layer of the feature bottleneck; None for one that suits the model.
        preset: 'fast', 'instant', 'paper', or a `Preset` of your own.
        start: Predicts the mask from which the optimisation goes on, in a few steps; such as an
            explainer that was trained for the model.
        tokenizer: A fast tokenizer of the package `transformers`, where texts are explained.
        transform: Makes normalised tensors of images of PIL, where such images are given.
        modality: What kind of input the model takes; None to see it from the inputs.
        precision: 'auto', 'fp32' or 'bf16', in which the model computes.
        class_names: As of an `Attributor`, and so are the others.

    Raises:
        AttributionError: The model is scripted, quantised or not whole.
        ConfigError: There is no such preset, or layer.

    >>> import torch
    >>> net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 5))
    >>> found = InputIBA(net, layer="1").fit(torch.randn(32, 1, 8, 8)).attribute(
    ...     torch.randn(2, 1, 8, 8), target=3)
    >>> found.maps.shape, found[0].target
    (torch.Size([2, 1, 8, 8]), 3)
    """

    @with_gradients()
    def fit(
        self, data: Any, n_samples: int | None = None, additional_forward_args: Any = None
    ) -> InputIBA:
        """Estimate what the layer puts out on usual inputs; return this object.

        Args:
            data: Inputs like those to explain, 1,000 or more for good maps: a tensor, a list of
                texts or images, or a loader or data set that yields them, alone or before labels.
            n_samples: How many to take; None for as many as the preset says.
            additional_forward_args: What the model is called with behind the inputs; tensors have
                a row for each of all inputs.
        """
        inputs, data = self.reader_for(data)
        batches = inputs.batches(data)
        first = next(batches, None)
        if first is None:
            raise AttributionError("fit() was given no inputs. Give 1,000 or more for good maps.")
        attributor = self.attributor_for(inputs, first[:1], additional_forward_args)
        if n_samples is None:
            n_samples = preset_of(self.preset, inputs.modality.kind).n_samples
        chained = chain([first], batches)
        self.statistics = attributor.estimate(chained, n_samples, additional_forward_args)
        return self

    @with_gradients()
    def attribute(
        self,
        inputs: Any,
        target: Targets | None = None,
        *,
        seed: int = 0,
        ids: Sequence[str] | None = None,
        on_error: str = "raise",
        progress: Progress | None = None,
        additional_forward_args: Any = None,
        targets: Sequence[Target | None] | None = None,
    ) -> Attributions[Attribution]:
        """Explain inputs.

        Args:
            inputs: Images (C, H, W) or (S, C, H, W), or of PIL; token ids (S, T); texts; or a
                tuple of several inputs of the model, (S, …) each, that are masked together.
            target: One for all or one each: a class by index or name, a `Target`, a loss of the
                logits, None for the predicted class, or what else the output suggests.
            seed: Of all noise.
            ids: Names of the inputs, which with the seed decide the noise.
            on_error: 'raise' where an input cannot be explained, or 'return' a `Failure` for it.
            progress: Told about every step.
            additional_forward_args: What the model is called with behind the inputs, one or a
                tuple, as captum calls it: tensors have a row per input, all else is passed as it
                is.
            targets: Several questions, each asked of every input in one batch; records are those
                of the first input, then of the second.

        Raises:
            AttributionError: An input cannot be explained.
            ConfigError: Target, ids or `on_error` are wrong.
        """
        check_on_error(on_error)
        reader, data = self.reader_for(inputs)
        values, looks, target = reader.asked(data, target)
        if targets is not None:
            how = (values, looks, ids, additional_forward_args)
            target, (values, looks, ids, additional_forward_args) = each_asked(targets, *how)
        if len(values) == 0:
            return Attributions([])
        attributor = self.attributor_for(reader, values[:1], additional_forward_args)
        if self.statistics is None:
            LOGGER.warning(
                "No fit() came before: the layer's statistics are those of %d views of the inputs "
                "themselves (crops, flips, shifts; words in other orders). fit(data) on usual "
                "inputs makes better maps.",
                VARIATIONS,
            )
            views = reader.modality.variations(values, VARIATIONS)
            beside = Arguments.of(additional_forward_args, attributor.device)
            rows = beside.select([i % len(values) for i in range(VARIATIONS)])
            self.statistics = attributor.estimate(views, VARIATIONS, rows.values)
        attributor.statistics = self.statistics
        settings: Any = {"ids": ids, "seed": seed, "progress": progress}
        settings["additional_forward_args"] = additional_forward_args
        found = attributor.attribute(values, target, **settings)
        if on_error == "raise":
            raise_failed(found)
        names = tuple(attributor.class_names)
        return Attributions(
            reader.parted(described(record, look, names))
            if isinstance(record, Attribution)
            else record
            for record, look in zip(found, looks, strict=True)
        )

    @with_gradients()
    def recommend(
        self, samples: Any, target: Any = None, *, data: Any = None, seed: int = 0, **settings: Any
    ) -> Recommendation:
        """Try layers, β, priors and readings on some inputs, and measure the best on the others.

        Args:
            samples: At least 8 inputs, as of `attribute`; half of them take no part in the search.
            target: One class, by index or name, or one `Target` for all; None for the predicted.
            data: Usual inputs, as of `fit`; None for views of the samples themselves.
            seed: Of all noise, and of which samples are held out.
            settings: Those of `SearchSettings`, such as `minutes`.

        Returns:
            What was found: `layer` and `preset` for a new `InputIBA`; printed it is a table.
        """
        reader, given = self.reader_for(samples)
        values, looks, target = reader.asked(given, target)
        first = self.attributor_for(reader, values[:1], None)
        usual = None if data is None else chain.from_iterable(reader.batches(data))
        how = SearchSettings(**settings)
        kept = None if usual is None else [one[None] for one in islice(usual, how.n_estimation)]
        assert self.layer is not None  # chosen with the first input
        return recommend(
            partial(self.built, reader.modality),
            Present(self.layer, preset_of(self.preset, reader.modality.kind)),
            reader.samples(values, looks),
            target,
            lambda count: kept or first.modality.variations(values, count),
            how,
            seed,
            self.output,
        )

    def embed(self, inputs: Any, additional_forward_args: Any = None) -> Tensor:
        """Return the model's embeddings of inputs, (S, D), for an `EmbeddingTarget` of others."""
        reader, data = self.reader_for(inputs)
        values, _ = reader.read(data)
        attributor = self.attributor_for(reader, values[:1], additional_forward_args)
        return attributor.answers(values, EmbeddingTarget(), additional_forward_args)

    def save(self, path: str | Path) -> Path:
        """Write the fitted statistics, without the model; return where they are.

        Raises:
            AttributionError: There are none yet.
        """
        if self.statistics is None or self.layer is None:
            raise AttributionError("Nothing is fitted yet: call fit(data) before save(path).")
        return write_fitted(Path(path), self.statistics, self.layer, self.model)

    @classmethod
    def load(cls, path: str | Path, model: nn.Module, **settings: Any) -> InputIBA:
        """Return one with the statistics in a file, for the model that they were fitted on.

        Raises:
            DataError: The file holds no statistics.
            ConfigError: They are of a model with other weights.
        """
        statistics, layer = read_fitted(Path(path), model)
        loaded = cls(model, layer, **settings)
        loaded.statistics = statistics
        return loaded
