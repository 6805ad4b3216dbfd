"""Dual encoders with one side fixed answer as the models themselves do, and come back unchanged."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from input_iba.errors import AttributionError, CheckpointError, ConfigError
from input_iba.models import build_classifier
from input_iba.models.dual_encoder import (
    NOTHING,
    check_dual,
    image_side,
    match_logit,
    text_side,
    zero_shot,
)
from input_iba.models.dual_source import class_texts, is_dual_encoder
from input_iba.models.prepared import named_folder, transform_of
from tests.conftest import Unchanged
from tests.models.dual_encoders import KINDS, SIDE, TOKENS, random_encoder, save, tokenizer
from tests.models.tiny_bert import save_tiny_bert

TEXTS = ["a red spot", "the old wall and a green spot", "blue"]


def pixels(count: int = 3) -> Tensor:
    return torch.randn(count, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))


def own_scores(net: Any, kind: str, texts: list[str], images: Tensor) -> Tensor:
    """Return what the model itself says, with texts padded to their full length: (B, n)."""
    cut = tokenizer(kind)(texts, padding="max_length", max_length=TOKENS, return_tensors="pt")
    with torch.no_grad():
        scores: Tensor = net(input_ids=cut["input_ids"], pixel_values=images).logits_per_image
    return scores


def own_match(net: Any, kind: str, text: str, images: Tensor, others: list[str]) -> Tensor:
    """Return the probability of a match by its definition, (B,)."""
    scores = own_scores(net, kind, [text, *others], images)
    return scores.softmax(1)[:, 0] if others else scores[:, 0].sigmoid()


@pytest.mark.parametrize("instead_of", [[], ["a blue thing"], ["a wall", "some thing"]], ids=len)
@pytest.mark.parametrize("kind", KINDS)
def test_both_sides_say_what_the_model_says(kind: str, instead_of: list[str]) -> None:
    net, cuts = random_encoder(kind), tokenizer(kind)
    others = instead_of or ([NOTHING] if kind == "clip" else [])
    expected = own_match(net, kind, TEXTS[1], pixels(), others)
    side = image_side(net, cuts, TEXTS[1], instead_of).eval()
    with torch.no_grad():
        torch.testing.assert_close(side(pixels()).sigmoid()[:, 0], expected)
        for image, probability in zip(pixels(), expected, strict=True):
            ids = cuts([TEXTS[1]], return_tensors="pt")["input_ids"]
            words = text_side(net, cuts, image, "the image", instead_of).eval()
            found = words(ids, torch.ones_like(ids)).sigmoid()[0, 0]
            torch.testing.assert_close(found, probability)
            # The toolkit takes the token that ends a text for padding, where it is both.
            ended = words(ids[:, :-1], torch.ones_like(ids[:, :-1])).sigmoid()[0, 0]
            torch.testing.assert_close(ended, probability)


@pytest.mark.parametrize("kind", KINDS)
def test_texts_of_a_batch_are_read_as_alone(kind: str) -> None:
    net, cuts = random_encoder(kind), tokenizer(kind)
    side = text_side(net, cuts, pixels(1)[0], "the image").eval()
    batch = cuts(TEXTS, padding=True, return_tensors="pt")
    with torch.no_grad():
        together = side(batch["input_ids"], batch["attention_mask"])
        for text, found in zip(TEXTS, together, strict=True):
            alone = cuts([text], return_tensors="pt")
            torch.testing.assert_close(side(alone["input_ids"], alone["attention_mask"])[0], found)


@pytest.mark.parametrize("kind", KINDS)
def test_zero_shot_logits_are_the_scores_of_the_prompts(kind: str) -> None:
    net, names = random_encoder(kind), ["red", "green wall"]
    side = zero_shot(net, tokenizer(kind), names, "a photo of a {}").eval()
    expected = own_scores(net, kind, [f"a photo of a {name}" for name in names], pixels())
    with torch.no_grad():
        torch.testing.assert_close(side(pixels()), expected)
    assert list(side.config.id2label.values()) == names


@pytest.mark.parametrize("kind", KINDS)
def test_the_model_is_borrowed(kind: str, unchanged: Unchanged) -> None:
    net, cuts = random_encoder(kind).train(), tokenizer(kind)
    config = deepcopy(net.config)
    with unchanged(net):
        image_side(net, cuts, TEXTS[0])
        text_side(net, cuts, pixels(1)[0], "the image")
        zero_shot(net, cuts, TEXTS)
        with pytest.raises((ValueError, RuntimeError)):
            text_side(net, cuts, torch.zeros(3, 7, 7), "the image")
    assert net.config.to_dict() == config.to_dict()


@pytest.mark.parametrize("kind", KINDS)
def test_half_precision_is_kept_out_of_the_scores(kind: str) -> None:
    """With a scale of 100, a cosine in eight bits would be off by some tenths."""
    net, cuts = random_encoder(kind), tokenizer(kind)
    net.logit_scale.data.fill_(4.6)
    exact = image_side(net, cuts, TEXTS[0], [TEXTS[1]]).eval()(pixels())
    half = net.to(torch.bfloat16)
    side = image_side(half, cuts, TEXTS[0], [TEXTS[1]]).eval()
    found = side(pixels().bfloat16())
    assert found.dtype == torch.float32
    assert (found - exact).abs().max() < 1.5


@given(st.lists(st.floats(-30, 30), min_size=1, max_size=5), st.floats(-30, 30))
def test_a_match_is_the_share_in_the_softmax(others: list[float], score: float) -> None:
    row, one = torch.tensor([others], dtype=torch.float64), torch.tensor([[score]]).double()
    expected = torch.cat([one, row], 1).softmax(1)[:, :1]
    torch.testing.assert_close(match_logit(one, row).sigmoid(), expected)


def test_other_models_are_refused() -> None:
    with pytest.raises(AttributionError, match=r"Linear is no dual encoder .* get_image_features"):
        check_dual(nn.Linear(2, 2))


@pytest.mark.parametrize("kind", KINDS)
def test_classifiers_of_configs_are_those_of_python(kind: str, tmp_path: Path) -> None:
    net = random_encoder(kind)
    folder = str(save(tmp_path / kind, kind, net))
    cfg = {"source": "transformers", "type": folder, "pretrained": True}
    (tmp_path / "classes.txt").write_text("red\n\ngreen wall\n")
    built = build_classifier({**cfg, "classes": str(tmp_path / "classes.txt"), "template": "a {}"})
    expected = zero_shot(net, tokenizer(kind), ["red", "green wall"], "a {}").eval()
    with torch.no_grad():
        torch.testing.assert_close(built(pixels()), expected(pixels()))
        asked = build_classifier({**cfg, "text": TEXTS[0], "instead_of": [TEXTS[1]]})
        own = image_side(net, tokenizer(kind), TEXTS[0], [TEXTS[1]]).eval()
        torch.testing.assert_close(asked(pixels()), own(pixels()))


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({}, "Give --image and --text together .* got none"),
        ({"text": "a", "classes": ["a", "b"]}, "got text and classes"),
        ({"classes": ["a"]}, "Two classes or more"),
        ({"classes": "nowhere.txt"}, "Give a text file with one class a line"),
        ({"image": "nowhere.png"}, "'nowhere.png' cannot be read"),
    ],
)
def test_what_is_asked_must_be_said(keys: dict[str, Any], said: str, tmp_path: Path) -> None:
    folder = save(tmp_path / "clip", "clip")
    with pytest.raises(ConfigError, match=said):
        build_classifier(
            {"source": "transformers", "type": str(folder), "pretrained": True, **keys}
        )


def test_dual_encoders_are_told_from_others(tmp_path: Path) -> None:
    folders = [str(save(tmp_path / kind, kind)) for kind in KINDS]
    bert = str(save_tiny_bert(tmp_path / "bert"))
    assert [is_dual_encoder(folder) for folder in [*folders, bert]] == [True, True, False]
    with pytest.raises(CheckpointError, match="Nothing could be loaded"):
        is_dual_encoder(str(tmp_path))
    with pytest.raises((AttributionError, CheckpointError), match=r"no dual encoder|no trained"):
        build_classifier(
            {"source": "transformers", "type": bert, "pretrained": True, "text": "a film"}
        )


@pytest.mark.parametrize("kind", KINDS)
def test_images_are_prepared_as_the_folder_says(kind: str, tmp_path: Path) -> None:
    from PIL import Image

    folder = str(save(tmp_path / kind, kind))
    made = transform_of(named_folder(folder))(Image.new("L", (96, 60), 255))
    torch.testing.assert_close(made, torch.ones(3, SIDE, SIDE))
    named = named_folder(folder)
    assert (named.size, named.shorter, named.crop) == (SIDE, SIDE, kind == "clip")
    assert named.mean == named.std == [0.5] * 3


def test_a_list_of_classes_is_taken_as_it_is() -> None:
    assert class_texts(["a dog", "a cat"]) == ["a dog", "a cat"]
