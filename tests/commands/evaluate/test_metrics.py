"""Metrics of the evaluation commands give what the library gives for one picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from input_iba.attribution import Attributor
from input_iba.cli.main import script
from input_iba.config.load import load_config
from input_iba.evaluation import (
    METRICS,
    Degradation,
    VisionInsertionDeletion,
    VisionSensitivityN,
    set_sizes,
)
from input_iba.evaluation.curves import POINTS, resampled
from input_iba.models import build_classifier
from tests.commands.evaluating import PLAIN, Evaluated, prepare


@pytest.fixture
def tiny(tmp_path: Path) -> Evaluated:
    return prepare(tmp_path)


@pytest.mark.slow
def test_rows_are_those_of_the_published_classes(tiny: Evaluated) -> None:
    sample = tiny.dataset[1]
    assert sample.target is not None
    heat = np.load(tiny.maps / f"{sample.id}.npz")["mask"]
    model = build_classifier(load_config(tiny.config).classifier).eval()

    assert tiny.run("insertion_deletion", "a", "--pixel-batch-size", "256", "--sigma", "2") == 0
    row = tiny.result("a")["rows"][sample.id]
    scores = VisionInsertionDeletion(model, 256, 2.0).evaluate(heat, sample.input, sample.target)
    for key in ("ins_auc", "del_auc"):
        assert row[key] == pytest.approx(scores[key], abs=1e-6)
    assert row["pred"] == pytest.approx(scores["ins_scores"][-1], abs=1e-6)
    assert row["ins_curve"][-1] == pytest.approx(row["pred"], abs=1e-5)

    assert tiny.run("degradation", "b", "--tile-size", "16") == 0
    row = tiny.result("b")["rows"][sample.id]
    scores = Degradation(model, sample.target, 16).evaluate(heat, sample.input)
    for key in ("MoRF_auc", "LeRF_auc"):
        assert row[key] == pytest.approx(scores[key], abs=1e-6)

    options = ("--log-n-max", "1", "--log-n-ticks", "0.5", "--num-masks", "6", "--seed", "3")
    assert tiny.run("sensitivity_n", "c", *options) == 0
    row = tiny.result("c")["rows"][sample.id]
    expected = {
        str(n): VisionSensitivityN(model, (32, 32), n, 6, seed=3).evaluate(
            heat, sample.input, sample.target, calculate_corr=True
        )["correlation"]
        for n in set_sizes(32 * 32, 1, 0.5)
    }
    assert row["correlations"] == pytest.approx(expected, abs=1e-5)
    assert row["correlation"] == pytest.approx(np.mean(list(expected.values())), abs=1e-5)
    assert tiny.result("c")["summary"].keys() == {"correlation", *expected}


def counted_estimates(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that grows by the number of samples of every estimate."""
    estimate, counts = Attributor.estimate, list[int]()

    def counted(self: Attributor, batches: object, n_samples: int = 1000) -> object:
        found = estimate(self, batches, n_samples)  # type: ignore[arg-type]
        counts.append(found.count)
        return found

    monkeypatch.setattr(Attributor, "estimate", counted)
    return counts


