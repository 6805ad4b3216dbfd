"""The script that trains transformers, on a tiny BERT: the head alone, and all of it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch

from input_iba.cli.main import script
from input_iba.models import build_classifier
from tests.datasets.reviews import write_reviews
from tests.models.tiny_bert import save_tiny_bert

CONFIG = Path("configs/minilm_imdb.py").resolve()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a folder of a BERT, and of reviews in which one word of two tells the class."""
    draws = random.Random(0)

    def review(word: str) -> str:
        words = draws.choices([f"w{i}" for i in range(6)], k=draws.randint(2, 5))
        return " ".join([*words, word, word])

    write_reviews(
        tmp_path / "imdb",
        {
            f"{split}/{name}": {f"{i}_{rating}": review(word) for i in range(count)}
            for split, count in (("train", 60), ("test", 10))
            for name, rating, word in (("pos", 9, "great"), ("neg", 2, "flatly"))
        },
    )
    save_tiny_bert(tmp_path / "bert")
    return tmp_path


def run(folder: Path, *extra: str, frozen: bool, work_dir: str = "work") -> int:
    reviews = {"root": str(folder / "imdb"), "vector_cache": None, "max_length": 12}
    keys = {"folder": str(folder / "bert"), "frozen": frozen, "pretrained": str(folder / "net.pt")}
    (folder / "config.py").write_text(
        f"_base_ = [{str(CONFIG)!r}]\n"
        f"data = dict(estimation={reviews}, attribution={reviews})\n"
        f"attributor = dict(classifier={keys})\n"
    )
    fixed = ("--work-dir", str(folder / work_dir), "--device", "cpu", "--precision", "fp32")
    return script("train nlp", [str(folder / "config.py"), *fixed, "--batch-size", "12", *extra])


@pytest.mark.parametrize("frozen", [True, False])
def test_it_learns_from_what_the_tokenizer_cuts(
    data: Path, capsys: pytest.CaptureFixture[str], frozen: bool
) -> None:
    lr = "0.05" if frozen else "0.005"
    assert run(data, "--epochs", "8", "--lr", lr, frozen=frozen) == 0
    printed = capsys.readouterr()
    assert "on the test set 100.00%" in printed.out
    assert "MiniLMClassifier on 114 texts, 6 held out" in printed.err
    cfg = {"source": "custom", "type": "MiniLMClassifier", "folder": str(data / "bert")}
    untrained = build_classifier({**cfg, "num_classes": 2}).state_dict()
    trained = torch.load(data / "net.pt", weights_only=True)["state_dict"]
    same = [torch.equal(untrained[k], trained[k]) for k in trained if k.startswith("encoder")]
    assert all(same) == frozen
    build_classifier({**cfg, "num_classes": 2, "pretrained": str(data / "net.pt")})


def test_a_part_of_the_reviews(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    few = ("--num-samples", "40", "--num-test-samples", "7")
    assert run(data, "--epochs", "1", *few, frozen=True) == 0
    said = capsys.readouterr().err
    assert "on 38 texts, 2 held out" in said
    assert "7/7" in said, "the test reviews are counted"
    assert run(data, "--epochs", "1", "--resume", frozen=True) == 2
    assert "num_samples: was 40, now 0" in capsys.readouterr().err
    assert run(data, "--epochs", "1", "--resume", *few, frozen=True) == 0


@pytest.mark.parametrize("option", ["--num-samples", "--num-test-samples"])
def test_a_part_is_a_whole_number(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        script("train nlp", [str(CONFIG), option, "-3"])
    assert "must be a number of at least 0" in capsys.readouterr().err
