"""A sample's random numbers depend on seed, id and stage, and on nothing else."""

import hashlib

import pytest
import torch

from input_iba.attribution import InputBottleneck
from input_iba.core.noise import NoiseSource, noise_draws, sample_seed
from input_iba.errors import ConfigError


def test_neighbours_do_not_matter() -> None:
    together = NoiseSource(["a", "b", "c"], 1, "prior")
    alone = NoiseSource(["b"], 1, "prior")
    for shape in [(3, 4), (5,)]:
        assert torch.equal(together.normal(*shape)[1], alone.normal(*shape)[0])
    assert torch.equal(together.uniform(-2, 2, 7)[1], alone.uniform(-2, 2, 7)[0])
    assert torch.equal(together.permutation(9)[1], alone.permutation(9)[0])


@pytest.mark.parametrize(
    "other", [("a", 2, "prior"), ("b", 1, "prior"), ("a", 1, "input_iba")], ids=str
)
def test_seed_id_and_stage_matter(other: tuple[str, int, str]) -> None:
    sample, seed, stage = other
    first = NoiseSource(["a"], 1, "prior").normal(100)
    assert not torch.equal(first, NoiseSource([sample], seed, stage).normal(100))


def test_distributions() -> None:
    noise = NoiseSource(["a"], 0, "x", dtype=torch.float64)
    normal, uniform = noise.normal(100_000), noise.uniform(-2, 3, 100_000)
    assert normal.dtype == torch.float64
    assert abs(normal.mean().item()) < 0.02
    assert abs(normal.std().item() - 1) < 0.02
    assert uniform.min() >= -2
    assert uniform.max() <= 3
    assert abs(uniform.mean().item() - 0.5) < 0.03
    assert noise.permutation(6)[0].sort().values.tolist() == [0, 1, 2, 3, 4, 5]


def test_seeds_are_the_same_on_every_machine() -> None:
    digest = hashlib.sha256(b"0/coffee/prior").digest()
    assert sample_seed(0, "coffee", "prior") == int.from_bytes(digest[:8], "big") // 2


def test_antithetic_draws_are_half_as_many_with_both_signs() -> None:
    for draws in (1, 4, 5):
        drawn = noise_draws(NoiseSource(["a", "b"], 0, "x"), "antithetic", draws, 3)()
        assert drawn.shape == (2, draws, 3)
        half = NoiseSource(["a", "b"], 0, "x").normal(-(-draws // 2), 3)
        assert torch.equal(drawn[:, : half.shape[1]], half)
        assert torch.equal(drawn[:, half.shape[1] :], -half[:, : draws // 2])


def test_fixed_draws_are_those_of_the_first_step() -> None:
    draw = noise_draws(NoiseSource(["a"], 0, "x"), "fixed", 4, 3)
    first = draw()
    assert torch.equal(first, NoiseSource(["a"], 0, "x").normal(4, 3))
    assert torch.equal(draw(), first)


def test_fresh_draws_differ_from_step_to_step() -> None:
    draw = noise_draws(NoiseSource(["a"], 0, "x"), "fresh", 4, 3)
    assert not torch.equal(draw(), draw())


def test_unknown_ways_to_draw_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"input_iba.noise .*'fresh', .* got 'new'"):
        InputBottleneck(noise="new")


@pytest.mark.parametrize("draws", [1, 4, 5])
def test_padding_changes_no_number_of_a_text(draws: int) -> None:
    lengths = torch.tensor([2, 7, 4])
    together = NoiseSource(["a", "b", "c"], 1, "prior", lengths=lengths)
    drawn = [together.normal(draws, 7, 5), together.antithetic(draws, 7, 5)]
    drawn.append(together.directions((7, 5), draws).mT.reshape(3, draws, 7, 5))
    for i, (name, length) in enumerate(zip("abc", lengths.tolist(), strict=True)):
        own = NoiseSource([name], 1, "prior", lengths=lengths[i : i + 1])
        expected = [own.normal(draws, length, 5), own.antithetic(draws, length, 5)]
        expected.append(own.directions((length, 5), draws).mT.reshape(1, draws, length, 5))
        for ours, theirs in zip(drawn, expected, strict=True):
            assert torch.equal(ours[i, :, :length], theirs[0])
            assert ours[i, :, length:].abs().sum() == 0


def test_directions_without_texts_are_columns_of_normal_numbers() -> None:
    first, other = (NoiseSource(["a"], 1, "x") for _ in range(2))
    assert torch.equal(first.directions((2, 3), 4), other.normal(6, 4))
