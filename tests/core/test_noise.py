"""A sample's random numbers depend on seed, id and stage, and on nothing else."""

import hashlib

import pytest
import torch

from input_iba.core.noise import NoiseSource, sample_seed


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
