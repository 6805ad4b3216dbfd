"""Dual encoders of images and texts (CLIP, SigLIP): with one side fixed, ordinary classifiers."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from input_iba.core.modes import frozen
from input_iba.errors import AttributionError

NOTHING = ""
"""What a text is set against where a model was trained to choose among texts, as CLIP was."""

FILLED = "siglip"
"""Beginning of the kind of encoders of text that read their padding, too, and are to be full."""


def match_scores(model: nn.Module, images: Tensor, texts: Tensor) -> Tensor:
    """Return how well images match texts, by embeddings (B, D) and (n, D): logits (B, n).

    They are s·cos + b, with the model's own scale s and, of SigLIP, bias b.

    References:
        Radford et al. 2021, arXiv:2103.00020, figure 3; Zhai et al. 2023, arXiv:2303.15343,
        algorithm 1.
    """
    dual: Any = model
    images = images.to(torch.promote_types(images.dtype, torch.float32))
    cosines = F.cosine_similarity(images[:, None], texts.to(images)[None], dim=-1)
    bias = getattr(dual, "logit_bias", None)
    scores: Tensor = cosines * dual.logit_scale.to(cosines).exp()
    return scores if bias is None else scores + bias.to(scores)


def match_logit(score: Tensor, others: Tensor) -> Tensor:
    """Return the logit of a match, (B, 1), from its score (B, 1) and others', (B, n) or (1, n).

    With others σ(logit) is the text's share in the softmax of all; without any it is σ(score).

    >>> match_logit(torch.tensor([[2.0]]), torch.tensor([[0.0, 1.0]])).sigmoid()
    tensor([[0.6652]])
    """
    return score - others.logsumexp(1, keepdim=True) if others.shape[1] else score


class ZeroShot(nn.Module):
    """A dual encoder as a classifier of images: a class is a text.

    Args:
        model: A dual encoder of `transformers`; it is borrowed.
        texts: Embeddings of the classes' texts, (n, D).
        names: What the classes are called.
    """

    texts: Tensor

    def __init__(self, model: nn.Module, texts: Tensor, names: Sequence[str]) -> None:
        super().__init__()
        self.model = model
        self.config = _named(model, "vision_config", names)
        self.register_buffer("texts", texts)

    def forward(self, pixel_values: Tensor) -> Tensor:
        """Return logits (B, n) of images (B, C, H, W)."""
        return match_scores(self.model, embed_images(self.model, pixel_values), self.texts)


class ImageSide(ZeroShot):
    """A classifier of images that asks whether they match one text, which stays what it is.

    Args:
        model: A dual encoder of `transformers`; it is borrowed.
        texts: Embeddings of the text, and of those that it is set against: (1 + n, D).
        names: What the others together, and what the text is called.
    """

    def forward(self, pixel_values: Tensor) -> Tensor:
        """Return the logit (B, 1) that images (B, C, H, W) match."""
        scores = super().forward(pixel_values)
        return match_logit(scores[:, :1], scores[:, 1:])


class TextSide(nn.Module):
    """A classifier of texts that asks whether they match one image, which stays what it is.

    Args:
        model: A dual encoder of `transformers`; it is borrowed.
        image: Embedding of the image, (1, D).
        others: Embeddings of the texts that a text is set against, (n, D).
        name: What the image is called.
        tokenizer: That of the model.
    """

    image: Tensor
    others: Tensor

    def __init__(
        self, model: nn.Module, image: Tensor, others: Tensor, name: str, tokenizer: Any
    ) -> None:
        super().__init__()
        self.model = model
        self.config = _named(model, "text_config", ("another image", name))
        self.config.pad_token_id = tokenizer.pad_token_id
        self.name_or_path = tokenizer.name_or_path  # where the tokenizer is
        self.register_buffer("image", image)
        self.register_buffer("others", others)

    def get_input_embeddings(self) -> nn.Module:
        """Return what embeds the words."""
        parts = self.model.get_submodule("text_model").modules()
        # The first is that of the words. Before transformers 5, text models do not say so.
        return next(part for part in parts if isinstance(part, nn.Embedding))

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return the logit (B, 1) that texts (B, T) match."""
        more = self._missing(input_ids.shape[1])
        ids = F.pad(input_ids, (0, more), value=self.config.pad_token_id)
        # What was added is read as part of the text.
        texts = _features(
            self.model, "text", input_ids=ids, attention_mask=None if more else attention_mask
        )
        score = match_scores(self.model, self.image.to(texts), texts).T
        others = match_scores(self.model, self.image.to(texts), self.others)
        return match_logit(score, others)

    def _missing(self, length: int) -> int:
        """Return how many tokens of padding the encoder reads behind texts of some length.

        Where one token both ends and pads texts, the toolkit takes the end for padding.
        """
        room: int = max(self.config.max_position_embeddings - length, 0)
        if _is_filled(self.model):
            return room
        return min(room, 1) if self.config.pad_token_id == self.config.eos_token_id else 0


