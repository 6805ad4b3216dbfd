"""Training on movie reviews by the same trainer, and explaining texts that it never saw."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from input_iba import models
from input_iba.errors import ConfigError
from input_iba.records import Failure
from input_iba.results import read_text_mask
from input_iba.run.shell import Run
from input_iba.vibi.commands.config import load_vibi_config
from input_iba.vibi.commands.explain import ChunkExplanation, explain_files
from input_iba.vibi.commands.options import ExplainVibiOptions, VibiOptions
from input_iba.vibi.commands.prepared import prepare
from input_iba.vibi.commands.run import run_vibi
from input_iba.vibi.commands.texts import Texts
from input_iba.vibi.texts import unpacked
from tests.datasets.reviews import write_reviews

REVIEWS = {
    f"{split}/{name}": {
        f"{i}_{rating}": f"A {word} film. So {word} ! And {'very ' * (i % 5)} {word}"
        for i in range(12)
    }
    for split in ("train", "test")
    for name, word, rating in (("pos", "great", 9), ("neg", "dull", 2))
}
"""Of 11 words: `<unk>`, `<pad>`, a, film, so, and, very, great, dull, the full stop and `!`."""


CPU = Run(torch.device("cpu"), None)


class StoppedError(Exception):
    """What stops a training in the middle."""


def write_config(folder: Path, chunks: str = "word", k: int = 1) -> Path:
    """Write reviews, an untrained LSTM's checkpoint, and a config."""
    write_reviews(folder / "imdb", REVIEWS)
    classifier = {
        **{"source": "custom", "type": "DeepLSTM", "num_classes": 1, "vocab_size": 11},
        **{"embedding_dim": 6, "hidden_size": 4},
    }
    torch.manual_seed(0)
    weights = models.build_classifier(classifier).state_dict()
    weights["fc.weight"] *= 30
    torch.save(weights, folder / "lstm.pt")
    classifier["pretrained"] = str(folder / "lstm.pt")
    path = folder / "text.py"
    path.write_text(
        f"""
data = dict(dataset="IMDB", root={str(folder / "imdb")!r})
texts = dict(chunks={chunks!r}, max_length=8)
black_box = dict(classifier={classifier!r})
explainer = dict(k={k}, width=8)
approximator = dict(width=8)
training = dict(epochs=2, batch_size=8)
"""
    )
    return path


def options(work_dir: Path, resume: bool = False, every_epoch: bool = False) -> VibiOptions:
    return VibiOptions(
        work_dir=work_dir,
        device="cpu",
        precision="fp32",
        resume=resume,
        save_images_every_epoch=every_epoch,
    )


def test_texts_are_cut_split_and_answered(tmp_path: Path) -> None:
    config = load_vibi_config(write_config(tmp_path), {})
    ready = prepare(config, CPU)
    assert len(ready.train) + len(ready.validation) == 24
    assert len(ready.test) == 24
    assert ready.class_names == ["neg", "pos"]
    assert ready.networks.input_shape[1] == 7
    assert max(len(row) for row in ready.train.inputs) == 8  # its last 8 tokens
    assert ready.train.log_probabilities.exp().sum(1).numpy() == pytest.approx(1, abs=1e-5)


def test_fewer_texts_can_be_drawn(tmp_path: Path) -> None:
    config = load_vibi_config(write_config(tmp_path), {"data.num_train": 10, "data.num_test": 5})
    ready = prepare(config, CPU)
    assert len(ready.train) + len(ready.validation) == 10
    assert len(ready.test) == 5


