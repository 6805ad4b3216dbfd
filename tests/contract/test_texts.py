"""Every family of transformers: a layer's features move most where the text was changed."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from input_iba.attribution import Attributor, FeatureIBA, InputBottleneck, SaliencyPrior
from input_iba.core.tap import TappedClassifier
from input_iba.modality import TextModality
from input_iba.records import Attribution
from tests.contract.family import Family
from tests.contract.forms import compiled
from tests.contract.texts import FIRST, LAST, PAD, TEXTS, WORDS

LENGTH = 8
QUICK = ("Bert",)
"""Families that are tried in the quick loop."""


TRIGRAMS = ("MobileBert",)
"""Families whose embeddings are of three tokens: the one before or after may move as much."""


UNPADDED = ("FNet",)
"""Families that read padding as text, whatever the mask says."""


class Mine(nn.Module):
    """A user's module that hands on ids and mask, and returns the logits or what holds them."""

    def __init__(self, backbone: nn.Module, logits: bool) -> None:
        super().__init__()
        self.backbone = backbone
        self.logits = logits

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Any:
        output = self.backbone(input_ids, attention_mask=attention_mask)
        return output.logits if self.logits else output


FORMS: dict[str, tuple[str, Callable[[nn.Module], nn.Module]]] = {
    "plain": ("", lambda net: net),
    "in a module": ("backbone.", lambda net: Mine(net, logits=False)),
    "logits of a module": ("backbone.", lambda net: Mine(net, logits=True)),
    "compiled": ("_orig_mod.", compiled),
}

ROWS = [
    pytest.param(
        family, layer, id=f"{name}: {layer}", marks=() if name in QUICK else pytest.mark.slow
    )
    for name, family in TEXTS.items()
    for layer in family.layers
]


@lru_cache(maxsize=2)
def network(name: str) -> nn.Module:
    return TEXTS[name].make()


def texts(count: int, shorter: int = 0) -> Tensor:
    """Return token ids (count, LENGTH); every second text has some tokens of padding."""
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(5, WORDS, (count, LENGTH), generator=generator)
    ids[:, 0], ids[:, -1] = FIRST, LAST
    if shorter:
        ids[1::2, -shorter - 1], ids[1::2, -shorter:] = LAST, PAD
    return ids


def formed(name: str, form: str) -> tuple[str, nn.Module, TextModality]:
    """Return how layers' names begin, a family in a form, and how texts enter it."""
    net = network(name)
    prefix, wrap = FORMS[form]
    names = {id(module): found for found, module in net.named_modules()}
    embedding = prefix + names[id(net.get_input_embeddings())]  # type: ignore[operator]
    given = embedding if "module" in form else None
    return prefix, wrap(net), TextModality(PAD, [FIRST, LAST], embedding=given)


def tapped(net: nn.Module, layer: str, modality: TextModality) -> TappedClassifier:
    wrapping = modality.wrapping(net, layer, "output")
    return TappedClassifier(net, layer, wrapping=wrapping, run=modality.run)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("family", "layer"), ROWS)
def test_features_move_where_the_text_is_changed(family: Family, layer: str, form: str) -> None:
    prefix, net, modality = formed(family.name, form)
    words = range(1, LENGTH - 1)
    with torch.no_grad():
        tap = tapped(net, prefix + layer, modality)
        embeddings, tokens = modality.enter(tap.model, texts(1).repeat(1 + len(words), 1))
        generator = torch.Generator().manual_seed(1)
        for text, word in zip(embeddings[1:], words, strict=True):
            text[word] += 2 * torch.randn(text[word].shape, generator=generator)
        features = tap.features(embeddings, tokens)
        assert features.shape[:2] == (1 + len(words), LENGTH)
        moved = (features[1:] - features[:1]).abs().sum(2)[:, list(words)]
        away = (moved.argmax(0) - torch.arange(len(words))).abs()
        assert int(away.max()) <= (family.name in TRIGRAMS), away.tolist()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("family", "layer"), ROWS)
def test_features_go_back_in_and_are_explained(family: Family, layer: str, form: str) -> None:
    prefix, net, modality = formed(family.name, form)
    ids = texts(4, shorter=0 if family.name in UNPADDED else 2)
    with torch.no_grad():
        tap = tapped(net, prefix + layer, modality)
        embeddings, tokens = modality.enter(tap.model, ids)
        same = tap.logits_with(embeddings, tap.features(embeddings, tokens), tokens)
        mask = (ids != PAD).long()
        torch.testing.assert_close(same, network(family.name)(ids, attention_mask=mask).logits)
    attributor = Attributor(
        net,
        prefix + layer,
        modality=modality,
        feature_iba=FeatureIBA(opt_steps=2, batch_size=2),
        prior=SaliencyPrior(),
        input_iba=InputBottleneck(opt_steps=2, batch_size=2),
    )
    attributor.estimate([ids])
    for record, text in zip(attributor.attribute(ids[:2], [1, 1]), ids, strict=False):
        assert isinstance(record, Attribution), record
        assert len(record.input_mask) == len(record.feature_mask)
        assert len(record.input_mask) in (int((text != PAD).sum()), LENGTH)
