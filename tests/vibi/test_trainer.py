"""Training finds what the black box reads, leaves it alone, and repeats exactly."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

from input_iba.errors import ConfigError, InputIBAError
from input_iba.vibi import VibiTrainer, VibiTraining, measure_fidelity, soft_cross_entropy
from input_iba.vibi.trainer import kl_from_uniform
from tests.conftest import Unchanged
from tests.vibi.nets import ReadsOneChunk, planted, small_vibi

CPU = torch.device("cpu")


def trainer(count: int = 64, seed: int = 0, **settings: Any) -> VibiTrainer:
    black_box, data = planted(count)
    given = {"epochs": 2, "batch_size": 16, "loss": "published", **settings}
    how = VibiTraining(**given)
    return VibiTrainer(small_vibi(), black_box, data, how, CPU, seed)


@pytest.mark.slow
def test_the_explainer_finds_the_chunk_that_the_black_box_reads() -> None:
    found = trainer(512, epochs=6, lr=0.01, loss="rationale")
    for epoch in range(6):
        found.train_epoch(epoch)
    black_box, test = planted(200, seed=1)
    chosen = found.vibi.eval().explain(test.prepare(test.inputs)).argmax(1)
    assert (chosen == ReadsOneChunk.chunk).float().mean() > 0.97
    fidelity = measure_fidelity(found.vibi, black_box, test.batches(64))
    assert fidelity.approximator > 0.97
    assert fidelity.rationale > 0.97
    assert fidelity.samples == 200


@pytest.mark.slow
def test_without_the_black_box_the_pair_agrees_on_a_code() -> None:
    """The approximator is faithful whichever chunks tell it the answer: a known limit of VIBI."""
    found = trainer(512, epochs=6, lr=0.01)
    for epoch in range(6):
        found.train_epoch(epoch)
    black_box, test = planted(200, seed=1)
    assert measure_fidelity(found.vibi, black_box, test.batches(64)).approximator > 0.97


def test_a_gradient_reaches_every_weight_of_the_explainer() -> None:
    made = trainer()
    inputs, expected = next(made.data.batches(16))
    parts = made.parts(inputs, expected, 0.5, torch.Generator().manual_seed(0))
    torch.autograd.backward(parts["cross_entropy"])
    for name, parameter in made.vibi.explainer.named_parameters():
        assert parameter.grad is not None, name
        if name != "head.bias":  # the softmax does not see a shift of all logits
            assert float(parameter.grad.abs().max()) > 0, name


def test_the_chunks_of_evaluation_teach_the_approximator_only() -> None:
    made = trainer()
    inputs, expected = next(made.data.batches(16))
    parts = made.parts(inputs, expected, 0.5, torch.Generator().manual_seed(0))
    torch.autograd.backward(parts["top_k_cross_entropy"])
    grads = [parameter.grad for parameter in made.vibi.explainer.parameters()]
    assert all(grad is None or not grad.any() for grad in grads)
    assert all(parameter.grad is not None for parameter in made.vibi.approximator.parameters())


def test_the_loss_is_the_sum_of_its_weighted_parts() -> None:
    made = trainer(
        loss="rationale", beta=0.3, black_box_weight=0.7, top_k_weight=0.9, num_samples=3
    )
    inputs, expected = next(made.data.batches(16))
    with made.black_box.frozen():
        _compare_with_literal(made, inputs, expected)


def _compare_with_literal(made: VibiTrainer, inputs: torch.Tensor, expected: torch.Tensor) -> None:
    parts = made.parts(inputs, expected, 0.5, torch.Generator().manual_seed(0))
    vibi = made.vibi
    logits = vibi.explain(inputs)
    masks = vibi.sample(logits, 0.5, 3, torch.Generator().manual_seed(0))
    cross, reaction = [], []
    for draw in range(3):
        masked = vibi.chunks.hide(inputs, masks[:, draw : draw + 1])
        cross.append(soft_cross_entropy(expected, vibi.approximate(masked)))
        reaction.append(soft_cross_entropy(expected, made.black_box.log_probabilities(masked)))
    literal = torch.stack(cross).mean() + 0.3 * kl_from_uniform(logits)
    literal = literal + 0.7 * torch.stack(reaction).mean()
    top_k = vibi.approximate(vibi.top_k_inputs(inputs))
    literal = literal + 0.9 * soft_cross_entropy(expected, top_k)
    assert parts["loss"].item() == pytest.approx(literal.item(), rel=1e-4)


def test_the_black_box_comes_back_as_it_was(unchanged: Unchanged) -> None:
    made = trainer(loss="rationale")
    with unchanged(made.black_box.classifier.train()):
        made.train_epoch(0)


def test_a_restored_trainer_goes_on_exactly() -> None:
    whole = trainer()
    whole.train_epoch(0)
    weights, state = copy.deepcopy(whole.vibi.state_dict()), copy.deepcopy(whole.state())
    expected = whole.train_epoch(1)
    torch.rand(3)  # what else draws from the global generator must not matter
    resumed = trainer()
    resumed.vibi.load_state_dict(weights)
    resumed.restore(state)
    assert resumed.train_epoch(1) == expected
    for name, values in whole.vibi.state_dict().items():
        assert torch.equal(values, resumed.vibi.state_dict()[name]), name


def test_another_seed_draws_otherwise() -> None:
    assert trainer(seed=0).train_epoch(0) != trainer(seed=1).train_epoch(0)


def test_moved_pictures_are_answered_by_the_black_box_anew() -> None:
    made = trainer(flip=True, padding=2)
    inputs = made.data.prepare(made.data.inputs)
    with made.black_box.frozen():
        moved, expected = next(made.batches(torch.Generator().manual_seed(0)))
        literal = made.black_box.log_probabilities(moved)
    order = torch.randperm(len(inputs), generator=torch.Generator().manual_seed(0))[:16]
    assert moved.shape == inputs[order].shape
    assert not torch.equal(moved, inputs[order])
    assert torch.allclose(expected, literal)
    assert not torch.allclose(expected, made.data.log_probabilities[order], atol=0.1)
    assert not expected.requires_grad


@pytest.mark.parametrize("how", [{"flip": True}, {"padding": 1}])
def test_pictures_are_moved_only_on_request_and_repeatably(how: dict[str, int]) -> None:
    plain, moved, again = (trainer(**s).train_epoch(0) for s in ({}, how, how))
    assert moved == again
    assert moved != plain


def test_the_temperature_is_annealed_over_the_whole_training() -> None:
    made = trainer(epochs=3)
    last = made.settings.epochs * made.steps - 1
    assert made.temperature(0) == pytest.approx(0.7)
    assert made.temperature(last) == pytest.approx(0.1)
    assert 0.1 < made.temperature(last // 2) < 0.7


def test_a_loss_that_is_not_finite_stops_the_training() -> None:
    made = trainer()
    with torch.no_grad():
        next(made.vibi.approximator.parameters()).fill_(float("nan"))
    with pytest.raises(InputIBAError, match="diverged in epoch 1"):
        made.train_epoch(0)


@pytest.mark.parametrize(
    ("name", "value"), [("beta", -1.0), ("num_samples", 0), ("warm_up", 1.0), ("padding", -1)]
)
def test_impossible_settings_are_refused(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=name):
        VibiTraining(**{name: value})  # type: ignore[arg-type]


def test_the_black_box_is_in_the_loop_unless_the_published_loss_is_named() -> None:
    inputs, expected = next(trainer().data.batches(16))
    for loss, there in (("rationale", True), ("published", False)):
        parts = trainer(loss=loss).parts(inputs, expected, 0.5, torch.Generator().manual_seed(0))
        assert ("black_box_cross_entropy" in parts) == there
        reaction = parts.get("black_box_cross_entropy", torch.tensor(0.0))
        rest = parts["cross_entropy"] + parts["top_k_cross_entropy"]
        assert parts["loss"].item() == pytest.approx((rest + reaction).item(), rel=1e-5)
    assert VibiTraining().loss == "rationale"
    assert VibiTraining(black_box_weight=0.5).weight_of_black_box == 0.5
    assert VibiTraining(black_box_weight=0.0).weight_of_black_box == 0.0
    with pytest.raises(ConfigError, match=r"'published' has no black box.*remove"):
        VibiTraining(loss="published", black_box_weight=1.0)


def test_k_beyond_the_chunks_is_refused() -> None:
    with pytest.raises(ConfigError, match="from 1 to 4"):
        small_vibi(k=5)