def embed_images(model: nn.Module, pixel_values: Tensor) -> Tensor:
    """Return the embeddings (B, D) of images (B, C, H, W)."""
    return _features(model, "image", pixel_values=pixel_values)


def embed_texts(model: nn.Module, tokenizer: Any, texts: Sequence[str]) -> Tensor:
    """Return the embeddings (n, D) of texts, which are cut to what the model can read."""
    dual: Any = model
    filled, place = _is_filled(model), dual.logit_scale.device
    if not texts:
        return torch.zeros(0, 1, device=place)
    cut = tokenizer(
        list(texts),
        padding="max_length" if filled else True,
        truncation=True,
        max_length=dual.config.text_config.max_position_embeddings,
        return_tensors="pt",
    ).to(place)
    mask = None if filled else cut["attention_mask"]
    return _features(model, "text", input_ids=cut["input_ids"], attention_mask=mask)


@torch.no_grad()
def image_side(
    model: nn.Module, tokenizer: Any, text: str, instead_of: Sequence[str] = ()
) -> ImageSide:
    """Return a classifier that asks whether images match a text; see `ImageSide`."""
    with frozen(model):
        texts = embed_texts(model, tokenizer, [text, *set_against(model, instead_of)])
        return ImageSide(model, texts, (" or ".join(instead_of) or "another text", text))


@torch.no_grad()
def text_side(
    model: nn.Module, tokenizer: Any, image: Tensor, name: str, instead_of: Sequence[str] = ()
) -> TextSide:
    """Return a classifier that asks whether texts match an image (C, H, W); see `TextSide`."""
    dual: Any = model
    with frozen(model):
        seen = embed_images(model, image[None].to(dual.logit_scale))
        others = embed_texts(model, tokenizer, set_against(model, instead_of))
        return TextSide(model, seen, others, name, tokenizer)


@torch.no_grad()
def zero_shot(
    model: nn.Module, tokenizer: Any, names: Sequence[str], template: str = "{}"
) -> ZeroShot:
    """Return a classifier whose classes are texts, made of their names by a template."""
    with frozen(model):
        texts = embed_texts(model, tokenizer, [template.format(name) for name in names])
        return ZeroShot(model, texts, names)


def check_dual(model: nn.Module) -> None:
    """Refuse what does not embed images and texts alike.

    Raises:
        AttributionError: Says what a dual encoder has and this model lacks.
    """
    parts = ("get_image_features", "get_text_features", "text_model", "logit_scale", "config")
    lacks = [name for name in parts if not hasattr(model, name)]
    if lacks:
        raise AttributionError(
            f"{type(model).__name__} is no dual encoder of images and texts: it has no "
            f"{', '.join(lacks)}. Give a model of transformers such as CLIPModel or SiglipModel."
        )


def set_against(model: nn.Module, instead_of: Sequence[str]) -> Sequence[str]:
    """Return what a text is set against: what is given; else nothing, if the model has a bias.

    Without a bias a score alone says little, so there it is the empty text.
    """
    return instead_of or (() if getattr(model, "logit_bias", None) is not None else (NOTHING,))


def _is_filled(model: nn.Module) -> bool:
    dual: Any = model
    kind: str = dual.config.text_config.model_type
    return kind.startswith(FILLED)


def _features(model: nn.Module, kind: str, **inputs: Tensor | None) -> Tensor:
    """Return embeddings (B, D) of images or texts, as any version of `transformers` has them."""
    returned = getattr(model, f"get_{kind}_features")(**inputs)
    found: Tensor = getattr(returned, "pooler_output", returned)
    return found


def _named(model: nn.Module, part: str, names: Sequence[str]) -> Any:
    """Return a part of a model's configuration, which says what the classes are called."""
    dual: Any = model
    config = deepcopy(getattr(dual.config, part))
    config.id2label = dict(enumerate(names))
    return config
