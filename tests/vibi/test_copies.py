"""Copies of the black box start where it is, keep its statistics, and learn the rest."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from input_iba.datasets.normalization import Normalize
from input_iba.errors import ConfigError, LayerNotFoundError
from input_iba.models import CifarResNet, ConvNet
from input_iba.vibi import (
    ApproximatorSettings,
    BlackBox,
    ChunkGrid,
    CopiedApproximator,
    CopiedExplainer,
    ExplainedInputs,
    ExplainerSettings,
    Vibi,
    VibiTrainer,
    VibiTraining,
)
from tests.conftest import Unchanged

NORMALIZE = Normalize((0.4,), (0.3,))
GRID = ChunkGrid(16, 16, 4)


def black_box() -> nn.Module:
    """Return a tiny residual network whose statistics of batches are its own."""
    torch.manual_seed(0)
    classifier = CifarResNet(8, num_classes=3, in_channels=1, width=4)
    with torch.no_grad():
        for _ in range(3):
            classifier.train()(NORMALIZE(torch.rand(8, 1, 16, 16)))
    return classifier.eval()


def copies(of: nn.Module) -> tuple[CopiedExplainer, CopiedApproximator]:
    other = CifarResNet(8, num_classes=3, in_channels=1, width=4)
    found = CopiedExplainer(other, NORMALIZE, GRID, 1)
    approximator = CopiedApproximator(copy.deepcopy(other), NORMALIZE)
    for network in (found, approximator):
        network.start_from(of)
    return found, approximator


def test_the_approximator_starts_as_the_black_box() -> None:
    classifier = black_box()
    _, approximator = copies(classifier)
    pictures = torch.rand(4, 1, 16, 16)
    expected = BlackBox(classifier, NORMALIZE).log_probabilities(pictures)
    for mode in (True, False):  # in training, too: it never takes the statistics of a batch
        found = approximator.train(mode)(pictures).log_softmax(1)
        assert torch.allclose(found, expected, atol=1e-5)


def test_one_logit_becomes_those_of_two_classes() -> None:
    class One(nn.Module):
        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            return inputs.flatten(1)[:, :1]

    pictures = torch.rand(4, 1, 2, 2)
    found = CopiedApproximator(One())(pictures).log_softmax(1)
    assert torch.allclose(found, BlackBox(One()).log_probabilities(pictures))


def test_the_explainer_reads_the_last_map_that_is_as_fine_as_the_chunks() -> None:
    explainer, _ = copies(black_box())
    assert explainer.layer == "layer3"  # 4×4 positions for 4×4 chunks
    assert explainer(torch.rand(2, 1, 16, 16)).shape == (2, 16)
    finer = CopiedExplainer(CifarResNet(8, 3, 1, width=4), None, ChunkGrid(16, 16, 2), 1)
    assert finer.layer == "layer2"
    assert finer(torch.rand(2, 1, 16, 16)).shape == (2, 64)


def test_another_layer_can_be_read() -> None:
    classifier = CifarResNet(8, 3, 1, width=4)
    assert CopiedExplainer(classifier, None, GRID, 1, layer="layer2").layer == "layer2"
    with pytest.raises(LayerNotFoundError, match="layer2"):
        CopiedExplainer(classifier, None, GRID, 1, layer="layers2")
    with pytest.raises(ConfigError, match=r"no feature map in 'linear' of 4×4"):
        CopiedExplainer(classifier, None, GRID, 1, layer="linear")


def test_a_gradient_reaches_the_layers_that_the_explainer_reads() -> None:
    explainer, _ = copies(black_box())
    weights = torch.arange(16.0)
    torch.autograd.backward((explainer(torch.rand(2, 1, 16, 16)).softmax(1) * weights).sum())
    for name, parameter in explainer.named_parameters():
        if not name.startswith("classifier.linear") and name != "head.bias":
            assert parameter.grad is not None and bool(parameter.grad.any()), name


def test_maps_that_are_too_coarse_are_refused() -> None:
    class Flat(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(256, 3)

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = self.linear(inputs.flatten(1))
            return found

    with pytest.raises(ConfigError, match=r"Flat has no feature map of 4×4 .* larger chunks"):
        CopiedExplainer(Flat(), None, GRID, 1)
    # Of a ConvNet on pictures of 16×16 the finest map of all has a position per pixel.
    assert CopiedExplainer(ConvNet(2, 1, width=2), None, ChunkGrid(16, 16, 1), 1).layer


def random_data(box: BlackBox) -> ExplainedInputs:
    pixels = torch.randint(0, 256, (16, 1, 16, 16), dtype=torch.uint8)
    answers = box.in_batches(iter([pixels.float() / 255]))
    return ExplainedInputs(pixels, answers, lambda x: x.float() / 255)


def test_features_stay_as_they_are_and_what_chooses_by_them_is_trained() -> None:
    classifier = black_box()
    _, approximator = copies(classifier)
    explainer = CopiedExplainer(copy.deepcopy(classifier), NORMALIZE, GRID, 1, trained=False)
    before = copy.deepcopy(explainer.state_dict())
    box = BlackBox(classifier, NORMALIZE)
    trainer = VibiTrainer(
        Vibi(explainer, approximator, GRID, k=4),
        box,
        random_data(box),
        VibiTraining(epochs=1, batch_size=8),
        torch.device("cpu"),
    )
    trainer.train_epoch(0)
    assert not any(module.training for module in explainer.classifier.modules())
    for name, values in explainer.state_dict().items():
        assert torch.equal(values, before[name]) == name.startswith("classifier."), name


def test_no_layer_behind_the_map_is_run() -> None:
    explainer, _ = copies(black_box())
    behind = explainer.classifier.get_submodule("linear")
    behind.register_forward_hook(lambda *_: pytest.fail("was run"))
    explainer(torch.rand(2, 1, 16, 16))


def test_copies_can_have_a_learning_rate_of_their_own() -> None:
    classifier = black_box()
    box = BlackBox(classifier, NORMALIZE)
    data = random_data(box)

    def groups(copied_lr: float) -> list[tuple[float, int]]:
        vibi = Vibi(*copies(classifier), GRID, k=4)
        how = VibiTraining(epochs=1, batch_size=8, lr=0.01, copied_lr=copied_lr)
        made = VibiTrainer(vibi, box, data, how, torch.device("cpu"))
        return [(group["max_lr"], len(group["params"])) for group in made.optimizer.param_groups]

    count = len(list(classifier.parameters()))
    own = 4  # weights and biases of the explainer's two layers
    assert groups(0.001) == [(0.01, own), (0.001, 2 * count)]
    assert groups(0.0) == [(0.01, own + 2 * count)]


def test_training_changes_weights_and_no_statistics(unchanged: Unchanged) -> None:
    classifier = black_box()
    before = classifier.state_dict()
    vibi = Vibi(*copies(classifier), GRID, k=4)
    box = BlackBox(classifier, NORMALIZE)
    data = random_data(box)
    how = VibiTraining(epochs=1, batch_size=8)
    with unchanged(classifier):
        VibiTrainer(vibi, box, data, how, torch.device("cpu")).train_epoch(0)
    for network in (vibi.explainer, vibi.approximator):
        assert isinstance(network, CopiedExplainer | CopiedApproximator)
        for name, values in network.classifier.state_dict().items():
            statistic = "running" in name or "num_batches" in name
            unused = isinstance(network, CopiedExplainer) and name.startswith("linear")
            assert torch.equal(values, before[name]) == (statistic or unused), name


def test_an_unknown_start_is_refused_with_the_closest() -> None:
    with pytest.raises(ConfigError, match=r"'blackbox'.*Closest: 'black_box'"):
        ApproximatorSettings(start="blackbox")
    with pytest.raises(
        ConfigError, match="one of 'random', 'black_box', 'features', got 'nothing'"
    ):
        ExplainerSettings(start="nothing")
