"""Made-up work directories: what runs and evaluations leave behind, without any classifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from input_iba.drawing import colourise, heat_of, overlay, to_8_bits
from input_iba.results import (
    Identity,
    Manifest,
    SampleRecord,
    WorkDir,
    file_names,
    write_image,
    write_json,
    write_mask,
    write_text,
)
from input_iba.results.sample_writer import IMAGE_PLACES

EVIL = '"><script>document.title="hacked"</script><!--</script> & 50%#?'
CLASSES = ("tabby", "tiger <b>cat</b>", "beagle")
LOSSES: dict[str, list[float | None]] = {
    "input_iba/target": [0.5, 0.25, None, 0.125],
    "input_iba/information": [4.0, 2.0, 1.0, 0.5],
}
SIDE = 32


def make_run(
    root: Path,
    ids: Sequence[str],
    *,
    method: str = "input_iba",
    failed: Mapping[str, str] = {},
    texts: Mapping[str, Sequence[str]] | None = None,
    side: int = SIDE,
) -> WorkDir:
    """Write a work directory.

    Args:
        root: The folder.
        ids: Samples that are done; number i is of class i modulo 3, its probability grows with i.
        method: What made the maps; feature mask and prior are only of 'input_iba'.
        failed: Samples that failed, and why.
        texts: Words of each sample; None for pictures.
        side: Pixels of a picture's side.
    """
    work = WorkDir(root)
    manifest = _manifest(len(ids) + len(failed), method)
    work.claim(manifest, "data = dict()\n")
    names, own = file_names(ids), method == "input_iba"
    records = [
        _record(
            root, i, len(ids), id_, names[id_], own, None if texts is None else texts[id_], side
        )
        for i, id_ in enumerate(ids)
    ]
    work.records.append(*records)
    work.records.append(*(SampleRecord(id_, "failed", why) for id_, why in failed.items()))
    work.close(manifest, [*ids, *failed])
    return work


def make_result(
    path: Path, maps: Path, scores: Mapping[str, float], *, skipped: Mapping[str, str] = {}
) -> Path:
    """Write the result of an insertion and deletion, whose difference is given by sample."""
    rows = {
        id_: {
            **{"target": 0, "pred": 0.9, "ins_auc": 0.5 + value, "del_auc": 0.5},
            **{"difference": value, "ins_curve": [0.0, 0.5] + [1.0] * 99},
            "del_curve": [1.0] + [0.0] * 100,
        }
        for id_, value in scores.items()
    }
    mean = sum(scores.values()) / len(scores)
    summary = {"mean": mean, "std": 0.1, "low": mean - 0.05, "high": mean + 0.05, "n": len(rows)}
    keys = {"ins_auc": True, "del_auc": False, "difference": True}
    total = len(rows) + len(skipped) + 1
    counts = {"data_set": total, "selected": total, "scored": len(rows), "skipped": len(skipped)}
    content: dict[str, Any] = {
        "metric": "insertion_deletion",
        "complete": False,
        "samples": {**counts, "failed": 0, "not_reached": 1, "without_map": 0},
        "higher_is_better": keys,
        "summary": dict.fromkeys(keys, summary),
        "skipped": dict(skipped),
        "failed": {},
        "without_map": [],
        "made_with": {"maps": str(maps), "settings": {"sigma": 5.0, "pixel_batch_size": 10}},
        "rows": rows,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, content)
    return path


def _manifest(samples: int, method: str) -> Manifest:
    digest = "0123456789abcdef"
    identity = Identity(digest, digest, digest, digest, digest, 0, "fp32", EVIL)
    return Manifest(identity, "configs/made_up.py", "layer1", "cpu", {}, samples, method)


def _record(
    root: Path,
    i: int,
    total: int,
    id_: str,
    name: str,
    own: bool,
    words: Sequence[str] | None,
    side: int,
) -> SampleRecord:
    draws = np.random.default_rng(i)
    kinds = ["input_mask", "feature_mask", "prior_mask"] if own else ["input_mask"]
    shape = (side, side) if words is None else (len(words),)
    masks = {kind: draws.random(shape) for kind in kinds}
    folders = {
        "input_mask": "input_masks",
        "feature_mask": "feat_masks",
        "prior_mask": "prior_masks",
    }
    files = {kind: f"{folders[kind]}/{name}.npz" for kind in kinds}
    for kind, mask in masks.items():
        write_mask(root / files[kind], mask, words)
    if words is not None:
        files["highlights"] = f"highlights/{name}.html"
        write_text(root / files["highlights"], "<!doctype html><title>a review</title>")
    else:
        photograph = draws.integers(0, 255, (side, side, 3), dtype=np.uint8)
        hot = heat_of(masks["input_mask"])
        pictures = {"photograph": photograph, "overlay": overlay(photograph, hot)}
        pictures |= {"heat": to_8_bits(hot)}
        pictures |= {f"{kind}_picture": colourise(mask) for kind, mask in masks.items()}
        for kind, pixels in pictures.items():
            folder, extension = IMAGE_PLACES[kind]
            files[kind] = f"{folder}/{name}{extension}"
            write_image(root / files[kind], pixels)
    return SampleRecord(
        id=id_,
        status="done",
        target=i % len(CLASSES),
        class_name=CLASSES[i % len(CLASSES)],
        target_probability=(i + 0.5) / total,
        predicted_class_name=CLASSES[0],
        prediction_probability=0.9,
        top_classes=[[CLASSES[0], 0.9], [EVIL, 0.05]],
        feature_peak=0.5,
        seconds={"feature_iba": 1.0, "input_iba": float(total - i)},
        files=files,
        losses=LOSSES if own else {},
    )
