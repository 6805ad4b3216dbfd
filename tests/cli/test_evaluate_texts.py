"""Evaluation of texts: words are taken away literally, special tokens never, and runs go on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from input_iba.evaluation import random_words, set_sizes
from input_iba.results import write_mask
from tests.commands.evaluating_texts import EvaluatedTexts, prepare_texts
from tests.evaluation import literal, texts

ROOT = Path(__file__).parents[2]
ONE_WORD = "fewer than two words"


@pytest.fixture
def tiny(tmp_path: Path) -> EvaluatedTexts:
    return prepare_texts(tmp_path)


@pytest.mark.parametrize("kind", ["DeepLSTM", "BERT"])
def test_rows_are_those_of_the_literal_procedure(tmp_path: Path, kind: str) -> None:
    tiny = prepare_texts(tmp_path, kind)
    logits = tiny.logits()
    options = ("--pixel-batch-size", "2", "--max-fraction", "0.75")
    assert tiny.run("nlp_insertion_deletion", "a", *options) == 0
    found = tiny.result("a")
    assert found["complete"] is True
    assert list(found["rows"]) == list(tiny.samples)
    assert (tmp_path / "results" / "a.png").read_bytes()[:4] == b"\x89PNG"
    sizes = ("--log-n-max", "1", "--log-n-ticks", "0.3", "--num-masks", "7")
    assert tiny.run("nlp_sensitivity_n", "b", *sizes) == 0
    correlations = tiny.result("b")
    assert (tmp_path / "results" / "report.html").read_text().count('class="chart"') == 2
    for id_, sample in tiny.samples.items():
        heat, count, target = tiny.heat(id_), len(sample.tokens), sample.target
        assert target is not None

        def probability(
            _: list[int], without: set[int], sample: object = sample, target: int = target
        ) -> float:
            return float(logits(sample, without).softmax(0)[target])  # type: ignore[arg-type]

        expected = texts.insertion_deletion(
            probability, list(range(count)), heat, set(), 2, -(-count * 3 // 4)
        )
        row = found["rows"][id_]
        assert row["pred"] == pytest.approx(probability([], set()), abs=1e-6)
        assert row["ins_auc"] == pytest.approx(expected["ins"][1], abs=1e-6)
        assert row["del_auc"] == pytest.approx(expected["del"][1], abs=1e-6)
        if count == 1:
            assert correlations["skipped"] == {id_: ONE_WORD}
            continue
        for n in set_sizes(count, 1, 0.3):
            sets = random_words(torch.ones(count, dtype=torch.bool), n, 7)
            chosen = [set(row.nonzero().flatten().tolist()) for row in sets]
            whole = float(logits(sample, set())[target])
            drops = [whole - float(logits(sample, words)[target]) for words in chosen]
            sums = [sum(heat[word] for word in words) for words in chosen]
            told = correlations["rows"][id_]["correlations"][str(n)]
            assert told == pytest.approx(literal.pearson(sums, drops), abs=1e-4)


@pytest.mark.parametrize("kind", ["DeepLSTM", "BERT"])
@pytest.mark.parametrize("how", ["zero", "mask", "remove"])
def test_words_are_replaced_literally(tmp_path: Path, kind: str, how: str) -> None:
    tiny = prepare_texts(tmp_path, kind)
    logits = tiny.logits(how)
    ending = "" if how == "zero" else f"_{how}"
    assert tiny.run(f"nlp_insertion_deletion{ending}", "a") == 0
    assert tiny.run(f"rationale{ending}", "b", "--bins", "10", "40", "100") == 0
    orders, rationales = tiny.result("a")["rows"], tiny.result("b")["rows"]
    assert tiny.result("b")["made_with"]["settings"] == {"bins": [10, 40, 100], "replace": how}
    for id_, sample in tiny.samples.items():
        heat, words, target = tiny.heat(id_), list(range(len(sample.tokens))), sample.target
        assert target is not None

        def probability(
            _: list[int], without: set[int], sample: object = sample, target: int = target
        ) -> float:
            return float(logits(sample, without).softmax(0)[target])  # type: ignore[arg-type]

        expected = texts.insertion_deletion(probability, words, heat, set(), 2, len(words))
        assert orders[id_]["ins_auc"] == pytest.approx(expected["ins"][1], abs=1e-6)
        assert orders[id_]["del_auc"] == pytest.approx(expected["del"][1], abs=1e-6)
        without, alone = texts.rationale(probability, words, heat, (10, 40, 100))
        assert rationales[id_]["comprehensiveness"] == pytest.approx(sum(without) / 3, abs=1e-6)
        assert rationales[id_]["sufficiency"] == pytest.approx(sum(alone) / 3, abs=1e-6)
        assert rationales[id_]["without"] == pytest.approx(without, abs=2e-6)


def test_reviews_without_evidence_are_left_out(tiny: EvaluatedTexts) -> None:
    assert tiny.run("evidence", "a") == 0
    assert set(tiny.result("a")["skipped"].values()) == {"the data set has no human evidence"}


def test_part_of_the_reviews_can_be_completed(tiny: EvaluatedTexts) -> None:
    assert tiny.run("nlp_insertion_deletion", "a", "--num-samples", "2") == 0
    part = tiny.result("a")
    assert part["complete"] is False
    assert len(part["rows"]) == 2
    assert tiny.run("nlp_insertion_deletion", "a", "--resume", "--max-fraction", "0.4") == 2
    assert tiny.run("nlp_insertion_deletion", "a", "--resume", "--num-samples", "0") == 0
    assert tiny.run("nlp_insertion_deletion", "whole") == 0
    assert tiny.result("a")["rows"] == tiny.result("whole")["rows"]
    lines = (tiny.root / "results" / "a.rows.jsonl").read_text().splitlines()
    assert len(lines) == 1 + 4  # nothing was scored twice


def test_a_map_of_other_words_fails_alone(tiny: EvaluatedTexts) -> None:
    first, second, third = list(tiny.samples.values())[:3]
    other = ("other", *first.tokens[1:])
    write_mask(tiny.maps / f"{first.id}.npz", torch.ones(len(other)).numpy(), other)
    write_mask(tiny.maps / f"{second.id}.npz", torch.ones(2, 2).numpy())
    write_mask(tiny.maps / f"{third.id}.npz", torch.ones(99).numpy())
    assert tiny.run("nlp_insertion_deletion", "a") == 1
    failed = tiny.result("a")["failed"]
    assert f"'other' there and {first.tokens[0]!r} here" in failed[first.id]
    assert "one per word" in failed[second.id]
    assert "(99,)" in failed[third.id]
    assert len(tiny.result("a")["rows"]) == 1


def test_probabilities_of_reviews_are_told(tiny: EvaluatedTexts) -> None:
    assert tiny.run("target_scores", "scores") == 0
    assert tiny.run("nlp_insertion_deletion", "a") == 0
    told = {id_: row["pred"] for id_, row in tiny.result("scores")["rows"].items()}
    assert told == {id_: row["pred"] for id_, row in tiny.result("a")["rows"].items()}


@pytest.mark.parametrize(
    ("metric", "options", "said"),
    [
        ("insertion_deletion", (), "Metrics for it: nlp_insertion_deletion, nlp_"),
        ("sanity_check", (), "is about images"),
        ("nlp_insertion_deletion", ("--max-fraction", "0"), "--max-fraction"),
        ("nlp_insertion_deletion", ("--pixel-batch-size", "0"), "--pixel-batch-size"),
        ("nlp_sensitivity_n", ("--num-masks", "1"), "--num-masks"),
        ("rationale", ("--bins", "0", "5"), "--bins"),
        ("rationale", ("--replace", "noise"), "--replace"),
        ("rationale_mask", ("--replace", "zero"), "--replace"),
        ("evidence", ("--smooth", "-1"), "--smooth"),
    ],
)
def test_what_does_not_fit_texts_is_refused(
    tiny: EvaluatedTexts,
    capsys: pytest.CaptureFixture[str],
    metric: str,
    options: tuple[str, ...],
    said: str,
) -> None:
    assert tiny.run(metric, "a", *options) == 2
    assert said in capsys.readouterr().err
    assert not (tiny.root / "results" / "a.json").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "options"),
    [
        ("nlp_insertion_deletion", ("--sigma", "5", "--pixel-batch-size", "2")),
        ("nlp_sensitivity_n", ("--num-masks", "5", "--log-n-max", "1")),
    ],
)
def test_the_scripts_take_the_published_flags(
    tiny: EvaluatedTexts, script: str, options: tuple[str, ...]
) -> None:
    done = subprocess.run(
        [
            *(sys.executable, str(ROOT / "tools" / "nlp" / f"{script}.py"), str(tiny.config)),
            *(str(tiny.maps), str(tiny.root / "results"), "a.json", "--num-samples", "0"),
            *("--seed", "3", "--gpu-id", "0", "--scores-threshold", "0", *options),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    assert "higher is better" in done.stdout
    found = tiny.result("a")
    assert (found["complete"], found["metric"], found["made_with"]["seed"]) == (True, script, 3)
