"""The first passes: what they refuse, what they remark, and that they are cheap."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from input_iba.core.checked import Checked, check_classifier
from input_iba.core.classifier import Classifier
from input_iba.core.tap import TappedClassifier
from input_iba.core.tokens import NO_TOKENS
from input_iba.errors import AttributionError


class Net(nn.Module):
    """A small CNN whose logits pass through `last`."""

    def __init__(self, last: Callable[[Tensor], Tensor] = lambda z: z) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.relu = nn.ReLU()
        self.fc = nn.Linear(4, 3)
        self.last = last

    def forward(self, x: Tensor) -> Tensor:
        features = self.relu(self.relu(self.conv(x))).mean((2, 3))
        return self.last(self.fc(features))


def image() -> Tensor:
    return torch.randn(1, 3, 8, 8, generator=torch.Generator().manual_seed(1))


def warnings_of(net: nn.Module) -> tuple[str, ...]:
    classifier = Classifier(net)
    with classifier.frozen():
        return check_classifier(classifier, (image(), NO_TOKENS)).warnings


def test_nothing_is_said_of_an_ordinary_network() -> None:
    assert warnings_of(Net()) == ()
    assert warnings_of(Net(lambda z: z.log_softmax(1))) == ()  # its softmax is the same
    assert warnings_of(nn.Sequential(Net(), nn.Dropout(0.5))) == ()


@pytest.mark.parametrize(
    ("last", "said"),
    [
        (lambda z: F.dropout(z, 0.5), r"at random.*training=self\.training"),
        (lambda z: z.softmax(1), r"ends in a softmax.*output=torch\.log,"),
        (lambda z: z.softmax(1).squeeze(-1).clone(), "ends in a softmax"),
        (lambda z: z.sigmoid(), r"ends in a sigmoid.*output=torch\.logit,"),
        (lambda z: z - z.mean(0, keepdim=True), "inputs of a batch change each other"),
    ],
    ids=["dropout", "softmax", "softmax behind views", "sigmoid", "rows"],
)
def test_what_is_odd_is_said_with_its_remedy(last: Callable[[Tensor], Tensor], said: str) -> None:
    [warning] = warnings_of(Net(last))
    assert re.search(said, warning)


def test_the_remedy_for_probabilities_gives_the_logits_up_to_a_constant() -> None:
    plain, ending = Classifier(Net()), Classifier(Net(lambda z: z.softmax(1)), output=torch.log)
    difference = plain.logits(image()) - ending.logits(image())
    assert torch.allclose(difference, difference.mean().expand(1, 3), atol=1e-5)


class Two(Net):
    def forward(self, x: Tensor, meta: Tensor) -> Tensor:  # type: ignore[override]
        return super().forward(x)


class Named(Net):
    def forward(self, *, pixel_values: Tensor) -> Tensor:  # type: ignore[override]
        return super().forward(pixel_values)


@pytest.mark.parametrize(
    ("net", "inputs", "message"),
    [
        (Two(), image(), r"forward method takes \(x.*meta.*OneInput"),
        (Named(), image(), r"takes \(\*, pixel_values"),
        (Net(), torch.zeros(1, 1, 8, 8), r"cannot be run on an input of shape \(1, 1, 8, 8\)"),
        (Net(), torch.zeros(1, 8, 8, 3), r"trained on; channels come before .* x\.permute"),
    ],
)
def test_inputs_that_do_not_go_in_are_refused(net: nn.Module, inputs: Tensor, message: str) -> None:
    with pytest.raises(AttributionError, match=message):
        check_classifier(Classifier(net), (inputs, NO_TOKENS))


def test_a_layer_that_is_called_twice_is_refused_up_front() -> None:
    with pytest.raises(AttributionError, match="'relu' is called 2 times"):
        check_classifier(TappedClassifier(Net(), "relu"), (image(), NO_TOKENS))


def test_the_first_passes_cost_less_than_a_batch_of_statistics() -> None:
    net, rows = Net(), 0

    def count(_module: nn.Module, args: tuple[Tensor, ...]) -> None:
        nonlocal rows
        rows += len(args[0])

    with net.conv.register_forward_pre_hook(count):
        check_classifier(TappedClassifier(net, "conv"), (image(), NO_TOKENS))
    assert 0 < rows <= 8


def test_a_first_layer_that_works_in_place_does_not_overwrite_the_input() -> None:
    net = nn.Sequential(nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(12, 3)).eval()
    x = torch.randn(1, 3, 2, 2)
    kept = x.clone()
    with torch.no_grad():
        Classifier(net).logits(x)
    assert torch.equal(x, kept)


@pytest.mark.parametrize(("names", "said"), [(0, False), (3, False), (2, True), (4, True)])
def test_as_many_names_as_classes_are_expected(
    names: int, said: bool, caplog: pytest.LogCaptureFixture
) -> None:
    Checked(classes=3).say(names)
    assert ("names for 3 classes" in caplog.text) == said


def test_one_logit_may_have_two_names(caplog: pytest.LogCaptureFixture) -> None:
    Checked(classes=1).say(2)
    assert caplog.text == ""
