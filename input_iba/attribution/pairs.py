"""Images and words together: why does this text match this image, and this image this text?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from input_iba.attribution.facade import InputIBA
from input_iba.core.modes import with_gradients
from input_iba.core.optimise import Progress
from input_iba.drawing.card import Drawn, Words
from input_iba.drawing.heat_map import Pixels
from input_iba.drawing.words import percent
from input_iba.errors import ConfigError
from input_iba.modality import VisionModality
from input_iba.modality.image_inputs import ImageInputs
from input_iba.models.dual_encoder import check_dual, image_side, text_side
from input_iba.models.dual_source import load_dual_encoder
from input_iba.records import Attribution

MATCH = 1
"""Class of a match: of one logit, the class that it speaks for."""


@dataclass(frozen=True)
class Pair(Drawn):
    """What speaks for an image and a text as a match.

    Attributes:
        pixels: Which pixels speak for the text, the text being what it is.
        words: Which words speak for the image, the image being what it is.
    """

    pixels: Attribution
    words: Attribution
    gaps: Sequence[str] = ()

    def title(self) -> str:
        """Return how probably they match, and the bits on both sides."""
        name = self.pixels.class_name(MATCH)
        said = [f"{name}: {percent(self.pixels.target_probability)}"]
        for side, found in (("pixels", self.pixels), ("words", self.words)):
            warning = f", {found.warning}" if found.warning else ""
            said.append(f"{side} {found.bits:.3g} bits{warning}")
        return " · ".join(said)

    def believed(self) -> tuple[str, str]:
        """Return of which side the map may be believed less, and why."""
        sides = [(self.pixels.belief, "pixels"), (self.words.belief, "words")]
        worse, name = min(sides, key=lambda side: side[0].score)
        return worse.verdict, f"{worse.line} ({name})"

    def images(self) -> Mapping[str, Pixels]:
        """Return the image, its map over it, and the map."""
        shown = self.pixels.images()
        return {name: shown[name] for name in ("input", "overlay", "map") if name in shown}

    def coloured_words(self) -> Words:
        """Return the words with their values."""
        return self.words.coloured_words()


@with_gradients()
def explain_pair(
    model: nn.Module | str | Path,
    image: Any,
    text: str,
    *,
    tokenizer: Any = None,
    transform: Any = None,
    instead_of: Sequence[str] = (),
    images: Any = None,
    texts: Any = None,
    image_layer: str | None = None,
    text_layer: str | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    **settings: Any,
) -> Pair:
    """Explain why a dual encoder (CLIP, SigLIP) finds that an image and a text match.

    Each is explained with the other fixed. How well they match is, with the model's own scale, the
    text's share in the softmax beside other texts; of a model with a bias, as SigLIP, without any.

    Args:
        model: A dual encoder of `transformers`, or the folder or name on the hub of one, whose
            tokenizer and image processor are then its own.
        image: One image (C, H, W), or of PIL.
        text: The text.
        tokenizer: A fast tokenizer of the package `transformers`.
        transform: Makes a normalised tensor of an image of PIL.
        instead_of: Texts that this one is set against; without any the empty one, if the model has
            no bias.
        images: Usual images for the statistics, as of `InputIBA.fit`; None for views of this one.
        texts: Usual texts, likewise.
        image_layer: Layer of the feature bottleneck; None for one that suits, as `text_layer`.
        text_layer: Layer in the encoder of texts.
        seed: Of all noise.
        progress: Told about every step of both.
        settings: Further arguments of `InputIBA`, such as `preset` and `precision`.

    Raises:
        AttributionError: The model is no dual encoder, or one side cannot be explained.
        ConfigError: The tokenizer is missing.
        DataError: The image cannot be read.
    """
    if isinstance(model, str | Path):
        model, tokenizer, transform = load_dual_encoder(str(model), tokenizer, transform)
    check_dual(model)
    if tokenizer is None:
        raise ConfigError(
            "A text cannot be read without a tokenizer. Give tokenizer=, such as "
            "AutoTokenizer.from_pretrained(FOLDER), or the model's folder in place of the model."
        )
    # A string would be taken for a list of its letters.
    against = (instead_of,) if isinstance(instead_of, str) else tuple(instead_of)
    [pixels], _ = ImageInputs(model, transform, VisionModality()).read(image)

    def one(side: nn.Module, data: Any, given: Any, layer: str | None, **reads: Any) -> Attribution:
        iba = InputIBA(side, layer, **reads, **settings)
        if data is not None:
            iba.fit(data)
        return iba.attribute(given, MATCH, seed=seed, progress=progress)[0]

    seen = image_side(model, tokenizer, text, against)
    read = text_side(model, tokenizer, pixels, "the image", against)
    found = one(seen, images, image, image_layer, transform=transform)
    words = one(read, texts, text, text_layer, tokenizer=tokenizer)
    return Pair(found, words, words.gaps)
