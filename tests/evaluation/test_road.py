"""ROAD: imputation and scores against the literal procedure, and what must not matter."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from input_iba.errors import EvaluationError
from input_iba.evaluation import Imputations, impute, road
from input_iba.evaluation.imputation import drawn_noise
from tests.evaluation.nets import linear, network, probability_of
from tests.reference import metrics

SIZE = (5, 6)
SIZES = st.tuples(st.integers(1, 6), st.integers(1, 6)).filter(lambda size: size != (1, 1))


def drawn_case(size: tuple[int, int], share: float, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return an image (2, H, W) and some of its pixels, (H, W), neither all of them nor none."""
    draws = np.random.default_rng(seed)
    order = draws.permutation(size[0] * size[1]).reshape(size)
    count = min(max(round(share * order.size), 1), order.size - 1)
    return torch.from_numpy(draws.normal(size=(2, *size))), torch.from_numpy(order < count)


@given(SIZES, st.floats(0, 1), st.integers(0, 99))
def test_imputed_pixels_are_means_of_their_neighbours(
    size: tuple[int, int], share: float, seed: int
) -> None:
    image, removed = drawn_case(size, share, seed)
    found = impute(image[None], removed[None])[0]
    expected = metrics.imputed(image.numpy(), removed.numpy())
    np.testing.assert_allclose(found, expected, atol=1e-7)
    assert torch.equal(found[:, ~removed], image[:, ~removed])
    low, high = (image[:, ~removed].aminmax(dim=1)[i][:, None, None] - 1e-9 for i in (0, 1))
    assert bool(((found >= low) & (found <= high + 2e-9)).all())


@given(SIZES, st.floats(0, 1), st.integers(0, 99))
def test_even_slopes_inside_are_restored(size: tuple[int, int], share: float, seed: int) -> None:
    _, removed = drawn_case(size, share, seed)
    inner = torch.zeros_like(removed)
    inner[1:-1, 1:-1] = removed[1:-1, 1:-1]
    rows, columns = (torch.arange(n, dtype=torch.float64) for n in size)
    slope = (2 * rows[:, None] - 3 * columns)[None, None]
    np.testing.assert_allclose(impute(slope, inner[None]), slope, atol=1e-9)


def test_images_are_imputed_each_by_itself() -> None:
    cases = [drawn_case(SIZE, share, seed) for seed, share in enumerate((0.1, 0.5, 0.9))]
    images, removed = (torch.stack(parts) for parts in zip(*cases, strict=True))
    for i, found in enumerate(impute(images, removed)):
        assert torch.equal(found, impute(images[i : i + 1], removed[i : i + 1])[0])
    assert impute(images.float(), removed).dtype == torch.float32


@pytest.mark.parametrize("rows", [2, 64])
def test_equals_the_literal_procedure(rows: int) -> None:
    model, draws = network(SIZE), np.random.default_rng(1)
    inputs = torch.from_numpy(draws.normal(size=(2, 2, *SIZE)))
    heats = torch.from_numpy(draws.permutation(60).reshape(2, *SIZE) / 60)
    found = road(model, inputs, heats, [2, 0], (0.2, 0.55), 0.1, [7, 8], rows)
    noise = drawn_noise(inputs, 0.1, [7, 8]).numpy()
    for i, target in enumerate((2, 0)):
        probability = probability_of(model, target)
        for j, share in enumerate((0.2, 0.55)):
            expected = metrics.road(
                probability, inputs[i].numpy(), noise[i], heats[i].numpy(), share
            )
            assert found.morf[i, j].item() == pytest.approx(expected[0], abs=1e-6)
            assert found.lerf[i, j].item() == pytest.approx(expected[1], abs=1e-6)
    means = (found.lerf - found.morf).mean(1)
    assert found.difference.tolist() == pytest.approx(means.tolist())


def test_the_right_map_beats_the_wrong_one() -> None:
    weights = torch.full((16, 16), -0.1)
    weights[4:8, 8:12] = 2
    # Heat on the object, whose pixels its surroundings cannot restore.
    x, right = (weights[None, None] > 0).double(), (weights > 0).double()
    heats = torch.stack([right, -right, torch.ones(16, 16)])
    found = road(linear(weights), x.expand(3, -1, -1, -1), heats, [1, 1, 1], seeds=[0, 0, 0])
    assert found.difference[0] > 0.5
    assert found.difference[1] < -0.5
    assert found.difference[2] == 0


@given(st.integers(0, 99))
def test_only_order_and_seed_count(seed: int) -> None:
    draws = np.random.default_rng(seed)
    heat = torch.from_numpy(draws.integers(-4, 5, (1, *SIZE)) / 4)
    model, x = network(SIZE), torch.from_numpy(draws.normal(size=(1, 2, *SIZE)))

    def found(heat: torch.Tensor, of_noise: int) -> Imputations:
        return road(model, x, heat, [1], (0.3, 0.6), 0.5, [of_noise])

    first, same, opposite = found(heat, 3), found(heat**3 + 8, 3), found(-heat, 3)
    assert torch.equal(first.morf, same.morf)
    assert torch.equal(first.morf, opposite.lerf)
    assert not torch.equal(first.morf, found(heat, 4).morf)
    assert -1 <= first.difference.item() <= 1


def test_what_cannot_be_scored_is_refused() -> None:
    net, x = linear(torch.rand(SIZE)), torch.rand(1, 1, *SIZE)
    with pytest.raises(EvaluationError, match="All pixels"):
        impute(x, torch.ones(1, *SIZE, dtype=torch.bool))
    for shares, noise in (((), 0), ((0.0,), 0), ((0.5, 1.0), 0), ((0.5,), -1)):
        with pytest.raises(EvaluationError, match="shares of the pixels in"):
            road(net, x, x[:, 0], [1], shares, noise)
    with pytest.raises(EvaluationError, match="single pixel"):
        road(net, x[..., :1, :1], x[:, 0, :1, :1], [1])
    with pytest.raises(EvaluationError, match="Resize"):
        road(net, x, x[:, 0, 1:], [1])
