"""Evaluation commands: what is scored, left out and refused, and how a stopped one goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from input_iba.cli.main import script
from input_iba.evaluation import EvaluationContext, Row, ScoredSample, box_mask
from input_iba.evaluation.localisation import LocalisationMetric
from tests.commands.evaluating import Evaluated, prepare


@pytest.fixture
def tiny(tmp_path: Path) -> Evaluated:
    return prepare(tmp_path)


def fill_cells(tiny: Evaluated) -> None:
    """Let every map be 1 in its mosaic's target cell and 0 elsewhere."""
    for i, id_ in enumerate(tiny.ids):
        boxes = tiny.dataset[i].boxes
        assert boxes is not None
        tiny.write_map(id_, box_mask(boxes, 32, 32).numpy().astype(np.float32))


def test_maps_that_fill_their_cells_are_perfect(tiny: Evaluated) -> None:
    fill_cells(tiny)
    assert tiny.run("ehr", "ehr.json", "--weight") == 0
    found = tiny.result("ehr")
    assert found["complete"] is True
    assert found["summary"]["auc"]["n"] == 4
    assert all(row["auc"] > 0.99 for row in found["rows"].values())
    assert tiny.run("localisation", "places", "--tolerance", "0") == 0
    rows = tiny.result("places")["rows"]
    assert list(rows) == tiny.ids
    assert all((row["hit"], row["mass"], row["iou"]) == (1, 1, 1) for row in rows.values())
    assert (tiny.root / "results" / "places.png").read_bytes()[:4] == b"\x89PNG"


def test_the_unit_of_a_map_does_not_matter(tiny: Evaluated) -> None:
    assert tiny.run("ehr", "as_is", "--weight") == 0
    for id_, factor in zip(tiny.ids, (0.01, 0.5, 3.0, 200.0), strict=True):
        tiny.write_map(id_, factor * np.load(tiny.maps / f"{id_}.npz")["mask"])
    assert tiny.run("ehr", "scaled", "--weight") == 0
    first, second = (
        [row["auc"] for row in tiny.result(n)["rows"].values()] for n in ("as_is", "scaled")
    )
    assert first == pytest.approx(second, abs=1e-5)


def test_regions_from_files_score_as_the_same_boxes(tiny: Evaluated) -> None:
    masks = tiny.root / "masks"
    masks.mkdir()
    for i, id_ in enumerate(tiny.ids):
        boxes = tiny.dataset[i].boxes
        assert boxes is not None
        inside = box_mask(boxes, 32, 32).numpy().astype(np.uint8)
        Image.fromarray(inside * 255).save(masks / f"{id_}.png")
    assert tiny.run("ehr", "boxes") == 0
    assert tiny.run("ehr", "masks", "--roi", "masks", "--masks-dir", str(masks)) == 0
    assert tiny.result("masks")["rows"] == tiny.result("boxes")["rows"]
    assert tiny.run("ehr", "none", "--roi", "masks") == 2


def test_improbable_targets_are_left_out_by_default(tiny: Evaluated) -> None:
    assert script("evaluate localisation", tiny.arguments("a")) == 0
    found = tiny.result("a")
    assert [row["target"] for row in found["rows"].values()] == [0]
    assert set(found["skipped"].values()) == {"target probability below 0.6"}
    assert len(found["skipped"]) == 3
    assert found["complete"] is True
    assert found["summary"]["hit"]["low"] is None


def test_scores_can_come_from_a_file(tiny: Evaluated, capsys: pytest.CaptureFixture[str]) -> None:
    work = tiny.root / "results"
    arguments = [str(tiny.config), str(work), "scores.json", "--device", "cpu"]
    assert script("evaluate target_scores", arguments) == 0
    assert tiny.result("scores")["made_with"]["precision"] == "fp32"
    scores = tiny.result("scores")
    assert all(row.keys() == {"target", "pred"} for row in scores["rows"].values())
    published = work / "published.json"
    published.write_text(json.dumps(scores["rows"]))
    assert script("evaluate localisation", tiny.arguments("without")) == 0
    for file in (work / "scores.json", published):
        name = f"with_{file.stem}"
        assert (
            script("evaluate localisation", tiny.arguments(name, "--scores-file", str(file))) == 0
        )
        assert tiny.result(name)["rows"] == tiny.result("without")["rows"]
    del scores["rows"][tiny.ids[0]]
    published.write_text(json.dumps(scores["rows"]))
    assert (
        script("evaluate localisation", tiny.arguments("less", "--scores-file", str(published)))
        == 1
    )
    assert list(tiny.result("less")["failed"]) == [tiny.ids[0]]
    published.write_text("[]")
    assert (
        script("evaluate localisation", tiny.arguments("bad", "--scores-file", str(published))) == 2
    )
    assert "cannot be used" in capsys.readouterr().err


