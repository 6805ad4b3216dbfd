"""Runs whose masks go to shards, and many of them to folders: what is kept, read and continued."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from input_iba.cli.main import main
from input_iba.config.load import RunConfig
from input_iba.errors import ConfigError, MissingExtraError
from input_iba.report import report_folders
from input_iba.results import Manifest, StoredFiles, WorkDir, names
from input_iba.results.packing import Packer
from input_iba.run.options import RunOptions
from tests.commands.comparing import random_maps, write_work_dir
from tests.commands.evaluating import Evaluated, prepare
from tests.commands.explain.running import bad_in, masks, records, work_of
from tests.report.work_dirs import make_run
from tests.tiny_runs import FakeExplainer, run


def in_shards(options: RunOptions, **changes: Any) -> RunOptions:
    return replace(options, store="shards", samples_per_shard=2, **changes)


def stored(options: RunOptions) -> dict[str, bytes]:
    """Return the files of all samples, wherever they are."""
    found = StoredFiles(work_of(options))
    files = (file for record in records(options).values() for file in record["files"].values())
    return {file: found.at(file).open("rb").read() for file in files}


def tars(options: RunOptions) -> list[str]:
    return sorted(path.name[-10:] for path in (work_of(options) / "shards").glob("*.tar"))


def test_shards_hold_the_files_of_a_folder(
    config: RunConfig, options: RunOptions, tmp_path: Path
) -> None:
    result, _ = run(config, options)
    packed = in_shards(replace(options, work_dir=tmp_path / "packed"))
    again, _ = run(config, packed)
    assert (again.done, again.failed) == (result.done, 0) == (5, 0)
    assert masks(packed) == {}
    assert stored(packed) == masks(options)
    assert tars(packed) == ["000000.tar", "000001.tar", "000002.tar"]
    assert again.table == result.table


@pytest.mark.parametrize("stop", [1, 3])
def test_a_stopped_run_goes_on_in_the_middle_of_a_shard(
    config: RunConfig, options: RunOptions, tmp_path: Path, stop: int
) -> None:
    run(config, options)
    packed = in_shards(replace(options, work_dir=tmp_path / "packed"))
    ids = WorkDir(work_of(options), resume=True).finished()
    stopping = FakeExplainer(bad_in(ids[stop], error=KeyboardInterrupt))
    one = replace(packed, samples_per_batch=1)
    with pytest.raises(KeyboardInterrupt):
        run(config, one, stopping)
    assert len(masks(packed)) == stop % 2 * len(masks(options)) // 5
    result, explainer = run(config, replace(packed, resume=True))
    assert result.done == 5
    assert [id_ for call in explainer.calls for id_ in call] == ids[stop:]
    assert masks(packed) == {}
    assert {*stored(packed)} == {*masks(options)}
    _, explainer = run(config, replace(packed, resume=True))
    assert explainer.calls == []


def test_a_run_may_go_on_in_the_other_store(config: RunConfig, options: RunOptions) -> None:
    run(config, options)
    before = masks(options)
    packed = in_shards(options, resume=True)
    _, explainer = run(config, packed)
    assert explainer.calls == []
    assert masks(options) == {}
    assert stored(packed) == before
    (work_of(options) / "shards" / tars_index(packed)[1]).unlink()
    result, explainer = run(config, replace(options, resume=True))
    assert result.done == 5
    assert sum(map(len, explainer.calls)) == 2
    assert stored(options) == before
    assert len(masks(options)) == 2 * len(before) // 5


def tars_index(options: RunOptions) -> list[str]:
    return sorted(path.name for path in (work_of(options) / "shards").glob("*.json"))


def test_more_samples_than_a_folder_takes_have_numbered_ones(
    config: RunConfig, options: RunOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "IN_ONE_FOLDER", 2)
    result, _ = run(config, options)
    assert result.done == 5
    files = [record["files"]["map"] for record in records(options).values()]
    assert [file.split("/")[:2] for file in files] == [["maps", f"000{i // 2}"] for i in range(5)]
    assert set(masks(options)) == set(stored(options))
    classes = replace(options, work_dir=work_of(options) / "by class", out_style="image_folder")
    run(config, classes)
    assert {file.split("/")[2] for file in masks(classes)} == {"0000", "0001", "0002"}


def test_wrong_addresses_end_before_anything_is_explained(
    config: RunConfig, options: RunOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match="--store shards as well"):
        replace(options, store_at="s3://bucket")
    monkeypatch.setitem(sys.modules, "fsspec", None)
    explainer = FakeExplainer()
    with pytest.raises(MissingExtraError, match="'store'"):
        run(config, in_shards(options, store_at="memory://a"), explainer)
    assert explainer.calls == []
    assert not (work_of(options) / "manifest.json").exists()


def packed(root: Path) -> Path:
    """Pack a work directory, three samples a shard."""
    work = WorkDir(root, resume=True)
    packer = Packer(root, Manifest.read(work.manifest_path), None, 3)
    packer.add(work.records.scan())
    packer.close()
    assert not list(root.glob("*/*.npz"))
    return root


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Evaluated:
    return prepare(tmp_path_factory.mktemp("tiny"))


def rows_of(path: Path) -> Any:
    content = json.loads(path.read_text())
    return content.get("rows") or content["metrics"]["localisation"]["rows"]


def test_evaluate_and_compare_find_the_same_in_shards(tiny: Evaluated, tmp_path: Path) -> None:
    roots = [write_work_dir(tiny, f"run{i}", random_maps(tiny, i)) for i in range(2)]
    found = []
    for name in ("loose", "packed"):
        folders: Sequence[str | Path] = (roots[0], roots[0] / "input_masks")
        for i, folder in enumerate(folders):
            options = ["--device", "cpu", "--scores-threshold", "0", "--file-name", f"{name}{i}"]
            work = [str(tiny.config), str(folder), str(tmp_path), *options[4:][1:]]
            metric = ["evaluate", "localisation"]
            assert main([*metric, *work, *options[:4]]) == 0
        out = tmp_path / name
        arguments = [*map(str, roots), "--metrics", "localisation", "--out", str(out)]
        assert main(["compare", *arguments, "--device", "cpu"]) == 0
        results = (tmp_path / f"{name}0.json", tmp_path / f"{name}1.json", out / "compare.json")
        found.append([rows_of(path) for path in results])
        for root in roots if name == "loose" else ():
            packed(root)
    assert found[0] == found[1]
    assert len(found[0][0]) == len(tiny.ids)


def test_figures_of_packed_images_are_those_of_loose_ones(tmp_path: Path) -> None:
    root = make_run(tmp_path / "run", ["a", "b", "c", "d"]).root
    drawn = []
    for _ in range(2):
        assert main(["figure", "grid", str(root), "--out", str(tmp_path / "grid.png")]) == 0
        drawn.append((tmp_path / "grid.png").read_bytes())
        if len(drawn) == 1:
            packed(root)
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize("words", [None, {"a": ["A", "fine", "film"], "b": ["no"]}])
def test_a_page_about_shards_holds_their_images(
    tmp_path: Path, words: dict[str, list[str]] | None
) -> None:
    root = make_run(tmp_path / "run", ["a", "b"], texts=words).root
    before = report_folders([root]).read_text()
    after = report_folders([packed(root)]).read_text()
    assert not re.findall(r'(?:src|href)="\./', after)
    count = before.count('src="./')
    assert after.count('src="data:image/') == count == (0 if words else 12)
    assert re.findall("<p class=.text.*", after) == re.findall("<p class=.text.*", before)
