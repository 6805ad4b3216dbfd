"""What the pipeline refuses: samples that cannot be explained, wrong calls and settings."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from input_iba.attribution import FeatureIBA, InputBottleneck, WGANPrior
from input_iba.errors import AttributionError, ConfigError
from input_iba.records import Failure
from tests.attribution.nets import IDS, assert_same, estimated, inputs, small_attributor, small_net


def test_a_target_that_no_pixel_changes_is_refused() -> None:
    attributor = estimated(small_net())
    [record] = attributor.attribute(inputs(1), lambda logits: (logits * 0).sum(1))
    assert isinstance(record, Failure)
    assert "no gradient" in record.reason
    assert "another layer" in record.reason


def test_a_layer_that_the_target_does_not_depend_on_is_refused() -> None:
    class Fork(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = small_net()
            self.aside = nn.Conv2d(2, 2, 1).double()

        def forward(self, x: Tensor) -> Tensor:
            self.aside(x)
            out: Tensor = self.net(x)
            return out

    [record] = estimated(Fork(), "aside").attribute(inputs(1))
    assert isinstance(record, Failure)
    assert "does not depend on that layer" in record.reason


def test_a_bad_sample_leaves_its_neighbours_alone() -> None:
    attributor = estimated(small_net())
    x = inputs(3)
    expected = attributor.attribute(x, ids=IDS[:3])
    x[1, 0, 0, 0] = torch.nan
    first, bad, last = attributor.attribute(x, ids=IDS[:3])
    assert isinstance(bad, Failure)
    assert bad.id == "b"
    assert "logits are not finite" in bad.reason
    assert_same(first, expected[0])
    assert_same(last, expected[2])


def test_a_loss_that_blows_up_names_the_step() -> None:
    calls = 0

    def blows_up(logits: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        return logits[:, 0] * (torch.inf if calls == 3 else 1)

    attributor = estimated(small_net())
    [record] = attributor.attribute(inputs(1), [blows_up])
    assert isinstance(record, Failure)
    assert "not finite at step 3 of FeatureIBA" in record.reason


def test_nan_in_the_weights_is_an_error() -> None:
    net = small_net()
    attributor = estimated(net)
    with torch.no_grad():
        net.get_parameter("8.weight")[0] = torch.nan
    [record] = attributor.attribute(inputs(1))
    assert isinstance(record, Failure)
    assert "weights for NaN" in record.reason
    with torch.no_grad():
        net.get_parameter("0.weight")[0] = torch.nan
    with pytest.raises(AttributionError, match="NaN"):
        attributor.estimate([inputs(4)])


def test_misuse_is_explained() -> None:
    net = small_net()
    with pytest.raises(AttributionError, match="call estimate"):
        small_attributor(net).attribute(inputs(1))
    with pytest.raises(AttributionError, match="channels, height, width"):
        estimated(net, "8")
    attributor = estimated(net)
    with pytest.raises(ConfigError, match="same size"):
        attributor.attribute(inputs(1, size=(12, 12)))
    with pytest.raises(ConfigError, match="ids"):
        attributor.attribute(inputs(2), ids=["a", "a"])
    with pytest.raises(ConfigError, match="class 3"):
        attributor.attribute(inputs(1), [3])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (lambda: FeatureIBA(opt_steps=0), "feat_iba.opt_steps"),
        (lambda: FeatureIBA(input_or_output="both"), "input_or_output"),
        (lambda: InputBottleneck(lr=-1.0), "input_iba.lr"),
        (lambda: WGANPrior(epochs=0), "gan.epochs"),
        (lambda: WGANPrior(real="paper"), "gan.real"),
        (lambda: WGANPrior(batch_size=1), "2 or more"),
    ],
)
def test_settings_are_checked(settings: type[FeatureIBA], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        settings()
