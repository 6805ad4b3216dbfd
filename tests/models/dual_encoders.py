"""Tiny CLIP and SigLIP with a tokenizer: random ones, and ones that know colours; no downloads."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from torch import Tensor, nn
from transformers import (
    CLIPConfig,
    CLIPImageProcessor,
    CLIPModel,
    PreTrainedTokenizerFast,
    SiglipConfig,
    SiglipImageProcessor,
    SiglipModel,
)

KINDS = ("clip", "siglip")
SIDE, PATCH, TOKENS = 48, 12, 16
"""Pixels per side of an image and of a patch, and most tokens of a text."""

COLOURS = {
    "red": (1.0, -1.0, -1.0),
    "green": (-1.0, 1.0, -1.0),
    "blue": (-1.0, -1.0, 1.0),
    "yellow": (1.0, 1.0, -1.0),
}
UNSEEN = ("dog", "cat", "sofa")
"""Words that no encoder here was trained on."""

FILLERS = ("a", "photo", "of", "the", "big", "old", "spot", "on", "wall", "and", "some", "thing")


def tokenizer(kind: str) -> PreTrainedTokenizerFast:
    """Return one of whole words, which ends and pads texts by the same token, as theirs do."""
    first = {"clip": ["<start>"], "siglip": []}[kind]
    words = [*first, "<end>", "<unknown>", *COLOURS, *FILLERS, *UNSEEN]
    ids = {word: i for i, word in enumerate(words)}
    cuts = Tokenizer(models.WordLevel(ids, unk_token="<unknown>"))
    cuts.normalizer = normalizers.Lowercase()
    cuts.pre_tokenizer = pre_tokenizers.Whitespace()
    cuts.post_processor = processors.TemplateProcessing(
        single=" ".join([*first, "$A", "<end>"]),
        special_tokens=[(word, ids[word]) for word in [*first, "<end>"]],
    )
    made: PreTrainedTokenizerFast = PreTrainedTokenizerFast(
        tokenizer_object=cuts,
        model_max_length=TOKENS,
        unk_token="<unknown>",
        eos_token="<end>",
        pad_token="<end>",
        **({"bos_token": first[0]} if first else {}),
    )
    return made


def random_encoder(kind: str, seed: int = 0, layers: int = 2) -> Any:
    """Return a tiny dual encoder, in eval mode."""
    torch.manual_seed(seed)
    cuts = tokenizer(kind)
    sizes = {"hidden_size": 32, "num_hidden_layers": layers, "num_attention_heads": 2}
    sizes["intermediate_size"] = 64
    vision = {**sizes, "image_size": SIDE, "patch_size": PATCH}
    text = {
        **sizes,
        "vocab_size": len(cuts),
        "max_position_embeddings": TOKENS,
        "pad_token_id": cuts.pad_token_id,
        "bos_token_id": cuts.bos_token_id,
        "eos_token_id": cuts.eos_token_id,
    }
    if kind == "siglip":
        text["projection_size"] = sizes["hidden_size"]
        config: Any = SiglipConfig(text_config=text, vision_config=vision)
        return SiglipModel(config).eval()
    return CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=32)).eval()


def picture(colour: int | None, place: int, draws: torch.Generator) -> Tensor:
    """Return an image (3, H, W) of noise with one patch of a colour, or none."""
    image = 0.5 * torch.randn(3, SIDE, SIDE, generator=draws)
    if colour is not None:
        row, column = (PATCH * number for number in divmod(place, SIDE // PATCH))
        patch = torch.tensor(list(COLOURS.values())[colour])[:, None, None]
        image[:, row : row + PATCH, column : column + PATCH] = patch
    return image


def pictures(colours: Sequence[int | None], draws: torch.Generator) -> tuple[Tensor, list[int]]:
    """Return images (S, 3, H, W) of these colours, and which patch has each."""
    places = torch.randint((SIDE // PATCH) ** 2, (len(colours),), generator=draws).tolist()
    made = [picture(colour, at, draws) for colour, at in zip(colours, places, strict=True)]
    return torch.stack(made), places


def sentence(colour: int | None, draws: torch.Generator, words: int = 6) -> tuple[str, int]:
    """Return a text with one word of a colour, or none, and where in it the word is."""
    drawn = [FILLERS[i] for i in torch.randint(len(FILLERS), (words,), generator=draws).tolist()]
    place = int(torch.randint(max(words, 1), (1,), generator=draws))
    if colour is not None:
        drawn[place] = list(COLOURS)[colour]
    return " ".join(drawn), place


ANY: tuple[int | None, ...] = (*range(len(COLOURS)), None)
"""Every colour, and none."""


@lru_cache
def trained_encoder(kind: str, steps: int = 250) -> Any:
    """Return a dual encoder for which a text matches an image if they name one colour, or none."""
    net, cuts = random_encoder(kind), tokenizer(kind)
    net.logit_scale.data.fill_(2.3)
    optimiser = torch.optim.Adam(net.parameters(), lr=2e-3)
    draws = torch.Generator().manual_seed(1)
    colours, labels = ANY * 8, torch.arange(len(ANY)).repeat(8)
    same = (labels[:, None] == labels[None]).float()
    for step in range(steps):
        words = [int(n) for n in torch.randint(1, 9, (len(labels),), generator=draws)]
        words[-1] = step % 2  # sometimes an empty text
        texts = [sentence(c, draws, n)[0] for c, n in zip(colours, words, strict=True)]
        cut = cuts(texts, padding="max_length", max_length=TOKENS, return_tensors="pt")
        pixels, _ = pictures(colours, draws)
        scores = net(input_ids=cut["input_ids"], pixel_values=pixels).logits_per_image
        if kind == "siglip":
            loss = nn.functional.binary_cross_entropy_with_logits(scores, same)
        else:
            likely = scores.log_softmax(0) + scores.log_softmax(1)
            loss = -(likely * same).sum() / same.sum()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return net


def save(folder: Path, kind: str, net: nn.Module | None = None) -> Path:
    """Write a dual encoder, its tokenizer and what prepares its images into a folder."""
    made: Any = random_encoder(kind) if net is None else net
    made.save_pretrained(folder)
    tokenizer(kind).save_pretrained(folder)
    how: dict[str, Any] = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    if kind == "siglip":
        prepares: Any = SiglipImageProcessor(size={"height": SIDE, "width": SIDE}, **how)
    else:
        sides = {"crop_size": {"height": SIDE, "width": SIDE}, "size": {"shortest_edge": SIDE}}
        prepares = CLIPImageProcessor(**sides, **how)
    prepares.save_pretrained(folder)
    return folder