def test_a_missing_map_is_an_error_unless_allowed(
    tiny: Evaluated, capsys: pytest.CaptureFixture[str]
) -> None:
    (tiny.maps / f"{tiny.ids[1]}.npz").unlink()
    assert tiny.run("localisation", "a") == 2
    error = capsys.readouterr().err
    assert tiny.ids[1] in error
    assert "--allow-missing" in error
    assert not (tiny.root / "results" / "a.json").exists()
    assert tiny.run("localisation", "a", "--allow-missing") == 0
    found = tiny.result("a")
    assert found["without_map"] == [tiny.ids[1]]
    assert len(found["rows"]) == 3
    assert found["complete"] is False


def test_part_of_the_samples_is_partial_and_can_be_completed(
    tiny: Evaluated, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tiny.run("localisation", "a", "--num-samples", "2") == 0
    part = tiny.result("a")
    assert part["complete"] is False
    assert part["samples"]["selected"] == len(part["rows"]) == 2
    assert "Partial" in capsys.readouterr().out
    assert tiny.run("localisation", "a") == 2
    assert "--resume" in capsys.readouterr().err
    assert tiny.run("localisation", "a", "--resume", "--tolerance", "3") == 2
    assert "settings" in capsys.readouterr().err
    assert tiny.result("a") == part
    assert tiny.run("localisation", "a", "--resume") == 0
    assert tiny.run("localisation", "whole") == 0
    whole = tiny.result("a")
    assert whole["complete"] is True
    assert whole["rows"] == tiny.result("whole")["rows"]
    assert len(tiny.lines("a")) == 1 + 4  # nothing was scored twice
    assert "Partial" not in capsys.readouterr().out


def test_a_map_that_changed_is_scored_again(tiny: Evaluated) -> None:
    assert tiny.run("localisation", "a") == 0
    fill_cells(tiny)
    assert tiny.run("localisation", "a", "--resume") == 0
    assert tiny.result("a")["summary"]["mass"]["mean"] == 1


def test_a_map_that_cannot_be_read_fails_alone_and_is_tried_again(
    tiny: Evaluated, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tiny.maps / f"{tiny.ids[2]}.npz"
    whole = bad.read_bytes()
    bad.write_bytes(whole[:50])
    assert tiny.run("localisation", "a") == 1
    found = tiny.result("a")
    assert list(found["failed"]) == [tiny.ids[2]]
    assert len(found["rows"]) == 3
    assert found["complete"] is False
    assert "cannot be read" in capsys.readouterr().err
    bad.write_bytes(whole)
    assert tiny.run("localisation", "a", "--resume") == 0
    assert tiny.result("a")["complete"] is True


def test_a_map_of_another_size_fails(tiny: Evaluated) -> None:
    tiny.write_map(tiny.ids[0], np.ones((16, 16)))
    assert tiny.run("localisation", "a") == 1
    assert "(16, 16)" in tiny.result("a")["failed"][tiny.ids[0]]


def test_maps_of_8_bits_get_a_warning(tiny: Evaluated, capsys: pytest.CaptureFixture[str]) -> None:
    assert tiny.run("localisation", "exact") == 0
    assert "8-bit" not in capsys.readouterr().err
    for path in list(tiny.maps.glob("*.npz"))[:3]:
        values = np.round(np.load(path)["mask"] * 255).astype(np.uint8)
        Image.fromarray(values).save(path.with_suffix(".png"))
        path.unlink()
    assert tiny.run("localisation", "rounded") == 0
    assert "3 of 4 maps are 8-bit PNG" in capsys.readouterr().err
    exact, rounded = (tiny.result(name)["summary"] for name in ("exact", "rounded"))
    assert rounded["mass"]["mean"] == pytest.approx(exact["mass"]["mean"], abs=2e-3)


def test_maps_that_tie_are_counted(tiny: Evaluated, capsys: pytest.CaptureFixture[str]) -> None:
    assert tiny.run("localisation", "random") == 0
    assert tiny.result("random")["samples"]["tied"] == 0
    assert "drawn" not in capsys.readouterr().err
    for id_ in tiny.ids[:2]:
        tiny.write_map(id_, np.full((32, 32), 0.5))
    assert tiny.run("localisation", "tied", "--tolerance", "0") == 0
    found = tiny.result("tied")
    assert found["samples"]["tied"] == 2
    assert "2 of 4 scored maps give one value" in capsys.readouterr().err
    for id_ in tiny.ids[:2]:  # the target's cell is a quarter of a mosaic, wherever it lies
        row = found["rows"][id_]
        assert [row[key] for key in ("hit", "mass", "iou", "rank")] == pytest.approx([0.25] * 4)


def test_an_interrupted_evaluation_says_partial_and_goes_on(
    tiny: Evaluated, monkeypatch: pytest.MonkeyPatch
) -> None:
    scorer = LocalisationMetric.scorer
    calls: list[str] = []

    def interrupted(
        self: LocalisationMetric, context: EvaluationContext
    ) -> Callable[[ScoredSample], Row | str]:
        score = scorer(self, context)

        def stopping(case: ScoredSample) -> Row | str:
            calls.append(case.sample.id)
            if len(calls) == 3:
                raise KeyboardInterrupt
            return score(case)

        return stopping

    monkeypatch.setattr(LocalisationMetric, "scorer", interrupted)
    assert tiny.run("localisation", "a") == 130
    found = tiny.result("a")
    assert found["complete"] is False
    assert found["samples"]["not_reached"] == 2
    assert list(found["rows"]) == tiny.ids[:2]
    assert tiny.run("localisation", "a", "--resume") == 0
    assert calls == [*tiny.ids[:3], *tiny.ids[2:]]
    monkeypatch.undo()
    assert tiny.run("localisation", "whole") == 0
    assert tiny.result("a")["rows"] == tiny.result("whole")["rows"]


def test_a_score_that_is_not_finite_fails_alone(
    tiny: Evaluated, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsure(
        self: LocalisationMetric, context: EvaluationContext
    ) -> Callable[[ScoredSample], Row | str]:
        row = {"hit": 1.0, "mass": 0.5, "iou": float("nan"), "rank": 0, "best_iou": 0}
        return lambda case: row

    monkeypatch.setattr(LocalisationMetric, "scorer", unsure)
    assert tiny.run("localisation", "a") == 1
    assert "NaN" in tiny.result("a")["failed"][tiny.ids[0]]
    assert tiny.result("a")["rows"] == {}


def test_a_result_of_something_else_is_not_overwritten(tiny: Evaluated) -> None:
    other = tiny.root / "results" / "a.json"
    other.parent.mkdir()
    other.write_text("mine")
    assert tiny.run("localisation", "a") == 2
    assert other.read_text() == "mine"


@pytest.mark.parametrize(
    ("metric", "options"),
    [
        ("insertion_deletion", ("--pixel-batch-size", "0")),
        ("insertion_deletion", ("--sigma", "-1")),
        ("sensitivity_n", ("--num-masks", "1")),
        ("sensitivity_n", ("--log-n-ticks", "0")),
        ("degradation", ("--tile-size", "0")),
        ("localisation", ("--threshold", "1.5")),
        ("localisation", ("--tolerance", "-1")),
        ("sanity_check", ("--cfg-options", "sanity_check.perturb_layers=[lineare]")),
        ("sanity_check", ("--cfg-options", "sanity_check.check=prior")),
        ("sanity_check", ("--cfg-options", "sanity_check.n_estimation=1")),
        ("sanity_check", ("--n-estimation", "1")),
        ("sanity_check", ("--layers", "lineare")),
    ],
)
def test_a_wrong_setting_is_refused_before_anything_is_scored(
    tiny: Evaluated, metric: str, options: tuple[str, ...]
) -> None:
    assert tiny.run(metric, "a", *options) == 2
    assert not (tiny.root / "results" / "a.json").exists()


def test_help_says_what_a_folder_of_maps_means(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        script("evaluate target_scores", ["--help"])
    assert "only samples that have a map there count" in " ".join(capsys.readouterr().out.split())
