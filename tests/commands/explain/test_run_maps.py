"""The map of a run: what is saved of it, and that runs of releases without maps stay usable."""

from __future__ import annotations

import json
from dataclasses import replace
from html import escape
from pathlib import Path
from shutil import rmtree

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from input_iba.commands.compare.methods import read_methods
from input_iba.commands.explain.run import run_attribution
from input_iba.commands.figure.grid import figure_grid
from input_iba.commands.figure.options import GridOptions
from input_iba.config.load import RunConfig
from input_iba.drawing import heat_of, overlay, to_8_bits
from input_iba.records import shown_at
from input_iba.report.rows import LoggedRows
from input_iba.results import WorkDir
from input_iba.results.map_files import find_maps, own_maps, read_map
from input_iba.run.options import RunOptions
from tests.commands.explain.running import IDS, masks, records, work_of
from tests.tiny_runs import run


def without_maps(work: Path) -> None:
    """Make a work directory one of a release that had no maps."""
    rmtree(work / "maps")
    log = work / "records.jsonl"
    found = [json.loads(line) for line in log.read_text().splitlines()]
    for record in found:
        del record["map_bits"], record["files"]["map"], record["files"]["map_png"]
        del record["verdict"], record["verdict_reason"], record["checks"]
    log.write_text("".join(f"{json.dumps(record)}\n" for record in found))


def test_records_page_and_table_say_whether_to_believe_a_map(
    config: RunConfig, options: RunOptions
) -> None:
    run(config, options)
    page = (work_of(options) / "report.html").read_text(encoding="utf-8")
    for record in records(options).values():
        assert record["verdict"] in ("green", "amber", "red"), record["verdict_reason"]
        assert set(record["checks"]) == {"hidden", "spared", "halves", "agreement"}
        line = f"Believe this map? {record['verdict']}: {record['verdict_reason']}"
        assert f'<p class="believed {record["verdict"]}">{escape(line)}</p>' in page
    without_maps(work_of(options))  # also of a release without verdicts
    earlier = LoggedRows(WorkDir(work_of(options), resume=True))
    assert all(row.believed == ("", "") for row in earlier)


def test_the_map_is_saved_in_bits_and_is_what_pictures_and_commands_show(
    config: RunConfig, options: RunOptions
) -> None:
    result, _ = run(config, options)
    work = work_of(options)
    for id_, record in records(options).items():
        with np.load(work / record["files"]["map"]) as arrays:
            assert arrays.files == ["map"]
            bits = arrays["map"]
        assert (bits.dtype, bits.shape) == (np.float32, (32, 32))
        assert record["map_bits"] == np.float64(bits.sum(dtype=np.float64)).round(8)
        held = np.exp(-record["losses"]["input_iba/target"][-1])
        heat = shown_at(held) * heat_of(bits)
        with Image.open(work / record["files"]["heat"]) as image:  # losses are rounded in records
            assert np.abs(np.asarray(image).astype(int) - to_8_bits(heat)).max() <= 1
        with Image.open(work / record["files"]["map_png"]) as image:
            assert np.array_equal(np.asarray(image), to_8_bits(bits / bits.max()))
        # As a JPEG, of a photograph that was one as well, only nearly.
        with Image.open(work / record["files"]["photograph"]) as image:
            expected = overlay(np.asarray(image), heat).astype(float)
        with Image.open(work / record["files"]["overlay"]) as image:
            assert np.abs(np.asarray(image) - expected).mean() < 10
        assert find_maps(work, IDS)[id_] == work / record["files"]["map"]
        assert record["files"]["map"] in result.table
    shown = {row.id: row for row in LoggedRows(WorkDir(work, resume=True))}
    assert shown["3"].map_bits == records(options)["3"]["map_bits"]
    page = (work / "report.html").read_text()
    assert f"{shown['3'].map_bits:.3g} bits" in page
    assert 'data-label="bits"' in page


def test_a_lost_map_is_made_again_the_same(config: RunConfig, options: RunOptions) -> None:
    run(config, options)
    before = masks(options)
    assert "maps/dog__2.npz" in before
    (work_of(options) / "maps" / "dog__2.npz").unlink()
    _, fake = run(config, replace(options, resume=True))
    assert fake.calls == [["dog__1", "dog__2"]]
    assert masks(options) == before


def test_a_work_directory_without_maps_is_read_and_continued(
    config: RunConfig, options: RunOptions, tmp_path: Path
) -> None:
    run(config, options)
    work = work_of(options)
    without_maps(work)
    assert find_maps(work, IDS)["3"] == work / "input_masks" / "3.npz"
    [method] = read_methods([work])
    assert method.records["3"].map_file == "input_masks/3.npz"
    for several in (False, True):
        sheet = tmp_path / "sheet.png"
        dirs, names = ((work, work), ("a", "b")) if several else ((work,), None)
        assert figure_grid(GridOptions(work_dirs=dirs, names=names, out=sheet)) == len(IDS)
        assert sheet.stat().st_size > 0
    result, fake = run(config, replace(options, resume=True))
    assert (result.done, fake.calls) == (5, [])
    assert "input_masks/3.npz" in result.table
    # What is missing is made with its map, but maps of some are not the run's answer.
    (work / "input_masks" / "3.npz").unlink()
    _, fake = run(config, replace(options, resume=True))
    assert fake.calls == [["3"]]
    assert [path.name for path in (work / "maps").glob("*.npz")] == ["3.npz"]
    assert own_maps(work) == work / "input_masks"


@pytest.mark.slow
def test_the_same_samples_in_other_batches_have_the_same_maps(
    config: RunConfig, options: RunOptions, tmp_path: Path
) -> None:
    found: list[dict[str, NDArray[np.float64]]] = []
    for size in (1, 5):
        work = tmp_path / f"by {size}"
        run_attribution(config, replace(options, work_dir=work, samples_per_batch=size))
        found.append({p.stem: read_map(p).numpy() for p in (work / "maps").glob("*.npz")})
        for id_, record in records(replace(options, work_dir=work)).items():
            with np.load(work / record["files"]["feature_mask"]) as arrays:
                bits = float(arrays["mask"].sum())
            bits *= np.exp(-record["losses"]["input_iba/target"][-1])
            np.testing.assert_allclose(record["map_bits"], bits, rtol=1e-4)
            np.testing.assert_allclose(found[-1][id_].sum(), bits, rtol=1e-4)
    for id_ in IDS:
        np.testing.assert_allclose(found[0][id_], found[1][id_], rtol=1e-3, atol=1e-5)
