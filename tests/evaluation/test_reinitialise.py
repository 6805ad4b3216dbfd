"""Cascading re-initialisation: what changes, what stays, and that all of it comes back."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from input_iba.errors import EvaluationError, LayerNotFoundError
from input_iba.evaluation import cascade, layers_from_the_top
from tests.conftest import Unchanged

LAYERS = ["head", "mixer", "block.2", "block.1", "block.0"]


class Scaled(nn.Module):
    """A module with weights of its own and no way to re-initialise them."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.arange(1.0, 17.0))
        self.inner = nn.Linear(16, 16)

    def forward(self, x: Tensor) -> Tensor:
        inner: Tensor = self.inner(x * self.scale)
        return inner


class Network(nn.Module):
    """Convolution without bias, norms with and without weights, and an odd module."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        norms = nn.BatchNorm2d(4), nn.BatchNorm2d(4, affine=False)
        self.block = nn.Sequential(nn.Conv2d(1, 4, 3, bias=False), *norms, nn.ReLU())
        self.mixer = Scaled()
        self.head = nn.Linear(16, 2)
        with torch.no_grad():
            for values in (*self.parameters(), *self.buffers()):
                if values.is_floating_point():
                    values.add_(torch.rand_like(values))  # as if trained: nothing has its default

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(self.mixer(self.block(x).flatten(1)))
        return logits


def state(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def changed(model: nn.Module, before: dict[str, Tensor]) -> set[str]:
    return {k for k, v in model.state_dict().items() if not torch.equal(v, before[k])}


def test_layers_from_the_top() -> None:
    expected = ["head", "mixer.inner", "mixer", "block.2", "block.1", "block.0"]
    assert layers_from_the_top(Network()) == expected


def test_what_has_nothing_to_reinitialise_is_not_a_layer() -> None:
    class Constant(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("value", torch.ones(1))

    class Empty(nn.Module):
        def reset_parameters(self) -> None:
            pass

    statistics = nn.BatchNorm1d(2, affine=False)
    assert layers_from_the_top(nn.Sequential(Constant(), Empty(), statistics)) == ["2"]


def test_each_step_takes_one_more_layer() -> None:
    model = Network().train()
    before, counts = state(model), []
    head, mixer = {"head.weight", "head.bias"}, {"mixer.scale"}
    inner = {"mixer.inner.weight", "mixer.inner.bias"}
    statistics = {f"block.2.running_{name}" for name in ("mean", "var")}
    norm = {f"block.1.{name}" for name in ("weight", "bias", "running_mean", "running_var")}
    expected = [head, mixer | inner, statistics, norm, {"block.0.weight"}]
    with cascade(model, LAYERS) as steps:
        for i, layer in enumerate(steps):
            assert layer == LAYERS[i]
            assert changed(model, before) == set().union(*expected[: i + 1])
            counts.append(len(changed(model, before)))
        assert model.state_dict()["block.1.weight"].tolist() == [1] * 4
        assert sorted(model.mixer.scale.tolist()) == sorted(before["mixer.scale"].tolist())
    assert len(counts) == 5
    assert changed(model, before) == set()
    assert model.training


def test_the_model_comes_back_after_an_exception(unchanged: Unchanged) -> None:
    model = Network()
    model.head.weight.grad = torch.ones(2, 16)
    model.head.bias.requires_grad_(False)
    with unchanged(model), pytest.raises(KeyboardInterrupt), cascade(model, LAYERS) as steps:
        next(steps)
        next(steps)
        raise KeyboardInterrupt
    assert list(steps) == [], "whoever still holds the iterator could change the model"


def test_modules_that_replace_their_parameters_come_back() -> None:
    class Replacing(nn.Linear):
        def reset_parameters(self) -> None:
            self.weight = nn.Parameter(torch.randn(2, 2))

    model = nn.Sequential(Replacing(2, 2))
    [weight] = [p for p in model.parameters() if p.ndim == 2]
    values = weight.detach().clone()
    with cascade(model, ["0"]) as steps:
        next(steps)
        assert all(p is not weight for p in model.parameters())
    assert next(model.parameters()) is weight
    assert torch.equal(weight, values)


def new_weights(layers: Sequence[str], seed: int = 0) -> dict[str, Tensor]:
    model = Network()
    with cascade(model, layers, seed) as steps:
        assert list(steps) == list(layers)
        return state(model)


def test_new_weights_depend_on_seed_and_name_alone() -> None:
    torch.manual_seed(3)
    random_state = torch.get_rng_state()
    full, head = new_weights(LAYERS), new_weights(["head"])
    assert torch.equal(full["head.weight"], head["head.weight"])
    whole = new_weights(["head", "mixer", "block"])
    assert all(torch.equal(value, full[name]) for name, value in whole.items())
    assert not torch.equal(new_weights(["head"], seed=1)["head.weight"], head["head.weight"])
    torch.manual_seed(3)
    Network()
    again = torch.get_rng_state()
    torch.manual_seed(3)
    assert torch.equal(torch.get_rng_state(), random_state)
    Network()
    with cascade(Network(), LAYERS) as steps:
        list(steps)
    Network()
    assert torch.equal(torch.get_rng_state(), again), "the caller's random numbers changed"


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_weight_norms_and_attention_forget_too() -> None:
    torch.manual_seed(0)
    attention = nn.MultiheadAttention(4, 2)
    parametrised = nn.utils.parametrizations.weight_norm(nn.Linear(4, 4))
    hooked: nn.Module = nn.utils.weight_norm(nn.Linear(4, 4))
    model = nn.Sequential(attention, parametrised, nn.LSTM(4, 4), hooked)
    before, names = state(model), dict(model.named_parameters())
    with cascade(model, ["3", "2", "1", "0"]) as steps:
        list(steps)
        same = names.keys() - changed(model, before)
        assert same <= {"0.in_proj_bias", "0.out_proj.bias"}, "only all-equal values may stay"
    assert changed(model, before) == set()


class Picky(nn.Linear):
    def reset_parameters(self, gain: float | None = None) -> None:
        if gain is None and hasattr(self, "made"):
            raise TypeError("missing gain")
        self.made = True
        super().reset_parameters()  # else the weights are whatever memory held, NaN at times


@pytest.mark.parametrize(
    ("layers", "error", "message"),
    [
        (["1"], EvaluationError, r"'1' \(ReLU\) has no parameters.*: 2, 0"),
        (["3"], LayerNotFoundError, "'3' not found"),
        (["0", "0"], EvaluationError, "listed twice"),
        ([], EvaluationError, "name some"),
        (["0", "2"], EvaluationError, r"'2' \(Picky\).*TypeError: missing gain"),
    ],
)
def test_what_cannot_be_reinitialised_is_refused(
    layers: list[str], error: type[Exception], message: str
) -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), Picky(2, 2))
    before = state(model)
    with pytest.raises(error, match=message), cascade(model, layers) as steps:
        list(steps)
    assert changed(model, before) == set()
