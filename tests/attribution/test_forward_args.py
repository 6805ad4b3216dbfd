"""Networks with several inputs: one is masked, the others are passed along."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import pytest
import torch
from torch import Tensor, nn

import input_iba
from input_iba.attribution import Attributor, FeatureIBA, InputBottleneck, SaliencyPrior
from input_iba.attribution.methods import GradCam, IntegratedGradients, MethodAttributor, Occlusion
from input_iba.errors import AttributionError
from input_iba.records import Attribution, Failure
from tests.attribution.shapes import Mean, planted, train
from tests.attribution.test_shapes import inside, maps
from tests.conftest import Unchanged


class Asked(nn.Module):
    """Tells whether a burst is bright or dark; the second input says which answer means which.

    The other inputs are read before the layer and behind it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.maps = nn.Sequential(nn.Conv1d(1, 8, 3, padding=1), nn.ReLU())
        self.last = nn.Sequential(nn.Conv1d(8, 8, 3, padding=1), nn.ReLU())
        self.head = nn.Sequential(Mean(), nn.Linear(8, 3))

    def forward(self, x: Tensor, swapped: Tensor, scale: float = 1.0, how: str = "none") -> Tensor:
        assert how == "flip", how
        logits: Tensor = self.head(self.last(self.maps(x * scale)))
        turned = torch.cat([logits[:, :2].flip(1), logits[:, 2:]], 1)
        swapped += 0  # what is written in place is not the caller's
        return torch.where(swapped[:, None] > 0, turned, logits)


def questions(count: int, seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return signals, whether answers are swapped, the classes, and where the bursts are."""
    inputs, classes, places = planted(count, 1, seed)
    swapped = torch.arange(count) % 2
    return inputs, swapped, torch.where(swapped > 0, 1 - classes, classes), places


@cache
def trained() -> Asked:
    torch.manual_seed(0)
    net = Asked()
    inputs, swapped, classes, _ = questions(192, seed=0)
    noise = 0.5 * torch.randn(64, 1, 64)
    both = torch.cat([inputs, noise]), torch.cat([swapped, torch.zeros(64, dtype=torch.int64)])
    wrapped = Named(net)
    train(wrapped, *both, classes=torch.cat([classes, torch.full((64,), 2)]))
    return net.eval()


class Named(nn.Module):
    """Gives the arguments that are no tensors."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor, swapped: Tensor) -> Tensor:
        logits: Tensor = self.net(x, swapped.clone(), 1.0, "flip")
        return logits


def others(swapped: Tensor) -> tuple[object, ...]:
    return (swapped, torch.tensor(1.0), "flip")


def test_the_burst_is_found_whatever_is_passed_along() -> None:
    inputs, swapped, classes, places = questions(100, seed=1)
    usual, usually, _, _ = questions(192, seed=0)
    iba = input_iba.InputIBA(trained(), layer="last")
    iba.fit(usual, additional_forward_args=others(usually))
    found = iba.attribute(inputs, additional_forward_args=others(swapped))
    assert [record.prediction for record in found] == classes.tolist()
    first, many = inside(found.maps, places)
    assert first.mean() >= 0.95
    assert many.mean() >= 0.8


def small() -> Attributor:
    attributor = Attributor(
        Asked().double(),
        "last",
        feature_iba=FeatureIBA(opt_steps=2, batch_size=2),
        prior=SaliencyPrior(),
        input_iba=InputBottleneck(opt_steps=2, batch_size=2),
    )
    inputs, swapped, _, _ = questions(6, seed=0)
    attributor.estimate(torch.split(inputs.double(), 4), 5, others(swapped))
    return attributor


def test_every_sample_keeps_its_own_arguments_in_any_batch(unchanged: Unchanged) -> None:
    attributor = small()
    inputs, swapped, _, _ = questions(3, seed=2)
    inputs, names = inputs.double(), ["a", "b", "c"]
    before = swapped.clone()
    with unchanged(attributor.model):
        together = maps(explained(attributor, inputs, swapped, names))
        turned = maps(explained(attributor, inputs.flip(0), swapped.flip(0), names[::-1]))
    torch.testing.assert_close(turned.flip(0), together, rtol=1e-7, atol=1e-9)
    for i, name in enumerate(names):
        [alone] = maps(explained(attributor, inputs[i : i + 1], swapped[i : i + 1], [name]))
        torch.testing.assert_close(alone, together[i], rtol=1e-7, atol=1e-9)
    other = maps(explained(attributor, inputs, 1 - swapped, names))
    assert not torch.allclose(other, together)
    assert torch.equal(before, swapped)


def explained(
    attributor: Attributor, inputs: Tensor, swapped: Tensor, names: Sequence[str]
) -> list[Attribution | Failure]:
    given = others(swapped)
    return attributor.attribute(inputs, 0, ids=names, additional_forward_args=given)


def test_one_call_without_a_layer_or_usual_inputs() -> None:
    inputs, swapped, classes, places = questions(8, seed=3)
    found = input_iba.explain(trained(), inputs, additional_forward_args=others(swapped))
    assert [record.prediction for record in found] == classes.tolist()
    assert inside(found.maps, places)[0].mean() >= 0.7


@pytest.mark.parametrize("method", [IntegratedGradients(), Occlusion(), GradCam(layer="last")])
def test_other_methods_pass_them_along_too(method: object) -> None:
    inputs, swapped, _, places = questions(8, seed=3)
    attributor = MethodAttributor(trained(), method)  # type: ignore[arg-type]
    found = attributor.attribute(inputs, additional_forward_args=others(swapped))
    heats = torch.stack([record.map for record in found if not isinstance(record, Failure)])
    assert inside(heats, places)[0].mean() >= 0.7


def test_too_few_rows_are_refused_by_name() -> None:
    inputs, swapped, _, _ = questions(3, seed=2)
    said = r"additional_forward_args\[0\] has shape \(2,\) for 3 inputs; expected one row for each"
    with pytest.raises(AttributionError, match=said):
        small().attribute(inputs.double(), 0, additional_forward_args=others(swapped[:2]))


def test_without_them_the_remedy_names_them() -> None:
    with pytest.raises(AttributionError, match="additional_forward_args=, or explain a module"):
        Attributor(Asked(), "last").estimate([torch.randn(2, 1, 64)])
