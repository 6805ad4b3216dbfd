"""Texts without a config: what they are made into, and what is said when something is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from input_iba.commands.explain.texts import GivenTexts
from input_iba.config.load import load_config
from input_iba.errors import CheckpointError, ConfigError, DataError
from tests.models.tiny_bert import save_tiny_bert

NAMES = {"id2label": {0: "NEGATIVE", 1: "POSITIVE"}, "label2id": {"NEGATIVE": 0, "POSITIVE": 1}}
TEXT = 'It\'s a "great" film,<br />and {{so}} fun\\n. 电影 👩\u200d💻'


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_tiny_bert(tmp_path_factory.mktemp("bert"), **NAMES))


def config_of(*texts: str, **keys: Any) -> Any:
    return GivenTexts(texts=texts, **keys).config({}, None)


def test_a_text_becomes_a_normal_config(bert: str, tmp_path: Path) -> None:
    config = config_of(TEXT, model=bert, targets=["positive", "0"])
    assert config.kind.name == "texts"
    assert (config.layer, config.preset) == ("bert.encoder.layer.0", "fast")
    assert (config.estimation.n_samples, config.warnings) == (200, ())
    assert config.attribution_data["classes"] == ["NEGATIVE", "POSITIVE"]
    assert config.attribution_data["texts"] == [TEXT.replace("<br />", "\n")]
    file = tmp_path / "config.py"
    file.write_text(config.text(), encoding="utf-8")
    assert load_config(file).digest() == config.digest()


def test_options_presets_and_layers_count(bert: str) -> None:
    asked = GivenTexts(texts=("fun",), model=bert, layer="bert.embeddings")
    config = asked.config({"estimation_cfg.n_samples": 7}, "paper")
    assert (config.layer, config.preset, config.estimation.n_samples) == (
        *("bert.embeddings", "paper"),
        7,
    )
    assert config.prior["type"] == "NLPWGAN"


def test_labels_that_say_nothing_are_shown_as_they_are(tmp_path: Path) -> None:
    plain = str(save_tiny_bert(tmp_path, classes=3))
    config = config_of("fun", model=plain, targets=["label_2"])
    assert config.attribution_data["classes"] == ["LABEL_0", "LABEL_1", "LABEL_2"]


@pytest.mark.parametrize(
    ("keys", "kind", "said"),
    [
        ({"model": None}, ConfigError, "--text needs --model: a folder"),
        ({"layer": "bert.encoder.layer.9"}, ConfigError, "Closest: 'bert.encoder.layer.1'"),
        ({"targets": ["positiv"]}, ConfigError, "Closest: 'positive'"),
        ({"targets": ["2"]}, ConfigError, "indices go from 0 to 1"),
        ({"model": "no/such/folder"}, CheckpointError, "Nothing could be loaded from"),
    ],
)
def test_what_errors_say(
    bert: str, keys: dict[str, Any], kind: type[Exception], said: str, monkeypatch: Any
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(kind, match=said):
        config_of("great fun", **{"model": bert, **keys})


def test_a_mistyped_folder_is_told_which_are_near(
    bert: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    (tmp_path / "classifier").mkdir()
    with pytest.raises(CheckpointError, match="Closest: 'classifier'"):
        config_of("great fun", model=str(tmp_path / "clasifier"))


def test_the_name_of_a_file_is_not_explained_as_a_text(bert: str, tmp_path: Path) -> None:
    (tmp_path / "my.txt").write_text("great fun")
    with pytest.raises(ConfigError, match=r"is the name of a file.*\$\(cat"):
        config_of(str(tmp_path / "my.txt"), model=bert)
    assert config_of("great fun.no", "x" * 5000 + ".txt", model=bert)


def test_texts_without_a_word_are_refused(bert: str) -> None:
    with pytest.raises(ConfigError, match="Text 2 of 2 is empty"):
        config_of("fun", " ", model=bert)
    with pytest.raises(DataError, match="'--text, number 1' is empty"):
        config_of("[SEP]", model=bert)


def test_an_encoder_alone_is_explained_by_its_embedding(tmp_path: Path) -> None:
    from tests.models.tiny_bert import tiny_bert, tokenizer

    tiny_bert().bert.save_pretrained(tmp_path)
    tokenizer().save_pretrained(tmp_path)
    config = config_of("fun", model=str(tmp_path))
    assert config.layer.startswith("encoder.layer.")
    with pytest.raises(ConfigError, match="'dog'"):
        config_of("fun", model=str(tmp_path), targets=["dog"])