@pytest.mark.slow
def test_statistics_are_estimated_once_per_step(
    tiny: Evaluated, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = counted_estimates(monkeypatch)
    assert tiny.run("sanity_check", "a", "--num-samples", "2") == 0
    # Unchanged weights and two layers, not two samples with these each.
    assert counts == [8, 8, 8]
    rows = tiny.result("a")["rows"].values()
    assert all(row["layers"] == ["linear", "layer3"] for row in rows)
    assert all(-1 <= value < 1 for row in rows for value in row["ssim_all"])
    assert tiny.run("sanity_check", "alone", "--num-samples", "1") == 0
    [(id_, row)] = tiny.result("alone")["rows"].items()
    assert tiny.result("a")["rows"][id_] == row


@pytest.mark.slow
def test_the_sanity_check_finds_out_the_edge_detector(
    tiny: Evaluated, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--layers", "linear", "layer3", "layer2", "--ssim-threshold", "0.99")
    assert tiny.run("sanity_check", "edge", "--method", "edge", *options) == 0
    verdict = tiny.result("edge")["verdict"]
    assert verdict["passes"] is verdict["control"]["passes"] is False
    assert verdict["ssim_at_the_end"] == pytest.approx(1)
    assert "NOT passed" in capsys.readouterr().out
    work = str(tiny.root / "work")
    assert (
        script("attribute", [str(tiny.config), "--work-dir", work, *PLAIN, "--precision", "fp32"])
        == 0
    )
    explained = replace(tiny, maps=Path(work))
    assert explained.run("sanity_check", "ours", *options) == 0
    found = tiny.result("ours")
    assert found["verdict"]["passes"] is True
    assert found["verdict"]["control"] == verdict["control"]
    ends = [row["ssim_all"][-1] for row in found["rows"].values()]
    assert found["verdict"]["ssim_at_the_end"] == pytest.approx(np.mean(ends))
    assert all(row["layers"] == list(options[1:4]) for row in found["rows"].values())
    assert found["verdict"]["ssim_unchanged"] > 0.99
    assert "\npassed: the mean SSIM" in capsys.readouterr().out


@pytest.mark.slow
def test_maps_that_cannot_be_repeated_do_not_pass(tiny: Evaluated) -> None:
    assert tiny.run("sanity_check", "a", "--layers", "linear") == 0  # the maps are random
    verdict = tiny.result("a")["verdict"]
    assert verdict["ssim_at_the_end"] < verdict["threshold"]
    assert verdict["ssim_unchanged"] < verdict["threshold"]
    assert verdict["passes"] is False


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "count"),
    [
        ((), 8),
        (("--cfg-options", "sanity_check.n_estimation=4"), 4),
        (("--cfg-options", "sanity_check.n_estimation=4", "--n-estimation", "3"), 3),
    ],
)
def test_fewer_samples_can_be_behind_the_statistics(
    tiny: Evaluated, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], count: int
) -> None:
    counts = counted_estimates(monkeypatch)
    assert tiny.run("sanity_check", "a", "--num-samples", "1", *options) == 0
    assert counts == [count] * 3


@pytest.mark.slow
def test_maps_are_made_again_by_the_method_that_is_named(tiny: Evaluated) -> None:
    pytest.importorskip("captum")
    names = ("gradient", "random", "none")
    for name in names:
        method = () if name == "none" else ("--method", name)
        options = (*method, "--num-samples", "2")
        assert tiny.run("seed_agreement", f"seeds_{name}", *options) == 0
        assert tiny.run("max_sensitivity", f"moved_{name}", "--n-draws", "2", *options) == 0
    same, chance, ours = (list(tiny.result(f"seeds_{name}")["rows"].values()) for name in names)
    assert all(row["rank_correlation"] == pytest.approx(1) for row in same)
    assert all(row["top_overlap"] == 1 for row in same)
    assert all(abs(row["rank_correlation"]) < 0.2 for row in chance)
    assert all(0.1 < row["rank_correlation"] < 1 for row in ours)
    # The same seed draws the same random map, whatever the input.
    unmoved = tiny.result("moved_random")["rows"].values()
    assert all(row["max_sensitivity"] == 0 for row in unmoved)
    for name in ("gradient", "none"):
        for row in tiny.result(f"moved_{name}")["rows"].values():
            assert 0 < row["mean_sensitivity"] <= row["max_sensitivity"]


@pytest.mark.slow
def test_bits_of_absent_classes_are_those_of_their_maps(tiny: Evaluated) -> None:
    pytest.importorskip("captum")
    options = ("--num-samples", "2")
    assert tiny.run("absent_class", "ours", *options, "--absent", "random") == 0
    assert tiny.run("absent_class", "gradient", *options, "--method", "gradient") == 0
    for name in ("ours", "gradient"):
        found = tiny.result(name)
        for row in found["rows"].values():
            assert row["predicted"] not in row["absent_classes"]
            assert row["difference"] == pytest.approx(row["present"] - row["absent"])
            assert min(row["present"], row["absent"]) > 0
        assert 0 <= found["verdict"]["auroc"] <= 1


def test_every_metric_says_which_direction_is_better() -> None:
    assert set(METRICS) == {
        *("ehr", "insertion_deletion", "sensitivity_n", "sanity_check", "target_scores"),
        *("degradation", "localisation", "nlp_insertion_deletion", "nlp_sensitivity_n"),
        *("patch_insertion_deletion", "road", "single_deletion"),
        *("max_sensitivity", "seed_agreement", "absent_class"),
        *("nlp_insertion_deletion_mask", "nlp_insertion_deletion_remove", "evidence"),
        *("rationale", "rationale_mask", "rationale_remove"),
    }
    for name, kind in METRICS.items():
        assert kind.name == name
        assert kind.higher_is_better


def test_curves_are_kept_at_equal_shares() -> None:
    shares, scores = torch.tensor([0.0, 0.5, 1.0]), torch.tensor([0.0, 1.0, 0.0])
    kept = resampled(shares, scores)
    assert len(kept) == POINTS
    assert (kept[0], kept[25], kept[50], kept[-1]) == (0, 0.5, 1, 0)
