"""Configs that are broken: read to settings that can be kept, or refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from input_iba.config.build import build_classifier, build_datasets
from input_iba.config.load import RunConfig, load_config
from input_iba.errors import ConfigError, InputIBAError
from tests.reliability.conftest import Evidence
from tests.reliability.fuzz.bounded import read_or_refused, tried
from tests.reliability.fuzz.mutations import changed_bytes, changed_data
from tests.reliability.fuzz.test_images import SECTION
from tests.tiny_runs import tiny_config, write_images


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("configs")
    for part in ("estimation", "attribution"):
        write_images(folder / part / "cat", "ab")
    return folder


def load(path: Path) -> RunConfig | InputIBAError:
    """Return a config, which can be written, hashed and read again, or what refuses it."""
    found = read_or_refused(lambda: load_config(path), ConfigError, seconds=20, megabytes=256)
    if not isinstance(found, RunConfig):
        return found
    again = path.with_name("again.py")
    again.write_text(found.text(), encoding="utf-8")
    assert load_config(again).digest() == found.digest()
    json.dumps(found.raw)
    return found


def written(path: Path, config: Any) -> bytes:
    """Return a config as a file of Python has it, numbers that are none included."""
    if not isinstance(config, dict):
        return repr(config).encode()
    lines = "".join(f"{key} = {value!r}\n" for key, value in config.items() if key.isidentifier())
    return f"nan, inf = float('nan'), float('inf')\n{lines}".encode(errors="backslashreplace")


def built(path: Path) -> int | InputIBAError:
    """Build what a config names, and read a sample; return how many samples there are."""
    config = load(path)
    if isinstance(config, InputIBAError):
        return config
    assert isinstance(config, RunConfig)

    def build() -> int:
        classifier = build_classifier(config)
        estimation_set, dataset = build_datasets(config, classifier)
        if len(dataset) > 0:
            read_or_refused(lambda: dataset[0])
        return len(estimation_set)

    return read_or_refused(build, seconds=30, megabytes=512, asked=True)


def test_broken_configs_are_read_or_refused(root: Path, tmp_path: Path, evidence: Evidence) -> None:
    right, counts = tiny_config(root), {True: 0, False: 0}
    path = tmp_path / "broken.py"

    def check(content: bytes) -> None:
        path.write_bytes(content)
        found = built(path)
        assert not isinstance(found, InputIBAError) or "broken.py" in str(found), found
        counts[not isinstance(found, InputIBAError)] += 1

    @tried(10, 250)
    @given(content=changed_bytes([written(path, right)]))
    def bytes_changed(content: bytes) -> None:
        check(content)

    @tried(15, 500)
    @given(changed=changed_data(right))
    def values_changed(changed: Any) -> None:
        check(written(path, changed))

    bytes_changed()
    values_changed()
    assert min(counts.values()) > 0
    evidence(
        SECTION,
        "configs with changed bytes and changed values",
        sum(counts.values()),
        f"{counts[True]} read and built, {counts[False]} refused by name",
        "values that data sets, transforms and classifiers do not take ended in tracebacks; "
        "of a config that is not Python the file was not named",
    )
