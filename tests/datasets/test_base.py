"""A data set under the class indices of a classifier."""

from __future__ import annotations

from pathlib import Path

import torch

from input_iba.datasets import Relabelled, build_dataset
from tests.tiny_runs import PIPELINE, write_images


def test_only_numbers_and_names_of_classes_differ(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        write_images(tmp_path / name, [f"of {name}"])
    source = build_dataset({"type": "ImageFolder", "img_root": tmp_path, "pipeline": PIPELINE})
    other = Relabelled(source, [4, None, 0], [f"logit {i}" for i in range(5)])
    assert other.ids == source.ids
    assert (
        [other.target(i) for i in range(3)] == [other[i].target for i in range(3)] == [4, None, 0]
    )
    assert other.class_names == [f"logit {i}" for i in range(5)]
    for i in range(3):
        assert torch.equal(other[i].input, source[i].input)
        assert (other.path(i), other.length(i)) == (source.path(i), source.length(i))


def test_the_fingerprint_knows_numbers_and_names(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_images(tmp_path / name, [f"of {name}"])
    source = build_dataset({"type": "ImageFolder", "img_root": tmp_path, "pipeline": PIPELINE})
    made: list[tuple[list[int | None], list[str] | None]] = [
        ([0, 1], None),
        ([1, 0], None),
        ([0, None], None),
        ([0, 1], ["x", "y"]),
    ]
    found = {Relabelled(source, indices, names).fingerprint() for indices, names in made}
    assert len(found | {source.fingerprint()}) == 5
