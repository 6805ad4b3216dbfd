"""A classifier leaves what it is given as it was."""

from __future__ import annotations

import torch
from torch import nn

from input_iba.core.classifier import Classifier


def test_a_layer_that_works_in_place_does_not_change_the_callers_inputs() -> None:
    model = nn.Sequential(nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(12, 2))
    for shape in ((2, 3, 2, 2), (2, 12)):
        inputs = torch.randn(shape, generator=torch.Generator().manual_seed(0))
        before = inputs.clone()
        Classifier(model).logits(inputs)
        torch.testing.assert_close(inputs, before, rtol=0, atol=0)


def test_what_is_computed_anyway_is_not_copied() -> None:
    seen = []
    model = nn.Linear(4, 2)
    model.register_forward_pre_hook(lambda module, args: seen.append(args[0]))
    inputs = torch.randn(2, 4, requires_grad=True) * 2
    Classifier(model).logits(inputs)
    assert seen[0] is inputs
