"""Classifiers as people have them: half precision, wrapped, in no_grad, with odd returns."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import input_iba
from input_iba.attribution import Attributor, FeatureIBA, InputBottleneck, SaliencyPrior
from input_iba.attribution.methods import Gradient, MethodAttributor
from input_iba.errors import AttributionError, ConfigError
from input_iba.modality import TextModality
from input_iba.records import Attribution


class Corner(nn.Module):
    """Tells by the brightness of the upper left quarter that an image is of class 1 of 3."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.fc = nn.Linear(8, 3)
        nn.init.uniform_(self.conv.weight, 0, 0.1)
        self.fc.weight.data = torch.tensor([-1.0, 1.0, 0.0])[:, None].expand(3, 8).clone()

    def embedding(self, x: Tensor) -> Tensor:
        features: Tensor = self.conv(x)
        return features.relu()[..., :8, :8].mean((2, 3))

    def forward(self, x: Tensor) -> Any:
        return self.fc(self.embedding(x))


class Both(Corner):
    def forward(self, x: Tensor) -> Any:
        embedding = self.embedding(x)
        return embedding, self.fc(embedding)


def images(count: int = 2) -> Tensor:
    """Return images whose upper left quarter is bright in every second."""
    noise = torch.randn(count, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    noise[::2, :, :8, :8] += 1
    return noise


def explain(
    net: nn.Module, x: Tensor, targets: Any = None, layer: str = "conv", **settings: Any
) -> list[Attribution]:
    made = Attributor(
        *(net, layer),
        feature_iba=FeatureIBA(opt_steps=5, batch_size=4),
        prior=SaliencyPrior(),
        input_iba=InputBottleneck(opt_steps=10, batch_size=4),
        **settings,
    )
    made.estimate([images(16).to(x)])
    found = made.attribute(x, targets)
    assert all(isinstance(record, Attribution) for record in found), found
    return [record for record in found if isinstance(record, Attribution)]


@pytest.mark.parametrize("weights", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("inputs", [torch.float32, torch.float64, torch.bfloat16])
def test_any_floating_point_type_gives_the_map_of_float32(
    weights: torch.dtype, inputs: torch.dtype
) -> None:
    expected, _ = explain(Corner(), images())
    found, _ = explain(Corner().to(weights), images().to(inputs))
    both_double = weights == inputs == torch.float64
    assert found.input_mask.dtype == (torch.float64 if both_double else torch.float32)
    assert found.prediction == expected.prediction
    assert (found.input_mask - expected.input_mask).abs().max() < 0.02
    # Not 256 values of bfloat16, among which most pixels would tie.
    assert torch.unique(found.input_mask).numel() > 200


@pytest.mark.parametrize("weights", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("inputs", [None, torch.float32])
def test_two_lines_explain_a_network_in_any_floating_point_type(
    weights: torch.dtype, inputs: torch.dtype | None
) -> None:
    # The layer is chosen, and the statistics are of views of the images.
    exact, other = input_iba.InputIBA(Corner()), input_iba.InputIBA(Corner().to(weights))
    expected = exact.attribute(images(1), 1).maps
    found = other.attribute(images(1).to(inputs or weights), 1).maps
    assert other.layer == exact.layer == "conv"
    assert (found - expected).abs().max() < 0.02 * expected.max()


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_a_callers_block_without_gradients_changes_nothing(
    context: Callable[[], AbstractContextManager[None]],
) -> None:
    net, gradient = Corner(), MethodAttributor(Corner(), Gradient())
    expected, by_gradient = explain(net, images()), gradient.attribute(images())
    with context():
        found = explain(net, images())
        again = gradient.attribute(images())
        assert not torch.is_grad_enabled()
    made_inside = explain(net, images())
    for one, other, third in zip(expected, found, made_inside, strict=True):
        assert torch.equal(one.input_mask, other.input_mask)
        assert torch.equal(one.input_mask, third.input_mask)
    assert torch.equal(again[0].input_mask, by_gradient[0].input_mask)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "wrap",
    [
        lambda net: (nn.DataParallel(net), "module.conv"),
        lambda net: (torch.compile(net, backend="eager"), "_orig_mod.conv"),
        lambda net: (torch.compile(net, backend="eager"), "conv"),
    ],
    ids=["parallel", "compiled", "compiled, own name"],
)
def test_a_map_does_not_depend_on_what_wraps_the_network(wrap: Any) -> None:
    expected = explain(Corner(), images())
    net, layer = wrap(Corner())
    for one, other in zip(expected, explain(net, images(), layer=layer), strict=True):
        assert torch.equal(one.input_mask, other.input_mask)


def test_the_logits_are_asked_for_where_an_embedding_could_be_meant() -> None:
    with pytest.raises(AttributionError, match="output="):
        explain(Both(), images())
    for output in (1, lambda returned: returned[1]):
        found = explain(Both(), images(), [1, 2], output=output)
        for one, other in zip(explain(Corner(), images(), [1, 2]), found, strict=True):
            assert torch.equal(one.input_mask, other.input_mask)
    with pytest.raises(AttributionError, match="output="):
        MethodAttributor(Both(), Gradient()).attribute(images())


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        (1, [1, 1]),
        (torch.tensor(2), [2, 2]),
        (np.int64(2), [2, 2]),
        (np.array([0, 2]), [0, 2]),
        ([torch.tensor(0), 2], [0, 2]),
        ("cat", [1, 1]),
        (["dog", "cat"], [2, 1]),
        ([2, None], [2, "prediction"]),
        ([None, "dog"], ["prediction", 2]),
        ([lambda logits: -logits[:, 1], 2], [None, 2]),
    ],
)
def test_targets_in_every_form(targets: Any, expected: list[Any]) -> None:
    found = explain(Corner(), images(), targets, class_names=["bird", "cat", "dog"])
    wanted = [
        r.prediction if e == "prediction" else e for r, e in zip(found, expected, strict=True)
    ]
    assert [record.target for record in found] == wanted
    same_index = explain(Corner(), images(), [0 if one is None else one for one in wanted])
    for one, other, label in zip(found, same_index, wanted, strict=True):
        assert label is None or torch.equal(one.input_mask, other.input_mask)


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ("catt", "'catt' does not exist.*Closest: 'cat'.*Known: bird, cat, dog"),
        (3, "class 3 does not exist: the classifier has classes 0 to 2"),
        ([True, 1], "class index, a class name"),
        ([0.5, 1], "class index, a class name"),
        (1.0, "Expected one target|class index"),
    ],
)
def test_targets_that_mean_nothing(targets: Any, message: str) -> None:
    with pytest.raises((ConfigError, TypeError), match=message):
        explain(Corner(), images(), targets, class_names=["bird", "cat", "dog"])


