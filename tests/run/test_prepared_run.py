"""Classes of a data set and logits of a classifier: which is which, and what is said of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from torch import Tensor, nn

from input_iba.config.load import load_config
from input_iba.core.outputs import classifier_digest
from input_iba.datasets import SampleDataset, build_dataset
from input_iba.errors import ConfigError
from input_iba.run.prepared_run import Reading, read_logits
from tests.tiny_runs import tiny_config, write_config, write_images


class Answers(nn.Module):
    """As many logits as asked for, named or not."""

    def __init__(self, logits: int, labels: Sequence[str] = (), problem: str | None = None) -> None:
        super().__init__()
        self.linear = nn.LazyLinear(logits)
        if labels or problem:
            named = dict(enumerate(labels))
            self.config = SimpleNamespace(id2label=named, problem_type=problem)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.linear(x.mean((2, 3)))
        return found


def read(
    root: Path,
    model: nn.Module,
    classes: Mapping[str, object] | None = None,
    folders: Sequence[str] = ("neg", "pos"),
    **attributor: Any,
) -> Reading:
    """Read a classifier on one picture of each class."""
    for name in folders:
        write_images(root / "attribution" / name, [f"of {name}"])
    content = tiny_config(root)
    content["attributor"] |= attributor
    if classes is not None:
        content["attributor"]["classes"] = dict(classes)
    if "use_softmax" not in attributor:
        del content["attributor"]["use_softmax"]
    config = load_config(write_config(root / "c.py", content))
    return read_logits(config, model.eval(), build_dataset(config.attribution_data))


def targets(dataset: SampleDataset) -> list[int | None]:
    """Return the targets, which samples hold as well."""
    found = [dataset.target(i) for i in range(len(dataset))]
    assert [dataset[i].target for i in range(len(dataset))] == found
    return found


@pytest.mark.parametrize("model", [Answers(2), Answers(1), Answers(2, ["LABEL_0", "LABEL_1"])])
def test_without_names_classes_are_counted(tmp_path: Path, model: nn.Module) -> None:
    reading = read(tmp_path, model)
    assert targets(reading.dataset) == [0, 1]
    assert reading.dataset.class_names == ["neg", "pos"]
    assert (reading.notes, reading.warnings) == ((), ())
    assert (
        reading.dataset.fingerprint()
        == build_dataset(reading.config.attribution_data).fingerprint()
    )


def test_labels_say_which_logit_a_class_is(tmp_path: Path) -> None:
    reading = read(tmp_path, Answers(3, ["POSITIVE", "NEUTRAL", "NEGATIVE"]))
    assert targets(reading.dataset) == [2, 0]
    assert reading.dataset.class_names == ["POSITIVE", "NEUTRAL", "NEGATIVE"]
    assert "neg is 2 (NEGATIVE), pos is 0 (POSITIVE)" in reading.notes[0]
    other = read(tmp_path, Answers(3, ["NEGATIVE", "NEUTRAL", "POSITIVE"]))
    assert other.dataset.fingerprint() != reading.dataset.fingerprint()


def test_labels_that_do_not_match_need_an_answer(tmp_path: Path) -> None:
    stars = Answers(5, [f"{i + 1} stars" for i in range(5)])
    with pytest.raises(ConfigError, match="neg, pos, the classifier 0 '1 stars'") as e:
        read(tmp_path, stars)
    assert "attributor.classes={'neg': 0, 'pos': 4}" in str(e.value)
    reading = read(tmp_path, stars, {"neg": 0, "pos": "5 stars"})
    assert targets(reading.dataset) == [0, 4]
    assert reading.dataset.class_names == [f"{i + 1} stars" for i in range(5)]
    assert targets(read(tmp_path, stars, {"neg": None, "pos": 3}).dataset) == [None, 3]


@pytest.mark.parametrize("logits", [3, 1000])
def test_other_numbers_of_classes_explain_the_prediction(tmp_path: Path, logits: int) -> None:
    reading = read(tmp_path, Answers(logits))
    assert targets(reading.dataset) == [None, None]
    [warning] = reading.warnings
    assert f"2 classes (neg, pos), the classifier {logits}" in warning
    assert f"attributor.classes={{'neg': 0, 'pos': {logits - 1}}}" in warning
    assert reading.dataset.class_names == [f"class {i}" for i in range(logits)]


def test_more_classes_than_logits_are_said_too(tmp_path: Path) -> None:
    reading = read(tmp_path, Answers(1), folders=("a", "b", "c"))
    assert targets(reading.dataset) == [None] * 3
    assert "3 classes (a, b, c), the classifier 2" in reading.warnings[0]


@pytest.mark.parametrize("folders", [("Persian_cat", "beagle"), ("n02088364", "n02123394")])
def test_names_and_ids_of_imagenet_are_known(tmp_path: Path, folders: Sequence[str]) -> None:
    reading = read(tmp_path, Answers(1000), folders=folders)
    assert set(targets(reading.dataset)) == {162, 283}
    names = reading.dataset.class_names
    assert names is not None
    assert (names[162], names[283]) == ("beagle", "Persian cat")


def test_a_class_index_file_counts_as_it_is(tmp_path: Path) -> None:
    write_images(tmp_path / "attribution" / "n1", ["a"])
    for path in (tmp_path / "attribution" / "n1").iterdir():
        path.rename(path.with_suffix(".JPEG"))
    (tmp_path / "index.json").write_text('{"4": ["n1", "tench"]}')
    content = tiny_config(tmp_path)
    content["data"]["attribution"] = {
        "type": "ImageNet",
        "img_root": str(tmp_path / "attribution"),
        "ind_to_cls_file": str(tmp_path / "index.json"),
        "pipeline": content["data"]["attribution"]["pipeline"],
    }
    config = load_config(write_config(tmp_path / "c.py", content))
    dataset = build_dataset(config.attribution_data)
    assert read_logits(config, Answers(9).eval(), dataset).dataset is dataset
    stars = Answers(9, [f"{i + 1} stars" for i in range(9)]).eval()
    assert read_logits(config, stars, dataset).dataset is dataset
    asked = read_logits(replace(config, classes={"tench": "7 stars"}), stars, dataset)
    assert targets(asked.dataset) == [6]
    (tmp_path / "index.json").write_text(
        '{"0": ["n1", "crane"], "1": ["n2", "crane"], "2": ["n3", "x"]}'
    )
    twice = build_dataset(config.attribution_data)
    asked = read_logits(replace(config, classes={"x": 5}), Answers(9).eval(), twice)
    assert targets(asked.dataset) == [0]


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ({"nag": 0}, "names 'nag', which is not a class .* Closest: 'neg'"),
        ({"neg": 3}, "gives logit 3 for 'neg'; the classifier has logits 0 to 2"),
        ({"neg": -1}, "gives logit -1"),
        ({"neg": "bad"}, "has no names for its logits. Give the index"),
    ],
)
def test_classes_that_do_not_exist_are_refused(
    tmp_path: Path, classes: Mapping[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        read(tmp_path, Answers(3), classes)


@pytest.mark.parametrize("classes", [3, {"neg": 1.5}, {"neg": [1]}, {"neg": True}])
def test_the_key_has_a_form(tmp_path: Path, classes: object) -> None:
    with pytest.raises(ConfigError, match=r"'attributor.classes' of .* must be of type"):
        load_config(
            write_config(tmp_path / "c.py", tiny_config(tmp_path)), {"attributor.classes": classes}
        )


class Broken(Answers):
    """Answers nothing."""

    def forward(self, x: Tensor) -> Tensor:
        raise RuntimeError("no")


def test_a_classifier_that_fails_is_left_to_the_run(tmp_path: Path) -> None:
    assert targets(read(tmp_path, Broken(3)).dataset) == [0, 1]
    assert targets(read(tmp_path, Broken(3), {"neg": 7, "pos": None}).dataset) == [7, None]


def test_weights_of_half_the_length_are_counted(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 5)).bfloat16()
    assert "the classifier 5" in read(tmp_path, model).warnings[0]


def test_pictures_without_classes_have_none_to_name(tmp_path: Path) -> None:
    write_images(tmp_path / "attribution", ["flat"])
    assert read(tmp_path, Answers(3), folders=()).warnings == ()
    with pytest.raises(ConfigError, match="no sample has a class"):
        read(tmp_path, Answers(3), {"neg": 0}, folders=())


def test_classes_that_do_not_exclude_each_other_are_taken_over(tmp_path: Path) -> None:
    model = Answers(2, problem="multi_label_classification")
    reading = read(tmp_path, model)
    assert reading.config.use_softmax is False
    assert "use_softmax=False" in reading.notes[-1]
    assert read(tmp_path, model, use_softmax=True).config.use_softmax is True
    assert read(tmp_path, Answers(2)).config.use_softmax is True
    before = classifier_digest(model)
    model.config.problem_type = None
    assert classifier_digest(model) != before
