"""Several inputs masked together: the one that matters has the bits, and a map of its own shape."""

from __future__ import annotations

from functools import cache

import pytest
import torch
from torch import Tensor, nn

import input_iba
from input_iba.attribution import FeatureIBA, InputBottleneck, Preset, SaliencyPrior, WGANPrior
from input_iba.attribution.methods import Gradient, MethodAttributor
from input_iba.errors import AttributionError, ConfigError, DataError
from input_iba.modality.several import SeveralModality
from tests.attribution.shapes import Mean, planted, train
from tests.attribution.test_shapes import inside
from tests.conftest import Unchanged


class Two(nn.Module):
    """Looks for a burst in a signal; an image beside it says nothing."""

    def __init__(self, channels: int = 8) -> None:
        super().__init__()
        self.signal = nn.Sequential(nn.Conv1d(1, channels, 3, padding=1), nn.ReLU(), Mean())
        self.image = nn.Sequential(nn.Conv2d(1, channels, 3, padding=1), nn.ReLU(), Mean())
        self.head = nn.Sequential(nn.Linear(2 * channels, 16), nn.ReLU(), nn.Linear(16, 3))

    def forward(self, signal: Tensor, image: Tensor) -> Tensor:
        logits: Tensor = self.head(torch.cat([self.signal(signal), self.image(image)], 1))
        return logits


def pairs(count: int, seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return signals with bursts, images, classes, and where the bursts are."""
    inputs, classes, places = planted(count, 1, seed)
    generator = torch.Generator().manual_seed(seed + 100)
    return inputs, 0.5 * torch.randn(count, 1, 6, 8, generator=generator), classes, places


@cache
def trained() -> Two:
    torch.manual_seed(0)
    net = Two()
    signals, images, classes, _ = pairs(192, seed=0)
    empty = 0.5 * torch.randn(64, 1, 64)
    every = torch.cat([classes, torch.full((64,), 2)])
    train(net, torch.cat([signals, empty]), torch.cat([images, images[:64]]), classes=every)
    return net


def test_the_input_that_matters_has_the_bits_and_the_burst() -> None:
    signals, images, classes, places = pairs(100, seed=1)
    usual = pairs(192, seed=0)[:2]
    found = input_iba.InputIBA(trained()).fit(usual).attribute((signals, images), classes)
    of_signal, of_image = found.inputs
    assert of_signal.maps.shape == signals.shape
    assert of_image.maps.shape == images.shape
    totals = torch.stack([part.maps.flatten(1).sum(1) for part in found.inputs])
    assert float((totals[0] > totals[1]).double().mean()) >= 0.95
    torch.testing.assert_close(totals.sum(0), torch.tensor([record.bits for record in found]))
    first, many = inside(of_signal.maps, places)
    assert first.mean() >= 0.95
    assert many.mean() >= 0.8


def small(prior: object = None) -> Preset:
    few, steps = FeatureIBA(opt_steps=2, batch_size=2), InputBottleneck(opt_steps=2, batch_size=2)
    return Preset(few, prior or SaliencyPrior(), steps, n_samples=10)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "prior", [SaliencyPrior(), WGANPrior(epochs=1, dataset_size=8, batch_size=4)], ids=["", "wgan"]
)
def test_several_samples_do_not_change_each_others_maps(
    prior: object, unchanged: Unchanged
) -> None:
    torch.manual_seed(0)
    net = Two().double()
    signals, images, _, _ = (values.double() for values in pairs(3, seed=2))
    iba = input_iba.InputIBA(net, "head.0", preset=small(prior), precision="fp32").fit(
        (signals, images)
    )
    names = ["a", "b", "c"]
    with unchanged(net):
        together = iba.attribute((signals, images), 0, ids=names)
    for i, name in enumerate(names):
        alone = iba.attribute((signals[i : i + 1], images[i : i + 1]), 0, ids=[name])
        for one, all_of in zip(alone.inputs, together.inputs, strict=True):
            torch.testing.assert_close(one.maps[0], all_of.maps[i], rtol=1e-7, atol=1e-9)


def test_views_of_the_inputs_and_numbers_without_neighbours() -> None:
    class Numbers(Two):
        def forward(self, signal: Tensor, numbers: Tensor) -> Tensor:
            logits: Tensor = self.head(torch.cat([self.signal(signal), numbers], 1))
            return logits

    torch.manual_seed(0)
    found = input_iba.explain(
        Numbers().eval(), (torch.randn(2, 1, 64), torch.randn(2, 8)), 0, preset=small()
    )
    assert [part.maps.shape for part in found.inputs] == [(2, 1, 64), (2, 1, 8)]
    assert found[0].inputs[1].id == "0, input 2"
    assert set(found[0].images()) >= {"input 1: map", "input 2: map"}
    assert found[0]._repr_html_().count("<img") == len(found[0].images())


def test_a_tuple_of_single_inputs_is_still_several_samples() -> None:
    net = nn.Sequential(nn.Conv1d(1, 4, 3, padding=1), nn.ReLU(), Mean(), nn.Linear(4, 3)).eval()
    one, two = planted(2, 1, seed=1)[0]
    assert input_iba.explain(net, (one, two), 0, preset=small(), layer="0").maps.shape == (2, 1, 64)


def test_what_does_not_fit_is_refused() -> None:
    signals, images, _, _ = pairs(3, seed=2)
    iba = input_iba.InputIBA(Two(), "head.0", preset=small()).fit((signals, images))
    with pytest.raises(DataError, match=r"tuple of 2 tensors .*got \(3, 1, 64\), \(2, 1, 6, 8\)"):
        iba.attribute((signals, images[:2]))
    with pytest.raises(AttributionError, match=r"shapes \(1, 64\) and \(1, 6, 8\) .*got 100"):
        iba.attribute((signals, images[..., :6]))
    with pytest.raises(ConfigError, match="Explain one of them, and pass the others as"):
        MethodAttributor(Two(), Gradient(), modality=SeveralModality([(1, 64), (1, 6, 8)]))


def test_a_layer_is_behind_all_inputs() -> None:
    modality = SeveralModality([(1, 64), (1, 6, 8)])
    example = modality.packed([values[:1] for values in pairs(1, seed=2)[:2]])
    assert modality.choose_layer(trained(), example) == "head.0"

    class Apart(Two):
        def forward(self, signal: Tensor, image: Tensor) -> Tensor:
            together: Tensor = self.signal(signal) + self.image(image)
            return together

    with pytest.raises(ConfigError, match="changes with each of the 2 inputs"):
        modality.choose_layer(Apart(), example)
