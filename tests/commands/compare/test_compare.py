"""The comparison of work directories: the same samples, right statistics, nothing done twice."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import Tensor

from input_iba.evaluation import (
    EvaluationContext,
    Row,
    ScoredSample,
    holm,
    paired_difference,
    sign_flip_p,
    summarise,
)
from input_iba.evaluation.localisation import LocalisationMetric
from input_iba.evaluation.sensitivity_n import drops_without
from tests.commands.compare.conftest import TWO
from tests.commands.comparing import (
    compare,
    random_maps,
    result,
    row_lines,
    write_records,
    write_work_dir,
)
from tests.commands.evaluating import Evaluated


def test_statistics_are_those_of_the_rows(tiny: Evaluated, three: list[Path]) -> None:
    assert compare(tiny, three, *TWO, "--against", "random1") == 0
    found = result(tiny)
    assert found["complete"] is True
    assert found["against"] == "random1"
    assert list(found["methods"]) == ["random0", "random1", "perfect"]
    metric = found["metrics"]["localisation"]
    values = {
        name: [metric["rows"][name][id_]["mass"] for id_ in sorted(tiny.ids)]
        for name in found["methods"]
    }
    mass = metric["keys"]["mass"]
    assert mass["higher_is_better"] is True
    for name, methods in mass["methods"].items():
        summary = summarise(values[name]).to_dict()
        assert {key: methods[key] for key in summary} == summary
        assert methods["seconds"] == 0.75
    assert mass["methods"]["perfect"]["rank"] == 1
    assert sorted(m["rank"] for m in mass["methods"].values()) == [1, 2, 3]
    assert "difference" not in mass["methods"]["random1"]
    p_values = []
    for name in ("random0", "perfect"):
        difference = mass["methods"][name]["difference"]
        pairs = np.array(values[name]) - np.array(values["random1"])
        expected = paired_difference(values[name], values["random1"]).to_dict()
        assert {key: difference[key] for key in expected} == expected
        assert difference["p"] == sign_flip_p(pairs)
        p_values.append(difference["p"])
    corrected = [mass["methods"][n]["difference"]["p_holm"] for n in ("random0", "perfect")]
    assert corrected == holm(p_values)


@pytest.mark.slow
def test_rows_are_those_of_the_evaluation_command(tiny: Evaluated, three: list[Path]) -> None:
    assert compare(tiny, three, "--metrics", "degradation", "--tile-size", "16") == 0
    rows = result(tiny)["metrics"]["degradation"]["rows"]["random0"]
    for path in tiny.maps.iterdir():
        path.write_bytes((three[0] / "input_masks" / path.name).read_bytes())
    assert tiny.run("degradation", "alone", "--tile-size", "16") == 0
    for id_, row in tiny.result("alone")["rows"].items():
        assert rows[id_] == {key: row[key] for key in rows[id_]}


def test_the_better_direction_decides_the_rank(tiny: Evaluated, three: list[Path]) -> None:
    assert compare(tiny, three, "--pixel-batch-size", "256") == 0
    keys = result(tiny)["metrics"]["insertion_deletion"]["keys"]
    for key, higher in (("ins_auc", True), ("del_auc", False), ("difference", True)):
        methods = keys[key]["methods"]
        assert keys[key]["higher_is_better"] is higher
        best = (max if higher else min)(methods, key=lambda name: methods[name]["mean"])
        assert methods[best]["rank"] == 1


def test_only_samples_of_all_methods_count(tiny: Evaluated, three: list[Path]) -> None:
    (three[1] / "input_masks" / f"{tiny.ids[0]}.npz").unlink()
    assert compare(tiny, three, *TWO) == 0
    found = result(tiny)
    assert found["samples"] == {"data_set": 4, "selected": 3, "without_map": [tiny.ids[0]]}
    assert found["left_out"] == ["1 sample: no map of every method"]
    for methods in found["metrics"]["ehr"]["keys"]["auc"]["methods"].values():
        assert methods["n"] == 3


def test_missing_maps_can_be_allowed(tiny: Evaluated, three: list[Path]) -> None:
    (three[1] / "input_masks" / f"{tiny.ids[0]}.npz").unlink()
    assert compare(tiny, three, *TWO, "--allow-missing") == 0
    methods = result(tiny)["metrics"]["ehr"]["keys"]["auc"]["methods"]
    assert [methods[name]["n"] for name in ("random0", "random1", "perfect")] == [4, 3, 4]
    assert methods["random1"]["difference"]["n"] == 3
    assert methods["perfect"]["difference"]["n"] == 4


def test_a_sample_that_fails_for_one_method_leaves_the_table(
    tiny: Evaluated, three: list[Path]
) -> None:
    (three[0] / "input_masks" / f"{tiny.ids[1]}.npz").write_bytes(b"no map")
    assert compare(tiny, three, "--metrics", "localisation") == 1
    found = result(tiny)
    assert found["complete"] is False
    assert list(found["metrics"]["localisation"]["failed"]["random0"]) == [tiny.ids[1]]
    assert any("random0: 1 failed" in line for line in found["left_out"])
    assert "localisation: 1 sample: not scored for every method" in found["left_out"]
    methods = found["metrics"]["localisation"]["keys"]["hit"]["methods"]
    assert [methods[name]["n"] for name in methods] == [3, 3, 3]


def test_an_interrupted_comparison_goes_on(
    tiny: Evaluated, three: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    scorer, calls = LocalisationMetric.scorer, list[str]()

    def interrupted(
        self: LocalisationMetric, context: EvaluationContext
    ) -> Callable[[ScoredSample], Row | str]:
        score = scorer(self, context)

        def stopping(case: ScoredSample) -> Row | str:
            calls.append(case.sample.id)
            if len(calls) == 6:
                raise KeyboardInterrupt
            return score(case)

        return stopping

    monkeypatch.setattr(LocalisationMetric, "scorer", interrupted)
    assert compare(tiny, three, *TWO) == 130
    assert result(tiny)["complete"] is False
    assert "Partial" in (tiny.root / "out" / "compare.html").read_text()
    assert compare(tiny, three, *TWO) == 2  # not without --resume
    assert compare(tiny, three, *TWO, "--resume") == 0
    assert len(calls) == 6 + 12 - 5
    assert row_lines(tiny) == 24
    found = result(tiny)
    assert found["complete"] is True
    monkeypatch.undo()
    (tiny.root / "out").rename(tiny.root / "first")
    assert compare(tiny, three, *TWO) == 0
    assert result(tiny) == found


def test_methods_and_metrics_can_be_added(tiny: Evaluated, three: list[Path]) -> None:
    assert compare(tiny, three[:2], "--metrics", "ehr") == 0
    assert row_lines(tiny) == 8
    assert compare(tiny, three, *TWO, "--resume") == 0
    assert row_lines(tiny) == 24
    assert compare(tiny, three, *TWO, "--resume", "--base-threshold", "0.2") == 2


def test_folders_of_maps_in_one_work_directory(tiny: Evaluated, three: list[Path]) -> None:
    features = three[0] / "feat_masks"
    features.mkdir()
    for path in (three[2] / "input_masks").iterdir():
        (features / path.name).write_bytes(path.read_bytes())
    work_dirs = [three[0], features, three[2]]
    assert compare(tiny, work_dirs, "--metrics", "ehr", "--names", "a", "features", "c") == 0
    methods = result(tiny)["metrics"]["ehr"]["keys"]["auc"]["methods"]
    assert [methods[name]["seconds"] for name in "ac"] == [0.75, 0.75]
    assert methods["features"]["seconds"] == 0.25
    assert methods["features"]["rank"] == methods["c"]["rank"] == 1
    assert methods["a"]["rank"] == 3


def test_the_explained_class_is_scored(tiny: Evaluated, three: list[Path]) -> None:
    for path in three:
        write_records(tiny, path, tiny.ids, shift=-1)
    write = {id_: (tiny.dataset[i].target or 0) - 1 for i, id_ in enumerate(tiny.ids)}
    assert min(write.values()) == -1  # no class: this sample fails, and says so
    assert compare(tiny, three[:2], "--metrics", "localisation") == 1
    failed = result(tiny)["metrics"]["localisation"]["failed"]
    assert all("does not exist" in reason for reason in failed["random0"].values())
    lines = (tiny.root / "out/rows/localisation/random0.rows.jsonl").read_text().splitlines()[1:]
    entries = [json.loads(line) for line in lines]
    targets = {entry["id"]: entry["row"]["target"] for entry in entries if entry["row"]}
    assert targets == {id_: target for id_, target in write.items() if target >= 0}


def test_equal_names_of_folders_are_told_apart(tiny: Evaluated, three: list[Path]) -> None:
    inner = tiny.root / "more" / "random0"
    inner.parent.mkdir()
    three[1].rename(inner)
    assert compare(tiny, [three[0], inner, three[2]], "--metrics", "ehr") == 0
    names = list(result(tiny)["methods"])
    assert names == [f"{tiny.root.name}/random0", "more/random0", "perfect"]


def test_names_mean_nothing_to_html_and_markdown(tiny: Evaluated) -> None:
    bad = "<script>alert(1)</script>|x"
    first = write_work_dir(tiny, "a", random_maps(tiny, 0), class_name=bad)
    second = write_work_dir(tiny, "b", random_maps(tiny, 1), class_name=bad)
    assert compare(tiny, [first, second], "--metrics", "ehr", "--names", bad, "b") == 0
    page = (tiny.root / "out" / "compare.html").read_text()
    assert "<script" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;|x") >= 6
    assert 'src="data:image/jpeg;base64,' in page
    assert "http:" not in page
    assert "https:" not in page
    table = (tiny.root / "out" / "compare.md").read_text()
    assert "<script" not in table
    rows = [line for line in table.splitlines() if line.startswith("| &lt;script")]
    assert len(rows) == 2
    assert all("\\|x" in row for row in rows)


def test_what_depends_on_no_map_is_computed_once_for_all_methods(
    tiny: Evaluated, three: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def counted(*arguments: Any) -> Tensor:
        seen.append("drops")
        return drops_without(*arguments)

    monkeypatch.setattr(sys.modules[drops_without.__module__], "drops_without", counted)
    sizes = ("--log-n-max", "1", "--log-n-ticks", "1", "--num-masks", "4")
    assert compare(tiny, three, "--metrics", "sensitivity_n", *sizes) == 0
    assert len(seen) == 2 * len(tiny.ids), "one for each N and sample"
    rows = result(tiny)["metrics"]["sensitivity_n"]["rows"]
    assert rows["random0"] != rows["random1"]
