"""`attribute --text`: from the command line to files, printed words and messages."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from input_iba.cli import main as cli
from input_iba.config.load import load_config
from input_iba.results import read_text_mask
from tests.models.tiny_bert import WORDS, tiny_bert, tokenizer

FEW = ["--device", "cpu", "--precision", "fp32", "--no-pbar"]
TEXT = "W1 w2, w3:\n\n  W4 “great” w5<br />w6 — w7."


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a BERT for which the word 'great' means POSITIVE."""
    folder = tmp_path_factory.mktemp("planted")
    still = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    options: dict[str, Any] = {"id2label": {0: "NEGATIVE", 1: "POSITIVE"}, **still}
    net, cuts = tiny_bert(**options), tokenizer()
    optimiser = torch.optim.Adam(net.parameters(), lr=3e-3)
    great = cuts.convert_tokens_to_ids("great")
    first, last = cuts.convert_tokens_to_ids([WORDS[-24], WORDS[-1]])
    for step in range(150):
        generator = torch.Generator().manual_seed(step)
        ids = torch.randint(first, last + 1, (64, 9), generator=generator)
        place = torch.randint(1, 8, (32,), generator=generator)
        ids[torch.arange(32), place] = great
        ids[:, 0], ids[:, -1] = cuts.cls_token_id, cuts.sep_token_id
        optimiser.zero_grad()
        loss = nn.functional.cross_entropy(net(ids).logits, (torch.arange(64) < 32).long())
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    net.save_pretrained(folder)
    cuts.save_pretrained(folder)
    return folder


def run(*arguments: str) -> int:
    return cli.main(["attribute", *arguments])


@pytest.mark.slow
def test_the_planted_word_comes_first_and_the_text_is_shown_as_it_stands(
    planted: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    model = ["--model", str(planted)]
    assert run("--text", TEXT, "w8 w9", *model, "--target", "positive", *FEW) == 0
    said = capsys.readouterr()
    assert said.err.count("Statistics of the layer come from the texts themselves") == 1
    work = Path("workdirs/W1_w2_w3_W4_great_w5_w6_w7_and_1_more")
    records = [json.loads(line) for line in (work / "records.jsonl").read_text().splitlines()]
    assert [(record["class_name"], record["status"]) for record in records] == [
        ("POSITIVE", "done")
    ] * 2
    record = next(record for record in records if "great" in record["id"])
    assert record["predicted_class_name"] == "POSITIVE"
    words, input_mask, shown = read_text_mask(work / record["files"]["input_mask"])
    assert words[int(input_mask.argmax())] == "great"
    mask = read_text_mask(work / record["files"]["map"]).mask
    assert words[int(mask.argmax())] == "great"
    assert shown.words[0] == "W1"
    lines = said.out.splitlines()
    explained = next(i for i, line in enumerate(lines) if "POSITIVE" in line)
    assert "<- explained" in lines[explained]
    assert lines[explained + 2] == f"  Map: {record['map_bits']:.3g} bits"
    assert lines[explained + 3].split()[:2] == [words[int(mask.argmax())], f"{mask.max():.3f}"]
    assert "2 explained, 0 failed" in said.out
    # The page's text is the text, with a line break where it has one.
    page = (work / record["files"]["highlights"]).read_text()
    texts = re.findall(r'<p class="text">(.*?)</p>', page, re.DOTALL)
    assert len(texts) == 3  # coloured by the map, the input mask, the feature mask
    for text in texts:
        assert unescape(re.sub(r"<[^>]*>", "", text)) == TEXT.replace("<br />", "\n")
    report = (work / "report.html").read_text()
    assert "W4 “great” w5\nw6 — w7." in report
    with Image.open(work / f"{Path(record['files']['input_mask']).stem}_overlay.png") as image:
        assert image.format == "PNG"
    # It is a normal run: its config loads, gives the same masks, and goes on.
    assert load_config(work / "config.py").layer == "bert.encoder.layer.0"
    again = ("--target", "positive", "--resume", *FEW)
    assert run("--text", TEXT, "w8 w9", *model, *again) == 0
    assert run(str(work / "config.py"), "--work-dir", "again", *FEW) == 0
    with np.load(Path("again") / record["files"]["map"]) as arrays:
        assert np.array_equal(arrays["map"], mask)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--text", "fun"], "--text needs --model"),
        (["--text", "fun", "--image", "a.jpg"], "--image and --text together need --model"),
        (["configs/samples.py", "--text", "fun"], "('configs/samples.py') and --text"),
        (["--text", "fun", "--weights", "a.pth", "--whole"], "--whole, --weights can be"),
        (["--text", "", "--model", "MODEL"], "Text 1 of 1 is empty"),
        (["--text", "fun", "--model", "MODEL", "--target", "positiv"], "Closest: 'positive'"),
    ],
)
def test_wrong_input_has_status_2(
    planted: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    given = [str(planted) if word == "MODEL" else word for word in arguments]
    assert run(*given, "--work-dir", str(tmp_path / "work")) == 2
    assert said in capsys.readouterr().err
