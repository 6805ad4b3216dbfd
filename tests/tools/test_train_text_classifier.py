"""The script that trains DeepLSTM: it learns, resumes exactly, and says what is wrong."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from input_iba.cli.main import script
from input_iba.models import build_classifier
from input_iba.training.trainer import Trainer
from tests.datasets.reviews import write_reviews, write_vectors

CONFIG = Path("configs/deep_lstm.py").resolve()
FILLER = ("the", "film", "plot", "was", "and", ".")
SIZE = 2 + len(FILLER) + 2


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a folder of reviews in which one word of two tells the class, and of vectors."""
    draws = random.Random(0)

    def review(word: str) -> str:
        words = draws.choices(FILLER, k=draws.randint(3, 9))
        words[draws.randrange(len(words))] = word
        return " ".join(words)

    write_reviews(
        tmp_path / "imdb",
        {
            f"{split}/{name}": {f"{i}_{rating}": review(word) for i in range(count)}
            for split, count in (("train", 60), ("test", 10))
            for name, rating, word in (("pos", 9, "great"), ("neg", 2, "awful"))
        },
    )
    write_vectors(tmp_path / "vectors/glove.6B.8d.txt", {"great": 2.0, "awful": -2.0}, 8)
    return tmp_path


def classifier(path: Path) -> dict[str, Any]:
    sizes = {"vocab_size": SIZE, "embedding_dim": 8, "hidden_size": 16, "dropout": 0.1}
    cfg = {"source": "custom", "type": "DeepLSTM", "num_classes": 1}
    return {**cfg, **sizes, "pretrained": str(path)}


def run(folder: Path, *extra: str, name: str = "net", work_dir: str = "work", **keys: Any) -> int:
    reviews = {"root": str(folder / "imdb"), "vector_cache": str(folder / "vectors"), **keys}
    (folder / "config.py").write_text(
        f"_base_ = [{str(CONFIG)!r}]\n"
        f"data = dict(estimation={reviews}, attribution={reviews})\n"
        f"attributor = dict(classifier={classifier(folder / name).copy()})\n"
    )
    fixed = ("--work-dir", str(folder / work_dir), "--device", "cpu", "--precision", "fp32")
    few = ("--batch-size", "12", "--lr", "0.02")
    return script("train nlp", [str(folder / "config.py"), *fixed, *few, *extra])


def test_it_learns_from_both_classes_and_writes_a_checkpoint_that_loads(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(data, "--epochs", "8", "--gpu-id", "0", "--device", "auto", name="net.pt") == 0
    printed = capsys.readouterr()
    assert "on the test set 100.00%" in printed.out
    assert "vectors of 2 of 10 words" in printed.err
    assert "on 114 texts, 6 held out" in printed.err
    build_classifier(classifier(data / "net.pt"))
    assert not list(data.rglob("*.part"))


def test_it_learns_from_texts_of_ones_own(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = ["text\tmood"]
    for folder in (data / "imdb/test/pos", data / "imdb/test/neg"):
        rows += [f"{path.read_text()}\t{folder.name}" for path in folder.glob("*.txt")]
    (data / "test.tsv").write_text("\n".join(rows))
    training = {"type": "TextFolder", "root": str(data / "imdb/train")}
    test = {"type": "TextTable", "file": str(data / "test.tsv"), "label": "mood"}
    sets = {
        "estimation": {**training, "vocabulary": training, "select_cls": "pos"},
        "attribution": {**test, "vocabulary": training, "select_cls": "pos"},
    }
    (data / "config.py").write_text(
        f"_base_ = [{str(CONFIG.parent / '_base_/fast_text.py')!r}]\n"
        f"data = dict(data_loader=dict(batch_size=8, shuffle=True, num_workers=0), **{sets})\n"
        f"attributor = dict(layer='rnn_4', classifier={classifier(data / 'net.pt')})\n"
    )
    fixed = ("--device", "cpu", "--precision", "fp32", "--batch-size", "12", "--lr", "0.02")
    where = ("--work-dir", str(data / "work"), "--epochs", "8")
    assert script("train nlp", [str(data / "config.py"), *fixed, *where]) == 0
    printed = capsys.readouterr()
    assert "on the test set 100.00%" in printed.out
    assert "on 114 texts, 6 held out" in printed.err


def test_resumed_training_ends_at_the_same_weights(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(data, "--epochs", "3", name="whole.pt", work_dir="whole") == 0
    train_epoch = Trainer.train_epoch

    def stopped(self: Trainer[Any], epoch: int, on_step: Any) -> dict[str, float]:
        if epoch == 1:
            raise KeyboardInterrupt
        return train_epoch(self, epoch, on_step)

    monkeypatch.setattr(Trainer, "train_epoch", stopped)
    assert run(data, "--epochs", "3", name="net.pt") == 130
    monkeypatch.setattr(Trainer, "train_epoch", train_epoch)
    torch.rand(3)
    assert run(data, "--epochs", "3", "--resume", "--max-length", "9", name="net.pt") == 2
    assert run(data, "--epochs", "3", "--resume", name="net.pt") == 0
    states = [
        torch.load(data / name / "training_state.pth", weights_only=True)["state_dict"]
        for name in ("whole", "work")
    ]
    for name, value in states[0].items():
        assert torch.equal(value, states[1][name]), name


def test_another_seed_another_network(data: Path) -> None:
    weights = []
    for name, seed in (("a", "0"), ("b", "0"), ("c", "1")):
        assert run(data, "--epochs", "1", "--seed", seed, name=f"{name}.pt", work_dir=name) == 0
        weights.append(torch.load(data / f"{name}.pt", weights_only=True)["state_dict"])
    assert torch.equal(weights[0]["fc.weight"], weights[1]["fc.weight"])
    assert not torch.equal(weights[0]["fc.weight"], weights[2]["fc.weight"])


def test_another_vocabulary_is_refused(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(data, name="net.pt", max_words=5) == 2
    said = capsys.readouterr().err
    assert "has 7 words, and the classifier's embedding 10" in said
    assert "attributor.classifier.vocab_size=7" in said


def test_pictures_cannot_train_it(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keys = {"data.estimation.type": "Samples", "data.estimation.names": ["chelsea"]}
    options = [f"{key}={value}" for key, value in keys.items()]
    assert run(data, "--cfg-options", *options, name="net.pt") == 2
    assert "data.estimation" in capsys.readouterr().err


def test_missing_vectors_and_none(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(data / "vectors")
    assert run(data, name="net.pt") == 2
    said = capsys.readouterr().err
    assert "Put glove.6B.8d.txt there" in said
    assert "data.estimation" in said
    assert run(data, "--epochs", "1", name="net.pt", vector_cache=None) == 0
    assert "without word vectors" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--max-length", "0"], "argument --max-length: value must be a number"),
        (["--batch-size", "-1"], "argument --batch-size: value must be a number"),
    ],
)
def test_wrong_settings(
    data: Path, capsys: pytest.CaptureFixture[str], extra: list[str], message: str
) -> None:
    with pytest.raises(SystemExit):
        run(data, *extra, name="net.pt")
    assert message in capsys.readouterr().err


def test_pictures_have_no_length(capsys: pytest.CaptureFixture[str]) -> None:
    assert script("train nlp", ["configs/cifar10/resnet_cifar10_test.py", "--max-length", "9"]) == 2
    assert "--max-length has no effect" in capsys.readouterr().err
