"""`attribute --text … --generate N`: answers of language models, from options to pages."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from input_iba.cli import main as cli
from input_iba.results import read_text_mask
from tests.models.tiny_bert import save_tiny_bert
from tests.models.tiny_lm import tiny_gpt2, tiny_llama, tokenizer

FEW = ["--device", "cpu", "--precision", "fp32", "--no-pbar"]
TEXT = "w3 w1 key key7 w2 ask"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a random Llama in half precision, whose tokenizer pads on the left."""
    place = tmp_path_factory.mktemp("llama")
    tiny_llama(seed=4).to(torch.bfloat16).save_pretrained(place)
    tokenizer("left").save_pretrained(place)
    return place


def attribute(*arguments: str) -> int:
    return cli.main(["attribute", *arguments, *FEW])


def test_every_token_of_an_answer_gets_a_map_and_words_can_be_chosen(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    work, asked = tmp_path / "run", ["--generate", "2", "--each-token"]
    texts = ["--text", TEXT, "w5 key key2 ask"]
    assert attribute(*texts, "--model", str(folder), *asked, "--work-dir", str(work)) == 0
    said = capsys.readouterr().out
    assert "6 explained, 0 failed" in said
    records = [json.loads(line) for line in (work / "records.jsonl").read_text().splitlines()]
    by_id = {record["id"]: record for record in records}
    name = "w3_w1_key_key7_w2_ask"
    tokens = [by_id[f"{name}_token_{i}"]["class_name"] for i in (1, 2)]
    assert by_id[name]["class_name"] == f"answer: {' '.join(tokens)}"
    assert f"Asked: answer: {' '.join(tokens)} (" in said
    words, _, _ = read_text_mask(work / by_id[name]["files"]["map"])
    assert list(words) == TEXT.split()
    chances = [by_id[f"{name}_token_{i}"]["target_probability"] for i in (1, 2)]
    assert np.sqrt(np.prod(chances)) == pytest.approx(by_id[name]["target_probability"], rel=1e-4)
    # The page has a card for every prompt, and in it a choice and a text for every question.
    page = (work / "answers.html").read_text()
    assert page.count('class="input-iba-card') == 2
    assert page.count('type="radio"') == page.count("<section>") == page.count("<label") == 6
    assert len(set(re.findall(r'type="radio" name="(\w+)"', page))) == 2
    assert "<script" not in page
    for word in tokens:
        assert f">{word}</label>" in page


def test_words_of_a_prompt_are_inserted_and_deleted(folder: Path, tmp_path: Path) -> None:
    work = tmp_path / "run"
    asked = ["--continuation", "key7 w2", "--each-token", "--work-dir", str(work)]
    assert attribute("--text", TEXT, "--model", str(folder), *asked) == 0
    records = [json.loads(line) for line in (work / "records.jsonl").read_text().splitlines()]
    known = {record["id"]: record["target_probability"] for record in records}
    for metric in ("", "_mask", "_remove"):
        arguments = [
            str(work / "config.py"),
            str(work / "input_masks"),
            str(work),
            f"words{metric}",
        ]
        more = ["--device", "cpu", "--scores-threshold", "0"]
        command = ["evaluate", f"nlp_insertion_deletion{metric}", *arguments, *more]
        assert cli.main(command) == 0
        rows = json.loads((work / f"words{metric}.json").read_text())["rows"]
        assert rows.keys() == known.keys()
        for id_, row in rows.items():
            assert row["ins_curve"][-1] == pytest.approx(known[id_], rel=1e-3)
            assert row["del_curve"][0] == pytest.approx(known[id_], rel=1e-3)


def test_a_language_model_answers_where_nothing_is_asked(folder: Path, tmp_path: Path) -> None:
    work = tmp_path / "run"
    assert attribute("--text", TEXT, "--model", str(folder), "--work-dir", str(work)) == 0
    [record] = [json.loads(line) for line in (work / "records.jsonl").read_text().splitlines()]
    assert record["class_name"].startswith("answer: ")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--continuation", "a", "--generate", "2"], "leave one of them out"),
        (["--target", "0"], "are about classes, and"),
        (["--generate", "40"], "no room for a prompt"),
        (["--continuation", ""], "holds no token"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    folder: Path, options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert attribute("--text", TEXT, "--model", str(folder), *options) == 2
    assert said in capsys.readouterr().err


def test_options_about_answers_are_about_language_models(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = save_tiny_bert(tmp_path / "bert")
    assert attribute("--text", "a film", "--model", str(place), "--each-token") == 2
    assert "holds a BertForSequenceClassification" in capsys.readouterr().err
    assert attribute("--image", "my.jpg", "--generate", "3") == 2
    assert "--generate can be given with --text only" in capsys.readouterr().err
    assert attribute("samples", "--continuation", "a") == 2
    assert "--continuation can be given with --image or --text only" in capsys.readouterr().err


def test_networks_without_an_answer_are_still_built(tmp_path: Path) -> None:
    from input_iba.models import build_classifier

    tiny_gpt2().save_pretrained(tmp_path)
    for pretrained in (True, False):
        cfg = {"source": "transformers", "type": str(tmp_path), "pretrained": pretrained}
        assert type(build_classifier(cfg)).__name__ == "GPT2LMHeadModel"
