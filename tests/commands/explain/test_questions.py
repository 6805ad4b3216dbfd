"""What a config asks beside a class: explained, recorded, reported and scored."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from input_iba.cli.main import script
from input_iba.config.load import load_config
from input_iba.core.targets import ContrastTarget, SegmentTarget
from input_iba.errors import ConfigError
from input_iba.registry import CLASSIFIERS
from tests.attribution.objects import Segmenter
from tests.commands.evaluating import Evaluated, prepare

PLAIN = ("--device", "cpu", "--no-pbar")
SHORT = ("attribution_cfg.feat_iba.opt_steps=2", "attribution_cfg.input_iba.opt_steps=2")
CONTRAST = ("attribution_cfg.target.type=ContrastTarget", "attribution_cfg.target.b=2")


@pytest.fixture
def tiny(tmp_path: Path) -> Evaluated:
    return prepare(tmp_path)


@pytest.fixture
def segmenter() -> Iterator[None]:
    CLASSIFIERS.register_module(name="TestSegmenter", module=Segmenter)
    yield
    CLASSIFIERS.module_dict.pop("TestSegmenter")


def explained(tiny: Evaluated, *options: str) -> list[dict[str, Any]]:
    work = tiny.root / "work"
    arguments = [str(tiny.config), "--work-dir", str(work), *PLAIN, "--cfg-options"]
    assert script("attribute", [*arguments, *SHORT, *options]) == 0
    lines = (work / "records.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def scored(tiny: Evaluated, metric: str, *options: str) -> dict[str, Any]:
    work = tiny.root / "work"
    arguments = [str(tiny.config), str(work / "maps"), str(work), "scores", *PLAIN[:2]]
    options = ("--scores-threshold", "0", *options)
    assert script(f"evaluate {metric}", [*arguments, *options]) == 0
    found: dict[str, Any] = json.loads((work / "scores.json").read_text())
    return found


@pytest.mark.slow
def test_a_contrast_goes_from_the_config_to_report_and_scores(tiny: Evaluated) -> None:
    records = explained(tiny, *CONTRAST)
    names = tiny.dataset.class_names
    assert names is not None
    assert records[0]["class_name"] == f"{names[0]} rather than {names[2]}"
    assert records[0]["target"] is None
    assert 0 < records[0]["target_probability"] < 1
    report = (tiny.root / "work" / "report.html").read_text()
    assert f"{names[0]} rather than {names[2]}" in report
    found = scored(
        tiny, "insertion_deletion", "--pixel-batch-size", "256", "--cfg-options", *CONTRAST
    )
    row = found["rows"][records[0]["id"]]
    assert row["pred"] == pytest.approx(records[0]["target_probability"], abs=1e-3)
    assert row["ins_curve"][-1] == pytest.approx(row["pred"], abs=1e-3)


@pytest.mark.slow
@pytest.mark.usefixtures("segmenter")
def test_a_segmentation_is_explained_and_scored(tiny: Evaluated) -> None:
    network = (
        "attributor.classifier.type=TestSegmenter",
        "attributor.classifier.pretrained=False",
        "attributor.layer=trunk.1",
        "attribution_cfg.target.type=SegmentTarget",
        "attribution_cfg.target.label=1",
    )
    tiny.config.write_text(_without_arguments(tiny.config.read_text()))
    records = explained(tiny, *network)
    assert all("class1" in record["class_name"] for record in records)
    assert all(record["prediction"] is None for record in records)
    options = ("--pixel-batch-size", "256", "--cfg-options", *network)
    found = scored(tiny, "insertion_deletion", *options)
    row = found["rows"][records[0]["id"]]
    assert row["pred"] == pytest.approx(records[0]["target_probability"], abs=1e-3)


def _without_arguments(text: str) -> str:
    """Return a config whose classifier has no arguments of its own."""
    return re.sub(r"'(depth|num_classes)': \d+,?\s*", "", text)


def test_a_question_is_read_and_checked(tiny: Evaluated) -> None:
    overrides: dict[str, Any] = {"attribution_cfg.target": {"type": "ContrastTarget", "b": 2}}
    config = load_config(tiny.config, overrides)
    assert config.question == ContrastTarget(b=2)
    assert config.asked(1) == ContrastTarget(1, 2)
    assert config.digest() != load_config(tiny.config).digest()
    assert load_config(tiny.config).asked(3) == 3
    region = {"type": "SegmentTarget", "label": "cat", "mask": [0, 0, 4, 4]}
    found = load_config(tiny.config, {"attribution_cfg.target": region}).question
    assert isinstance(found, SegmentTarget)
    for section, said in (
        ({"type": "ContrastTaget"}, "Closest: 'ContrastTarget'"),
        ({"b": 1}, "needs the key 'type', one of BoxTarget"),
        ({"type": "ContrastTarget", "c": 1}, "Unknown key 'c'"),
        ({"type": "RegressionTarget", "tolerance": 0}, "above 0"),
        ({"type": "RegressionTarget"}, "which is needed"),
    ):
        with pytest.raises(ConfigError, match=said):
            load_config(tiny.config, {"attribution_cfg.target": section})
