"""The meters, and the transcription of the published way, on a small network."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from benchmarks.meters import PeakMemory, counted
from benchmarks.published_cost import Parameters, make_problem, published_cost, smooth
from input_iba.attribution import FeatureIBA, InputBottleneck, WGANPrior
from tests import reference
from tests.conftest import Unchanged


def network() -> nn.Sequential:
    torch.manual_seed(0)
    stem = (nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2))
    return nn.Sequential(*stem, nn.Flatten(), nn.Linear(2 * 6 * 6, 3)).eval()


def test_the_published_way_runs_on_a_borrowed_model(unchanged: Unchanged) -> None:
    model, x = network(), torch.randn(1, 1, 12, 12)
    problem = make_problem(model, "2", x, torch.randn(6, 1, 12, 12))
    parameters = Parameters(
        FeatureIBA(batch_size=3, opt_steps=4),
        WGANPrior(dataset_size=10, batch_size=4, epochs=2, critic_iter=2),
        InputBottleneck(batch_size=5, opt_steps=6),
    )
    with unchanged(model):
        costs = published_cost(problem, parameters, timed=2)
    assert [(cost.timed, cost.total) for cost in costs.values()] == [(2, 4), (2, 6), (2, 6)]
    assert all(cost.seconds > 0 for cost in costs.values())
    # Two epochs of 10 samples, and generator steps of 4 at iterations 0 and 2 of three.
    generated = 2 * 2 * 4
    assert costs["prior"].forward == 2 * 10 + generated + 1
    assert costs["prior"].backward == generated
    assert costs["feature_iba"].backward == 12
    assert costs["input_iba"].forward == 30


@pytest.mark.parametrize("sigma", [0.0, 1.0, 2.0])
def test_smoothing_is_the_reference_one(sigma: float) -> None:
    mask = torch.rand(1, 2, 8, 9, dtype=torch.float64)
    torch.testing.assert_close(smooth(mask, sigma)[0], reference.gaussian_smooth(mask[0], sigma))


def test_rows_are_counted_where_they_pass(unchanged: Unchanged) -> None:
    model, x = network().requires_grad_(False), torch.randn(1, 1, 12, 12)

    def stop(module: nn.Module, arguments: object, output: Tensor) -> None:
        raise InterruptedError

    with unchanged(model), counted(model, x) as passes:
        inputs = torch.randn(5, 1, 12, 12, requires_grad=True)
        torch.autograd.grad(model(inputs).sum(), inputs)
        with torch.no_grad():
            model(torch.randn(2, 1, 12, 12))
        handle = model[2].register_forward_hook(stop)
        with pytest.raises(InterruptedError):
            model(torch.randn(3, 1, 12, 12))
        handle.remove()
    assert (passes.forward_first, passes.forward_last) == (10, 7)
    assert (passes.backward_first, passes.backward_last) == (5, 5)


def test_peak_memory_sees_a_large_tensor() -> None:
    meter = PeakMemory(torch.device("cpu"))
    meter.start()
    before = meter.mebibytes()
    torch.ones(64 * 2**20, dtype=torch.uint8).sum()
    assert meter.mebibytes() >= before + 60
