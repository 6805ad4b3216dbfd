"""Runs that explain movie reviews, with a vocabulary and with word pieces."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from input_iba.cli.main import main
from input_iba.commands.explain.loop import batches_to_do
from input_iba.commands.explain.run import run_attribution
from input_iba.config.load import RunConfig, load_config
from input_iba.datasets import IMDBDataset, build_dataset
from input_iba.models import build_classifier
from input_iba.run.options import RunOptions
from tests.datasets.reviews import TEXTS, write_reviews
from tests.models.tiny_bert import save_tiny_bert
from tests.tiny_runs import write_config

REVIEWS = {
    **TEXTS,
    "test/pos": {"0_8": "great <script>alert(1)</script> & fun", "1_7": "A great film", "2_9": "x"},
}


def text_config(root: Path, **classifier: Any) -> dict[str, Any]:
    """Return a config of a small DeepLSTM on the reviews under `root`, with few steps."""
    reviews = {"type": "IMDBDataset", "root": str(root), "vector_cache": None}
    words = len(build_dataset({**reviews, "split": "train"}).vocabulary)  # type: ignore[attr-defined]
    small = {"type": "DeepLSTM", "vocab_size": words, "hidden_size": 8, "embedding_dim": 6}
    return {
        "_base_": [str(Path("configs/_base_/fast_text.py").resolve())],
        "data": {
            "data_loader": {"batch_size": 2, "shuffle": True, "num_workers": 0},
            "estimation": {**reviews, "split": "train"},
            "attribution": {**reviews, "split": "test"},
        },
        "attributor": {
            "type": "NLPAttributor",
            "layer": "rnn_4",
            "eval_classifier": False,
            "classifier": {"source": "nlp", **small, **classifier},
        },
        "attribution_cfg": {
            "feat_iba": {"batch_size": 2, "opt_steps": 2},
            "input_iba": {"batch_size": 2, "opt_steps": 2},
        },
    }


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_reviews(tmp_path / "imdb", REVIEWS)


@pytest.fixture
def config(tmp_path: Path, root: Path) -> RunConfig:
    torch.manual_seed(0)
    return load_config(write_config(tmp_path / "text.py", text_config(root)))


def run(config: RunConfig, work: Path, **options: Any) -> list[dict[str, Any]]:
    fixed: dict[str, Any] = {"precision": "fp32", "device": "cpu", "progress_bar": False}
    run_attribution(config, RunOptions(work_dir=work, **{**fixed, **options}))
    lines = (work / "records.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_every_word_gets_a_value(config: RunConfig, root: Path, tmp_path: Path) -> None:
    records = run(config, tmp_path / "work")
    dataset = IMDBDataset(root, split="test")
    assert [r["status"] for r in records] == ["done"] * len(dataset)
    for index in range(len(dataset)):
        sample = dataset[index]
        record = next(r for r in records if r["id"] == sample.id)
        files = record["files"]
        with np.load(tmp_path / "work" / files["map"]) as arrays:
            assert tuple(arrays["tokens"]) == sample.tokens
            assert arrays["map"].sum() == pytest.approx(record["map_bits"], rel=1e-5)
        for kind in ("input_mask", "feature_mask", "prior_mask"):
            with np.load(tmp_path / "work" / files[kind]) as arrays:
                assert tuple(arrays["tokens"]) == sample.tokens
                assert arrays["mask"].shape == (len(sample.tokens),)
                assert arrays["mask"].dtype == np.float32
                assert arrays["mask"].min() >= 0
                assert kind == "feature_mask" or arrays["mask"].max() <= 1
        strip = np.asarray(Image.open(tmp_path / "work" / files["input_mask_png"]))
        assert strip.shape == (16, 8 * len(sample.tokens))


def test_reviews_are_shown_escaped_with_values(config: RunConfig, tmp_path: Path) -> None:
    records = run(config, tmp_path / "work")
    [record] = [r for r in records if "0_8" in r["id"]]
    page = (tmp_path / "work" / record["files"]["highlights"]).read_text()
    # Its own script stands at the end, and only that.
    report = (tmp_path / "work" / "report.html").read_text().rpartition("<script>")[0]
    with np.load(tmp_path / "work" / record["files"]["map"]) as arrays:
        values = arrays["map"].tolist()
    assert page.index("Map (bits per word)") < page.index("Input mask")
    for html in (page, report):
        assert "<script>" not in html
        assert escape("<script>alert") in html
        assert all(f"{value:.4g}" in html for value in values)
        assert "which words decided" in html
        assert "pixel" not in html


def masks(work: Path, records: list[dict[str, Any]]) -> dict[str, Any]:
    found = {}
    for record in records:
        with np.load(work / record["files"]["input_mask"]) as arrays:
            found[record["id"]] = arrays["mask"]
    return found


def test_reviews_together_have_the_masks_of_each_alone(config: RunConfig, tmp_path: Path) -> None:
    found = []
    for size in (5, 1):
        work = tmp_path / str(size)
        found.append(masks(work, run(config, work, samples_per_batch=size)))
    for name in found[0]:
        np.testing.assert_allclose(found[0][name], found[1][name], atol=1e-5)


def test_reviews_of_like_length_are_explained_together_long_ones_first(
    config: RunConfig, root: Path
) -> None:
    for name, words in (("pos/0_8", 3), ("pos/1_7", 90), ("pos/2_9", 1), ("neg/0_3", 80)):
        (root / "test" / f"{name}.txt").write_text("great " * words)
    dataset = build_dataset(config.attribution_data)
    batches = batches_to_do(dataset, dataset.ids, 2, frozenset())
    names = [[Path(dataset.path(i)).stem for i in batch] for batch in batches]
    assert names[0] == ["1_7", "0_3"]
    assert names[-1] == ["2_9"]


def test_a_run_goes_on_where_it_stopped(config: RunConfig, tmp_path: Path) -> None:
    work = tmp_path / "work"
    whole = masks(work, run(config, work))
    log = work / "records.jsonl"
    log.write_text("\n".join(log.read_text().splitlines()[:2]) + "\n")
    again = masks(work, run(config, work, resume=True))
    assert list(again) == list(whole)
    assert all(np.array_equal(again[name], whole[name]) for name in whole)


def test_an_empty_review_fails_alone(config: RunConfig, root: Path, tmp_path: Path) -> None:
    (root / "test" / "pos" / "1_7.txt").write_text(" \n")
    records = run(config, tmp_path / "work")
    status = {r["id"]: r["status"] for r in records}
    assert sorted(status.values()) == ["done"] * 4 + ["failed"]
    [reason] = [r["reason"] for r in records if r["status"] == "failed"]
    assert "empty" in reason


@pytest.mark.parametrize("layer", ["embedding", "rnn_1", "rnn_4"])
@pytest.mark.parametrize("preset", ["fast", "paper"])
def test_presets_and_layers(config: RunConfig, tmp_path: Path, layer: str, preset: str) -> None:
    few: dict[str, Any] = {"attributor.layer": layer}
    if preset == "paper":
        few |= {"attribution_cfg.gan.epochs": 1, "attribution_cfg.gan.dataset_size": 4}
    chosen = load_config(config.path, few, preset)
    assert chosen.prior["type"] == {"fast": "SaliencyPrior", "paper": "NLPWGAN"}[preset]
    assert chosen.feature_iba.beta == 15
    assert chosen.input_iba.beta == 30
    assert chosen.input_iba.lr == {"fast": 0.4, "paper": 0.5}[preset]
    records = run(chosen, tmp_path / "work")
    assert {r["status"] for r in records} == {"done"}


def test_layers_are_listed_with_their_sequences(
    config: RunConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["layers", str(config.path)]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "LSTM" in lines["rnn_4"]
    assert "<- attributor.layer" in lines["rnn_4"]
    assert "cannot be chosen" in lines["fc"]
    assert "cannot be chosen" not in lines["rnn_1"]


def test_another_vocabulary_is_refused(config: RunConfig, tmp_path: Path) -> None:
    other = load_config(config.path, {"attributor.classifier.vocab_size": 999})
    with pytest.raises(Exception, match="999"):
        run(other, tmp_path / "work")


def test_small_classifier_has_the_size_of_its_config(config: RunConfig) -> None:
    assert build_classifier(config.classifier).get_submodule("rnn_1").hidden_size == 8


PIECES = {**TEXTS, "test/pos": {"0_8": "A greatly dull <b>film</b>!", "1_7": "so fun"}}


@pytest.mark.parametrize("merge", ["mean", "max"])
def test_word_pieces_of_transformers_become_words(tmp_path: Path, merge: str) -> None:
    bert = save_tiny_bert(tmp_path / "bert")
    settings = text_config(write_reviews(tmp_path / "imdb", PIECES))
    settings["attributor"]["classifier"] = {
        "source": "transformers",
        "type": str(bert),
        "pretrained": True,
    }
    settings["attributor"]["layer"] = "bert.encoder.layer.0"
    settings["attribution_cfg"]["input_mask"] = {"merge": merge}
    config = load_config(write_config(tmp_path / "bert.py", settings))
    records = run(config, tmp_path / "work")
    assert {r["status"] for r in records} == {"done"}
    [record] = [r for r in records if "0_8" in r["id"]]
    with np.load(tmp_path / "work" / record["files"]["input_mask"]) as arrays:
        words = ["A", "greatly", "dull", "<", "b", ">", "film", "<", "/", "b", ">", "!"]
        assert arrays["tokens"].tolist() == words
        assert arrays["mask"].shape == (len(words),)
        assert arrays["mask"].min() > 0  # special tokens, which have 0, are left out
    # Bits of pieces are added up, whatever becomes of masks.
    with np.load(tmp_path / "work" / record["files"]["map"]) as arrays:
        assert arrays["map"].shape == (len(words),)
        assert float(arrays["map"].sum()) == pytest.approx(record["map_bits"], rel=1e-5)


@pytest.mark.slow
def test_the_labels_of_a_transformer_decide_which_logit_is_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {0: "POSITIVE", 1: "NEGATIVE"}
    options = {"id2label": names, "label2id": {v: k for k, v in names.items()}}
    bert = save_tiny_bert(tmp_path / "bert", problem_type="multi_label_classification", **options)
    settings = text_config(write_reviews(tmp_path / "imdb", PIECES))
    classifier = {"source": "transformers", "type": str(bert), "pretrained": True}
    settings["attributor"] |= {"classifier": classifier, "layer": "bert.encoder.layer.0"}
    config = load_config(write_config(tmp_path / "bert.py", settings))
    for record in run(config, tmp_path / "work"):
        positive = "pos" in Path(record["path"]).parent.name
        expected = (0, "POSITIVE") if positive else (1, "NEGATIVE")
        assert (record["target"], record["class_name"]) == expected
        shares = [share for _, share in record["top_classes"]]
        assert sum(shares) != pytest.approx(1, abs=1e-3)  # sigmoids
    said = capsys.readouterr().err
    assert "neg is 1 (NEGATIVE), pos is 0 (POSITIVE)" in said
    assert "use_softmax=False is taken" in said


def test_there_is_nothing_to_upscale_in_a_mask_of_words(tmp_path: Path, root: Path) -> None:
    path = write_config(tmp_path / "text.py", text_config(root))
    without = load_config(path, {"attribution_cfg.feat_mask.upscale": False})
    [warning] = set(without.warnings) - set(load_config(path).warnings)
    assert "'attribution_cfg.feat_mask.upscale=False' has no effect on texts" in warning
