"""Runs that are repeated: the same bits here, and what differs is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from input_iba.cli.main import main
from input_iba.commands.explain.run import run_attribution
from input_iba.commands.reproduce import DIFFERS, EQUAL, MISSING, WITHIN, Repeated, Reproduction
from input_iba.commands.reproduce import reproduce as repeated
from input_iba.commands.reproduce_options import ReproduceOptions
from input_iba.config.build import build_classifier
from input_iba.config.load import load_config
from input_iba.errors import DataError, InputIBAError, ResumeError
from input_iba.results import write_mask
from input_iba.run.options import RunOptions
from tests.tiny_runs import five_pictures, tiny_config, write_config


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the work directory of a run of five pictures, two at once."""
    root = tmp_path_factory.mktemp("whole")
    content = tiny_config(five_pictures(root / "data"))
    config = load_config(write_config(root / "tiny.py", content))
    torch.save(build_classifier(config).state_dict(), root / "net.pth")
    content["attributor"]["classifier"]["pretrained"] = str(root / "net.pth")
    config = load_config(write_config(root / "tiny.py", content))
    run_attribution(config, RunOptions(work_dir=root / "work", precision="fp32", device="cpu"))
    return root / "work"


@pytest.fixture
def again(whole: Path, tmp_path: Path) -> Callable[..., Reproduction]:
    """Return what repeats the run, with some options."""

    def repeat(**options: object) -> Reproduction:
        given = {"folder": whole, "out": tmp_path / "again", "device": "cpu", **options}
        return repeated(ReproduceOptions(**given))  # type: ignore[arg-type]

    return repeat


def copy(whole: Path, to: Path) -> Path:
    """Copy what a reproduction reads."""
    for path in [*whole.glob("*.*"), *(whole / "maps").iterdir()]:
        target = to / path.relative_to(whole)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    return to


def edit(work: Path, **values: object) -> None:
    path = work / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


@pytest.mark.slow
def test_the_same_machine_makes_the_same_bits(again: Callable[..., Reproduction]) -> None:
    found = again()
    assert [sample.verdict for sample in found.samples] == [EQUAL] * 5
    assert (found.good, list(found.unlike)) == (True, [])
    assert found.text.startswith("5 maps repeated: 5 equal bit for bit, 0 within")
    assert "sample" not in found.text


@pytest.mark.slow
def test_single_batches_are_computed_in_the_company_that_they_had(
    again: Callable[..., Reproduction],
) -> None:
    found = again(batches=1)
    assert [sample.verdict for sample in found.samples] == [EQUAL] * 2


@pytest.mark.slow
def test_what_differs_is_said(
    whole: Path, tmp_path: Path, again: Callable[..., Reproduction]
) -> None:
    work = copy(whole, tmp_path / "copy")
    edit(work, processor="Abacus, BEADS")
    first, second, third, *_ = sorted((work / "maps").glob("*.npz"))
    other = np.random.default_rng(0).random((32, 32), dtype=np.float32)
    write_mask(first, other, key="map")
    write_mask(second, other[:4], key="map")
    third.write_bytes(b"no map")
    found = again(folder=work)
    verdicts = {sample.id: sample.verdict for sample in found.samples}
    assert sorted(verdicts.values()) == sorted([DIFFERS, DIFFERS, MISSING, EQUAL, EQUAL])
    assert not found.good
    assert found.text.splitlines()[1].startswith("Other than then: processor: was Abacus, BEADS")
    assert found.text.count(f"  {DIFFERS}  ") == 2


def test_what_is_nearly_the_same_is_within_the_tolerance(tmp_path: Path) -> None:
    found = Reproduction([Repeated("a", WITHIN, 0.1, 0.999)], [], tmp_path)
    assert found.good
    assert found.text.splitlines()[-1].split() == ["a", "within", "tolerance", "0.1", "0.999"]
    assert not replace(found, samples=[Repeated("a", DIFFERS, 0.5, 0.5)]).good


@pytest.mark.slow
@pytest.mark.parametrize("part", ["config", "classifier", "data", "samples"])
def test_another_config_network_or_data_set_is_refused(
    whole: Path, tmp_path: Path, again: Callable[..., Reproduction], part: str
) -> None:
    work = copy(whole, tmp_path / "copy")
    identity = json.loads((work / "manifest.json").read_text())["identity"]
    edit(work, identity={**identity, part: "0" * 64})
    with pytest.raises(ResumeError, match=r"made otherwise.*\n.*was 0000"):
        again(folder=work)
    assert not (tmp_path / "again" / "records.jsonl").exists()


def test_what_cannot_be_repeated_is_refused(
    whole: Path, tmp_path: Path, again: Callable[..., Reproduction]
) -> None:
    with pytest.raises(InputIBAError, match="cannot be read as the manifest"):
        again(folder=tmp_path)
    work = copy(whole, tmp_path / "copy")
    edit(work, options={"subset_file": "gone.txt"})
    with pytest.raises(ResumeError, match=r"--subset-file 'gone\.txt', which is not there"):
        again(folder=work)


@pytest.mark.slow
def test_a_run_that_explained_nothing_has_nothing_to_compare(
    whole: Path, tmp_path: Path, again: Callable[..., Reproduction]
) -> None:
    work = copy(whole, tmp_path / "copy")
    (work / "records.jsonl").write_text("")
    with pytest.raises(DataError, match="Nothing that was repeated"):
        again(folder=work)


@pytest.mark.slow
def test_the_command_prints_and_says_by_its_status(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    work = copy(whole, tmp_path / "copy")
    assert main(["reproduce", str(work), "--device", "cpu", "--batches", "1"]) == 0
    assert "2 equal bit for bit" in capsys.readouterr().out
    assert (tmp_path / "copy_reproduced" / "report.html").is_file()
    assert main(["reproduce", str(work), "--device", "cpu"]) == 2
    assert "--work-dir" in capsys.readouterr().err


@pytest.mark.slow
def test_a_continued_run_says_that_it_is_on_another_machine(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    work = copy(whole, tmp_path / "copy")
    edit(work, processor="Abacus, BEADS")
    path = load_config(whole.parent / "tiny.py")
    options = RunOptions(work_dir=work, precision="fp32", device="cpu", resume=True)
    run_attribution(path, options)
    said = capsys.readouterr().err
    assert "made on another machine" in said
    assert "was Abacus, BEADS" in said