def test_class_names_are_needed_for_names() -> None:
    with pytest.raises(ConfigError, match=r"No class names are known\..*class_names="):
        explain(Corner(), images(), "cat")


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.zeros(3, 16, 16), r"Give x\[None\]"),
        (torch.zeros(2, 3, 16, 16, dtype=torch.uint8), "normalised floating-point.*uint8"),
    ],
)
def test_images_of_another_form_are_refused(x: Tensor, message: str) -> None:
    made = Attributor(Corner(), "conv")
    with pytest.raises(AttributionError, match=message):
        made.estimate([x])


def test_the_first_passes_cost_no_more_than_a_batch_of_statistics() -> None:
    net, rows = Corner(), list[int]()
    made = Attributor(net, "conv")
    with net.conv.register_forward_pre_hook(lambda _, args: rows.append(len(args[0]))):
        made.estimate([images(16), images(16)])
    assert sum(rows) - 2 * 16 <= 16


class Leaking(nn.Module):
    """Counts padding as words: its mean is over all positions, unless it heeds the lengths."""

    def __init__(self, heeds: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embed = nn.Embedding(20, 6)
        self.mix = nn.Linear(6, 6)
        self.fc = nn.Linear(6, 2)
        self.heeds = heeds

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        hidden = self.mix(self.embed(ids)).tanh()
        valid = torch.arange(ids.shape[1]) < lengths[:, None]
        if not self.heeds:
            valid = torch.ones_like(valid)
        mean = (hidden * valid[..., None]).sum(1) / valid.sum(1, keepdim=True)
        logits: Tensor = self.fc(mean) * 5
        return logits


@pytest.mark.parametrize("method", ["own", "gradient"])
def test_a_classifier_that_reads_padding_is_told_so_and_explained_one_by_one(
    method: str, caplog: pytest.LogCaptureFixture
) -> None:
    texts = torch.tensor([[5, 6, 7, 8, 9, 3, 4, 2], [10, 11, 12, 1, 1, 1, 1, 1]])

    def made(heeds: bool) -> Any:
        if method == "gradient":
            return MethodAttributor(Leaking(heeds), Gradient(), modality=TextModality())
        own = Attributor(
            *(Leaking(heeds), "mix"),
            feature_iba=FeatureIBA(opt_steps=3, batch_size=2),
            prior=SaliencyPrior(),
            input_iba=InputBottleneck(opt_steps=3, batch_size=2),
            modality=TextModality(),
        )
        own.estimate([texts, texts])
        return own

    with caplog.at_level(logging.WARNING):
        made(heeds=True).attribute(texts)
        assert "padded" not in caplog.text
        leaking = made(heeds=False)
        together = leaking.attribute(texts, [1, 0], ids=["long", "short"])
    assert "answers otherwise when a text is padded" in caplog.text
    [alone] = leaking.attribute(texts[1:, :3], [0], ids=["short"])
    assert torch.equal(together[1].input_mask, alone.input_mask)
    assert together[1].target_probability == alone.target_probability
