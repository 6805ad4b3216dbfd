"""Our attributors as captum and Quantus call attributions."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from quantus.metrics.complexity.sparseness import Sparseness
from torch import nn

from input_iba.attribution.adapters import CaptumAttribution, quantus_explain_func
from input_iba.attribution.methods import Gradient, MethodAttributor, Rise
from input_iba.errors import AttributionError
from input_iba.records import Attribution
from tests.attribution.methods.settings import samples
from tests.attribution.nets import small_attributor, small_net


def test_captum_style_calls_give_the_maps_of_the_attributor() -> None:
    attributor = small_attributor(small_net())
    attributor.estimate([samples(12, seed=3)])
    x = samples(2)
    records = attributor.attribute(x, [1, 1], seed=5)
    assert all(isinstance(record, Attribution) for record in records)
    for kind in ("map", "input_mask", "feature_mask", "prior_mask"):
        found = CaptumAttribution(attributor, kind).attribute(x, target=1, seed=5)
        assert found.shape == (2, 1, 8, 8)
        assert found.dtype == x.dtype
        expected = torch.stack([getattr(record, kind) for record in records])
        assert torch.equal(found[:, 0], expected)
    each = CaptumAttribution(attributor)
    assert torch.equal(each(x, target=torch.tensor([1, 1]), seed=5), each(x, 1, seed=5))
    assert torch.equal(each(x, target=torch.tensor(1), seed=5), each(x, [1, 1], seed=5))
    assert each(x).shape == (2, 1, 8, 8)


def test_a_sample_that_fails_is_an_error() -> None:
    x = samples(2)
    x[1] = torch.nan
    method = CaptumAttribution(MethodAttributor(small_net(), Gradient()))
    with pytest.raises(AttributionError, match=r"1 of 2 samples .* number 1: .*not finite"):
        method.attribute(x, target=0)


def test_a_metric_of_quantus_takes_our_attributors() -> None:
    net = small_net().float().eval()
    attributor = MethodAttributor(net, Rise(n_masks=20, cells=3))
    x, y = samples(3).float(), torch.tensor([0, 1, 2])
    explain = quantus_explain_func(attributor)
    maps = explain(net, x.numpy(), y.numpy())
    assert maps.shape == (3, 1, 8, 8)
    assert maps.dtype == np.float32
    metric = Sparseness(disable_warnings=True, display_progressbar=False)
    arrays: dict[str, Any] = {
        "model": net,
        "x_batch": x.numpy(),
        "y_batch": y.numpy(),
        "channel_first": True,
    }
    called = metric(explain_func=explain, explain_func_kwargs={"seed": 0}, **arrays)
    given = metric(a_batch=maps, **arrays)
    assert called == pytest.approx(given)


def test_another_model_needs_a_function_that_makes_attributors() -> None:
    net = small_net().float().eval()
    other: nn.Module = copy.deepcopy(net)
    other[8].weight.data.mul_(-1)  # type: ignore[index]
    x = samples(2).float().numpy()
    with pytest.raises(AttributionError, match="another model"):
        quantus_explain_func(MethodAttributor(net, Gradient()))(other, x, [0, 1])
    explain = quantus_explain_func(lambda model: MethodAttributor(model, Gradient(channels="sum")))
    np.testing.assert_allclose(explain(other, x, [0, 1]), -explain(net, x, [0, 1]), rtol=1e-5)
