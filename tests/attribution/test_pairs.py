"""An image and a text together: planted patches and words are found; what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torchvision.transforms.functional import pil_to_tensor, to_pil_image

from input_iba import InputIBA, Pair, explain_pair
from input_iba.attribution import FeatureIBA, InputBottleneck, Preset, SaliencyPrior
from input_iba.drawing.card import draw_card
from input_iba.errors import AttributionError, ConfigError
from input_iba.models.dual_encoder import image_side, text_side
from tests.conftest import Unchanged
from tests.models.dual_encoders import (
    ANY,
    COLOURS,
    KINDS,
    PATCH,
    SIDE,
    picture,
    pictures,
    random_encoder,
    save,
    sentence,
    tokenizer,
    trained_encoder,
)

EACH = 25
"""Images, and texts, of every colour."""

PATCHES = "model.vision_model.embeddings.patch_embedding"
SHORT = Preset(
    FeatureIBA(opt_steps=3, batch_size=2),
    SaliencyPrior(),
    InputBottleneck(opt_steps=3, batch_size=2),
    n_samples=40,
)


def draws(seed: int = 5) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def share_inside(found: Tensor, place: int) -> float:
    """Return which share of the hottest pixels, as many as a patch has, lies inside one."""
    hottest = found.flatten().argsort(descending=True, stable=True)[: PATCH * PATCH]
    patches = hottest // SIDE // PATCH * (SIDE // PATCH) + hottest % SIDE // PATCH
    return (patches == place).double().mean().item()


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_the_planted_patch_is_found_for_a_text(kind: str) -> None:
    net, random = trained_encoder(kind), draws()
    usual, _ = pictures(ANY * 20, random)
    found = 0
    for colour in range(len(COLOURS)):
        images, places = pictures([colour] * EACH, random)
        side = image_side(net, tokenizer(kind), sentence(colour, random)[0])
        records: Sequence[Any] = InputIBA(side, PATCHES).fit(usual).attribute(images, 1)
        assert min(record.target_probability for record in records) > 0.9
        shares = [share_inside(one.map, at) for one, at in zip(records, places, strict=True)]
        found += sum(share >= 0.8 for share in shares)
    assert found >= 95


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_the_planted_word_comes_first_for_an_image(kind: str) -> None:
    net, random = trained_encoder(kind), draws()
    usual = [sentence(colour, random)[0] for colour in ANY * 20]
    found = 0
    for colour in range(len(COLOURS)):
        texts = [sentence(colour, random) for _ in range(EACH)]
        side = text_side(net, tokenizer(kind), picture(colour, 3, random), "the image")
        iba = InputIBA(side, tokenizer=tokenizer(kind)).fit(usual)
        records: Sequence[Any] = iba.attribute([text for text, _ in texts], 1)
        for record, (_, place) in zip(records, texts, strict=True):
            values = [value for _, value in record.words]
            found += max(range(len(values)), key=values.__getitem__) == place
    assert found >= 95


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_one_call_from_a_folder_shows_both(kind: str, tmp_path: Path) -> None:
    folder = save(tmp_path / kind, kind, trained_encoder(kind))
    random = draws()
    image = to_pil_image((picture(2, 5, random) / 2 + 0.5).clamp(0, 1))
    usual: dict[str, Any] = {"images": pictures(ANY * 20, random)[0]}
    usual["texts"] = [sentence(colour, random)[0] for colour in ANY * 20]
    found = explain_pair(folder, image, "a Blue spot, on the wall", image_layer=PATCHES, **usual)
    assert share_inside(found.pixels.map, 5) >= 0.8
    assert max(found.coloured_words(), key=lambda pair: pair[1])[0] == "Blue"
    assert torch.equal(found.pixels.picture, pil_to_tensor(image))  # type: ignore[arg-type]
    html = found._repr_html_()
    assert html.count("<img") == 3
    assert html.count("<span") == len(found.coloured_words())
    assert "a Blue spot, on the wall: " in found.title()
    assert found.title().count("bits") == 2
    figure = draw_card(Figure(), found)
    drawn = [text.get_text() for part in figure.subfigs for text in part.axes[0].texts]
    assert "Blue" in drawn
    found.save(tmp_path / "card.png")
    assert (tmp_path / "card.png").stat().st_size > 10_000


def pair(net: Any, kind: str, text: str = "the red spot", **settings: Any) -> Pair:
    image = torch.randn(3, SIDE, SIDE, generator=draws())
    return explain_pair(
        net, image, text, tokenizer=tokenizer(kind), preset=SHORT, precision="fp32", **settings
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_model_comes_back_as_it_was(kind: str, unchanged: Unchanged) -> None:
    net = random_encoder(kind, layers=4).train()
    config = deepcopy(net.config.to_dict())
    with unchanged(net):
        found = pair(net, kind)
        assert found.pixels.map.shape == (SIDE, SIDE)
        assert [word for word, _ in found.coloured_words()] == ["the", "red", "spot"]
        assert pair(net, kind).pixels.map.equal(found.pixels.map)

        def interrupt(*_: Any, **__: Any) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            pair(net, kind, progress=interrupt)
    assert net.config.to_dict() == config


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_gives_the_maps_of_each_alone(kind: str) -> None:
    net, texts = random_encoder(kind, layers=4), ["red wall", "a big photo of the green spot"]
    ids = ["a", "b"]
    side = text_side(net, tokenizer(kind), torch.ones(3, SIDE, SIDE), "the image", ["a thing"])
    iba = InputIBA(side, tokenizer=tokenizer(kind), preset=SHORT)
    iba.fit([sentence(colour, draws(i))[0] for i, colour in enumerate(ANY * 8)])
    together: Sequence[Any] = iba.attribute(texts, 1, ids=ids)
    for text, name, record in zip(texts, ids, together, strict=True):
        alone = iba.attribute(text, 1, ids=[name])[0]
        assert len(record.words) == len(text.split())
        torch.testing.assert_close(alone.map, record.map, rtol=1e-3, atol=1e-6)
    images = torch.randn(2, 3, SIDE, SIDE, generator=draws())
    pixels = InputIBA(image_side(net, tokenizer(kind), texts[0]), preset=SHORT).fit(images)
    both: Sequence[Any] = pixels.attribute(images, 1, ids=ids)
    for image, name, record in zip(images, ids, both, strict=True):
        alone = pixels.attribute(image, 1, ids=[name])[0]
        torch.testing.assert_close(alone.input_mask, record.input_mask, rtol=0, atol=1e-6)
        torch.testing.assert_close(alone.feature_mask, record.feature_mask, rtol=0, atol=1e-6)
        # The map goes by ranks to the power of 32, and the last bit of a mask may swap neighbours.
        swapped = 1 - (1 - 1 / SIDE**2) ** 32
        assert (alone.map - record.map).abs().max() < 1.01 * swapped * record.map.max()


def test_a_text_is_set_against_others() -> None:
    net = random_encoder("clip", layers=4)
    alone, against = pair(net, "clip"), pair(net, "clip", instead_of="a blue spot")
    assert alone.pixels.target_probability != against.pixels.target_probability
    assert list(against.pixels.class_names) == ["a blue spot", "the red spot"]
    both = [against.pixels.target_probability, against.words.target_probability]
    assert both[0] == pytest.approx(both[1], abs=1e-5)  # one question, asked of both


def test_what_is_missing_is_named() -> None:
    with pytest.raises(ConfigError, match="Give tokenizer="):
        explain_pair(random_encoder("clip"), torch.zeros(3, SIDE, SIDE), "a spot")
    with pytest.raises(AttributionError, match="Linear is no dual encoder"):
        explain_pair(nn.Linear(2, 2), torch.zeros(3, 8, 8), "a spot", tokenizer=tokenizer("clip"))
