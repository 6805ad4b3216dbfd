"""Inputs as a caller has them: tensors, batches of a loader, images and texts as they are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from PIL.Image import Image
from torch import Tensor, nn

from input_iba.core.targets import GenerationTarget, family_of, one_each
from input_iba.core.tokens import PAD_INDEX, lengths_of, pad
from input_iba.datasets import PieceDataset
from input_iba.datasets.given_texts import GivenTexts
from input_iba.errors import ConfigError, DataError
from input_iba.modality.answers import Answerer
from input_iba.modality.axes import KINDS, axes_named
from input_iba.modality.base import Modality
from input_iba.modality.nearly import what_to_do
from input_iba.modality.text import TextModality
from input_iba.modality.tokenizers import modality_of, most_tokens, padded
from input_iba.modality.vision import VisionModality
from input_iba.records import Attribution, ImageSample, Sample, Targets, TextSample

Asked = tuple[Tensor, Sequence[Sample | None], Targets | None]
"""Inputs (S, …), what there is to look at beside each map, and the targets."""

Transform = Callable[[Image], Tensor]
"""Makes a normalised tensor (C, H, W) of an image."""

KEYS = ("pixel_values", "input_ids", "image", "text", "input", "x")
"""Names of the inputs in dicts, before which labels and masks may stand."""

AT_ONCE = 16
"""Samples per forward pass, which does not change the statistics."""


class Inputs(ABC):
    """How a caller's inputs are read, and of what kind they are."""

    modality: Modality

    @abstractmethod
    def read(self, data: Any) -> tuple[Tensor, Sequence[Sample | None]]:
        """Return inputs (S, …), and what there is to look at beside each map.

        Raises:
            DataError: The data are something else.
        """

    def asked(self, data: Any, targets: Targets | None) -> Asked:
        """Return what `read` does, and the targets: a target may ask more than the data hold."""
        return *self.read(data), targets

    @abstractmethod
    def batches(self, data: Any) -> Iterator[Tensor]:
        """Yield batches (B, …) of inputs, a loader, a data set or a list.

        Inputs may stand alone, or before labels in tuples and dicts.
        """

    def joined(self, batches: Sequence[Tensor]) -> Tensor:
        """Return batches of inputs as one tensor, (N, …).

        Raises:
            DataError: They are of several sizes.
        """
        return torch.cat(list(batches))

    def samples(self, values: Tensor, looks: Sequence[Sample | None]) -> list[Sample]:
        """Return what `read` returned as one sample each, named by its place."""
        return [
            Sample(str(i), value) if look is None else replace(look, id=str(i), input=value)
            for i, (value, look) in enumerate(zip(values, looks, strict=True))
        ]

    def parted(self, record: Attribution) -> Attribution:
        """Return a record with what it holds of each of several inputs; of one it is whole."""
        return record


class ImageInputs(Inputs):
    """Images: (S, C, H, W), one (C, H, W), of PIL with a transform, or a list of them.

    Where the model convolves over one dimension or three, they are signals (C, T), or volumes
    (C, D, H, W); see `VisionModality.dims_of`.
    """

    def __init__(
        self, model: nn.Module, transform: Transform | None, modality: VisionModality
    ) -> None:
        self.transform = transform
        self.modality = modality
        self._of_one = modality.dims_of(model) + 1

    def read(self, data: Any) -> tuple[Tensor, Sequence[Sample | None]]:
        """Return images (S, C, H, W) and, of those of PIL, what to look at."""
        if isinstance(data, Tensor):
            batch = data[None] if data.ndim == self._of_one else data
            return batch, [None] * len(batch)
        several = data if isinstance(data, list | tuple) else [data]
        made = [self._one(item) for item in several]
        return torch.stack([image for image, _ in made]), [look for _, look in made]

    def batches(self, data: Any) -> Iterator[Tensor]:
        """Yield batches (B, C, H, W)."""
        if isinstance(data, Tensor | Image):
            yield from torch.split(self.read(data)[0], AT_ONCE)
            return
        for item in data:
            image = first_of(item)
            if isinstance(image, Tensor) and image.ndim == self._of_one + 1:
                yield from torch.split(image, AT_ONCE)
            else:
                yield self._one(image)[0][None]

    def joined(self, batches: Sequence[Tensor]) -> Tensor:
        """Return images (N, C, H, W) of one size."""
        sizes = sorted({tuple(batch.shape[1:]) for batch in batches})
        if len(sizes) > 1:
            raise DataError(
                f"Explainers learn from inputs of one size; got {len(sizes)}, such as {sizes[0]} "
                f"and {sizes[-1]}. Resize and crop them to one."
            )
        return super().joined(batches)

    def _one(self, item: Any) -> tuple[Tensor, Sample | None]:
        if isinstance(item, Tensor) and item.ndim == self._of_one:
            return item, None
        if isinstance(item, Image):
            if self.transform is None:
                raise DataError(
                    "An image of PIL is given, and nothing that makes a normalised tensor of it. "
                    "Give transform=, such as the transforms() of torchvision's weights."
                )
            image = self.transform(item)
            return image, _look(item, image)
        got = f"{type(item).__name__}" + (f" {tuple(item.shape)}" if hasattr(item, "shape") else "")
        if self._of_one == 3:
            expected = "images (C, H, W), batches (B, C, H, W) or images of PIL"
        else:
            axes = axes_named(self._of_one - 1)
            expected = f"{KINDS[self._of_one - 1]}s ({axes}) or batches (B, {axes})"
        raise DataError(f"Expected {expected}; got {got}.{what_to_do(item)}")


