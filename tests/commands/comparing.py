"""Work directories of made-up methods on the tiny mosaics, for comparisons."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from input_iba.cli.main import main
from input_iba.config.build import build_classifier
from input_iba.config.load import load_config
from input_iba.core.outputs import classifier_digest
from input_iba.evaluation import box_mask
from input_iba.results import Identity, Manifest, RecordLog, SampleRecord, write_mask, write_text
from tests.commands.evaluating import Evaluated

Maps = Mapping[str, NDArray[np.floating[Any]]]


def random_maps(tiny: Evaluated, seed: int) -> dict[str, NDArray[np.float64]]:
    draws = np.random.default_rng(seed)
    return {id_: draws.random((32, 32)) for id_ in tiny.ids}


def cell_maps(tiny: Evaluated) -> dict[str, NDArray[np.float64]]:
    """Return maps that are 1 in the target's cell and nearly 0 elsewhere."""
    draws, found = np.random.default_rng(9), {}
    for i, id_ in enumerate(tiny.ids):
        boxes = tiny.dataset[i].boxes
        assert boxes is not None
        found[id_] = box_mask(boxes, 32, 32).numpy() + 1e-3 * draws.random((32, 32))
    return found


def write_work_dir(
    tiny: Evaluated, name: str, maps: Maps, class_name: str = "cat", **changes: Any
) -> Path:
    """Write a work directory as a run leaves it.

    Args:
        tiny: The data set and its classifier.
        name: Of the folder.
        maps: By sample id.
        class_name: Of all targets.
        changes: Other values of the manifest's identity.
    """
    config, root = load_config(tiny.config), tiny.root / name
    identity = Identity(
        config=config.digest(),
        classifier=classifier_digest(build_classifier(config)),
        data=tiny.dataset.fingerprint(),
        estimation_data="e",
        samples="s",
        seed=0,
        precision="fp32",
        out_style="single_folder",
    )
    root.mkdir()
    manifest = Manifest(replace(identity, **changes), "tiny.py", "layer1", "cpu", {}, len(maps))
    manifest.write(root / "manifest.json")
    write_text(root / "config.py", config.text())
    for id_, values in maps.items():
        write_mask(root / "input_masks" / f"{id_}.npz", values)
    write_records(tiny, root, list(maps), class_name)
    return root


def write_records(
    tiny: Evaluated, root: Path, ids: Sequence[str], class_name: str = "cat", shift: int = 0
) -> None:
    """Write records of all samples: a quarter of a second for the features, half for the rest."""
    (root / "records.jsonl").unlink(missing_ok=True)
    targets = {id_: tiny.dataset[i].target for i, id_ in enumerate(tiny.ids)}
    RecordLog(root / "records.jsonl").append(
        *(
            SampleRecord(
                id_,
                "done",
                target=(targets[id_] or 0) + shift,
                class_name=class_name,
                seconds={"feature_iba": 0.25, "input_iba": 0.5},
                files={"input_mask": f"input_masks/{id_}.npz"},
            )
            for id_ in ids
        )
    )


def compare(tiny: Evaluated, work_dirs: Sequence[Path], *options: str) -> int:
    """Run the command; its result goes to `out`."""
    return main(
        [
            *("compare", *map(str, work_dirs), "--out", str(tiny.root / "out")),
            *("--device", "cpu", "--scores-threshold", "0", *options),
        ]
    )


def result(tiny: Evaluated) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((tiny.root / "out" / "compare.json").read_text())
    return found


def row_lines(tiny: Evaluated) -> int:
    """Return how many rows the comparison keeps, without the first line of each file."""
    files = (tiny.root / "out" / "rows").rglob("*.jsonl")
    return sum(len(path.read_text().splitlines()) - 1 for path in files)