@pytest.mark.parametrize(("chunks", "k"), [("word", 2), ("five_words", 1), ("sentence", 1)])
def test_a_run_of_texts_is_a_run(tmp_path: Path, chunks: str, k: int) -> None:
    config = load_vibi_config(write_config(tmp_path, chunks, k), {})
    result = run_vibi(config, options(tmp_path / "run"))
    assert result.test.samples == 24
    found = json.loads((tmp_path / "run" / "results.json").read_text())
    assert 0 <= found["test"]["approximator"] <= 1
    assert len((tmp_path / "run" / "metrics.jsonl").read_text().splitlines()) == 2
    pages = sorted((tmp_path / "run" / "pictures").glob("*.html"))
    assert len(pages) == 24
    assert "great" in pages[-1].read_text() or "dull" in pages[-1].read_text()
    assert (tmp_path / "run" / "pictures" / "curves.png").is_file()

    files = [tmp_path / "imdb" / "test" / "pos" / "0_9.txt", tmp_path / "none.txt"]
    checkpoint = tmp_path / "run" / "best.pth"
    how = ExplainVibiOptions(
        checkpoint=checkpoint, out=tmp_path / "out", device="cpu", precision="fp32"
    )
    one, failed = explain_files(how, files)
    assert isinstance(failed, Failure)
    assert isinstance(one, ChunkExplanation)
    assert {one.black_box[0], one.approximator[0], one.rationale[0]} <= {"neg", "pos"}
    tokens, mask, _ = read_text_mask(tmp_path / "out" / "0_9.npz")
    assert tokens == ["a", "great", "film", ".", "so", "great", "!", "and", "great"][-8:]
    with np.load(tmp_path / "out" / "0_9.npz") as arrays:
        shown = arrays["top_k"]
    assert mask.shape == shown.shape == (8,)
    assert mask[shown > 0].min() >= mask[shown == 0].max(initial=0)
    if chunks == "word":
        assert shown.sum() == 2
        assert mask.sum() == pytest.approx(1, abs=1e-5)
    if chunks == "sentence":  # film . | so great ! | and great
        assert shown.tolist() in (
            [1, 1, 1, 0, 0, 0, 0, 0],
            [0, 0, 0, 1, 1, 1, 0, 0],
            [0, 0, 0, 0, 0, 0, 1, 1],
        )
    assert (tmp_path / "out" / "0_9.html").is_file()


@pytest.mark.slow
def test_a_continued_run_of_texts_equals_an_uninterrupted_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = load_vibi_config(write_config(tmp_path), {})
    whole = run_vibi(config, options(tmp_path / "whole"))

    calls: list[int] = []

    def stop_in_epoch_2(*_: object) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise StoppedError

    with monkeypatch.context() as patch:
        patch.setattr(Texts, "draw", stop_in_epoch_2)
        with pytest.raises(StoppedError):
            run_vibi(config, options(tmp_path / "cut", every_epoch=True))
    assert len((tmp_path / "cut" / "metrics.jsonl").read_text().splitlines()) == 1
    resumed = run_vibi(config, options(tmp_path / "cut", resume=True))
    assert resumed.test == whole.test
    assert resumed.validation == whole.validation


def test_a_black_box_without_weights_is_refused(tmp_path: Path) -> None:
    path = write_config(tmp_path)
    config = load_vibi_config(path, {"black_box.classifier.pretrained": ""})
    with pytest.raises(ConfigError, match="input-iba train nlp"):
        prepare(config, CPU)


def test_a_classifier_of_other_words_is_refused(tmp_path: Path) -> None:
    path = write_config(tmp_path)
    more = {f"{i}_9": "an entirely different film" for i in range(50, 53)}
    write_reviews(tmp_path / "imdb", {"train/pos": more})
    with pytest.raises(ConfigError, match="vocabulary"):
        prepare(load_vibi_config(path, {}), CPU)


def test_unknown_chunks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Closest: 'sentence'"):
        load_vibi_config(write_config(tmp_path), {"texts.chunks": "sentences"})


def test_the_section_of_texts_stays_out_of_configs_of_pictures() -> None:
    config = load_vibi_config(None, {})
    assert "texts" not in config.plain()


def test_chunk_numbers_survive_the_way_through_the_black_box(tmp_path: Path) -> None:
    config = load_vibi_config(write_config(tmp_path), {})
    ready = prepare(config, CPU)
    inputs, _ = next(iter(ready.train.batches(4)))
    numbers = unpacked(inputs)[1]
    assert numbers.max() == 7
    assert numbers.min() == -1 or numbers.shape[1] == 8