def first_of(item: Any) -> Any:
    """Return the inputs in what a loader or a data set yields."""
    if isinstance(item, Mapping):
        known = next((key for key in KEYS if key in item), None)
        return next(iter(item.values())) if known is None else item[known]
    return item[0] if isinstance(item, list | tuple) else item


def _look(given: Image, image: Tensor) -> Sample | None:
    """Return an image at the size of its input, where the transform kept its proportions."""
    height, width = image.shape[1:]
    if abs(given.width * height - given.height * width) > max(given.size):
        return None
    pixels = np.asarray(given.convert("RGB").resize((width, height)))
    return ImageSample("", image, image=torch.from_numpy(pixels.copy()).permute(2, 0, 1))


def inputs_of(
    model: nn.Module, data: Any, tokenizer: Any, transform: Any, modality: Modality | None
) -> Inputs:
    """Return what reads a caller's inputs, told from some of them and from what else is given."""
    first = data
    while isinstance(first, Sequence | Mapping) and not isinstance(first, str) and len(first):
        first = first_of(first)
    ids = isinstance(first, Tensor) and not first.is_floating_point() and first.ndim <= 2
    if tokenizer is not None or isinstance(modality, TextModality) or ids or isinstance(first, str):
        return TextInputs(model, tokenizer, modality)
    vision = modality if isinstance(modality, VisionModality) else VisionModality()
    return ImageInputs(model, transform, vision)


class TextInputs(Inputs):
    """Texts: one or several strings, or token ids (S, T) or (T,).

    Args:
        model: The classifier.
        tokenizer: A fast tokenizer of the package `transformers`; None where token ids come.
        modality: How the model takes texts; None to see it from tokenizer and model.

    Raises:
        ConfigError: The tokenizer has no token that could pad texts, or is not a fast one.
    """

    modality: TextModality

    def __init__(self, model: nn.Module, tokenizer: Any, modality: Modality | None) -> None:
        self._model = model
        self._limit: int | None = None
        self._tokenizer = None
        if tokenizer is not None:
            if not getattr(tokenizer, "is_fast", False):
                raise ConfigError(
                    f"The tokenizer {type(tokenizer).__name__} cannot say which piece belongs to "
                    "which word. Give a fast one of the package transformers (AutoTokenizer)."
                )
            self._tokenizer = padded(deepcopy(tokenizer))  # the caller's own stays as it is
            self._limit = most_tokens(model, self._tokenizer)
        if isinstance(modality, TextModality):
            self.modality = modality
        elif self._tokenizer is not None:
            self.modality = modality_of(self._tokenizer)
        else:
            own = getattr(getattr(model, "config", None), "pad_token_id", None)
            index = getattr(model, "pad_index", PAD_INDEX)
            self.modality = TextModality(pad=own if isinstance(own, int) else index)

    def read(self, data: Any) -> tuple[Tensor, Sequence[Sample | None]]:
        """Return token ids (S, T), and the texts behind them where there are any."""
        if isinstance(data, Tensor):
            ids = data[None] if data.ndim == 1 else data
            return ids, [None] * len(ids)
        samples = [self._one(item) for item in ([data] if isinstance(data, str) else data)]
        return pad([sample.input for sample in samples], self.modality.pad).ids, samples

    def asked(self, data: Any, targets: Targets | None) -> Asked:
        """Return what `read` does, with the answers that targets ask about behind the prompts."""
        if not isinstance(family_of(targets), GenerationTarget):
            return super().asked(data, targets)
        prompts = self.read(data)[0] if isinstance(data, Tensor) else data
        several = [prompts] if isinstance(prompts, str) else list(prompts)
        special, limit = self.modality.special, self._limit
        answerer = Answerer(self._model, self.modality.pad, special, self._tokenizer, limit)
        samples, questions = answerer.asked(several, one_each(targets, len(several)))
        looks = [sample if sample.tokens else None for sample in samples]
        return pad([sample.input for sample in samples], self.modality.pad).ids, looks, questions

    def samples(self, values: Tensor, looks: Sequence[Sample | None]) -> list[Sample]:
        """Return texts without padding; of ids alone, every id is a word."""
        own = self.modality.pad
        texts = [
            row[:length]
            for row, length in zip(values, lengths_of(values, own).tolist(), strict=True)
        ]
        of_ids = (TextSample("", t, tokens=tuple(map(str, t.tolist())), pad=own) for t in texts)
        made = zip(texts, (look or of for look, of in zip(looks, of_ids, strict=True)), strict=True)
        return [replace(look, id=str(i), input=text) for i, (text, look) in enumerate(made)]

    def batches(self, data: Any) -> Iterator[Tensor]:
        """Yield token ids (B, T)."""
        if isinstance(data, Tensor | str):
            yield from torch.split(self.read(data)[0], 1)
            return
        for item in data:
            first = first_of(item)
            several = isinstance(first, list | tuple)  # a loader's batch of strings
            for one in first if several else [first]:
                yield self.read(one)[0]

    def joined(self, batches: Sequence[Tensor]) -> Tensor:
        """Return token ids (N, T), padded to the longest text."""
        return pad([text for batch in batches for text in batch], self.modality.pad).ids

    def _one(self, item: Any) -> Sample:
        if not isinstance(item, str) or self._tokenizer is None:
            what = "a tokenizer= is needed" if isinstance(item, str) else "expected texts"
            raise DataError(
                f"Texts cannot be read: {what}; got {type(item).__name__}. Give strings with "
                f"tokenizer=, or token ids (S, T) as a tensor.{what_to_do(item)}"
            )
        return PieceDataset(GivenTexts([item]), self._tokenizer, self._limit)[0]
