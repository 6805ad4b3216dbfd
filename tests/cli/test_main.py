"""Arguments, messages and exit status, without running anything long."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from input_iba.cli import main as cli
from input_iba.cli.run import FAILED
from input_iba.errors import ConfigError, ProcessError
from input_iba.run.launch import Processes
from input_iba.run.launchers import Terminated
from tests.tiny_runs import tiny_config, write_config, write_images

RUN = "input_iba.commands.explain.run.run_attribution"


class Result:
    """What a run returns."""

    def __init__(self, failed: int = 0, unread: int = 0) -> None:
        self.done, self.failed, self.unread = 3, failed, unread
        self.table, self.report = "the table 猫", Path("w/report.html")


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    return write_config(tmp_path / "tiny.py", tiny_config(tmp_path))


def fake_run(
    monkeypatch: pytest.MonkeyPatch, outcome: Callable[[Any, Any], Result]
) -> list[tuple[Any, Any]]:
    calls: list[tuple[Any, Any]] = []

    def run(config: Any, options: Any, processes: Processes) -> Result:
        assert processes == Processes()
        calls.append((config, options))
        return outcome(config, options)

    monkeypatch.setattr(RUN, run)
    return calls


def test_every_option_arrives(monkeypatch: pytest.MonkeyPatch, config_file: Path) -> None:
    calls = fake_run(monkeypatch, lambda *_: Result())
    status = cli.main(
        [
            *("attribute", str(config_file), "--work-dir", "w", "--gpu-id", "1"),
            *("--device", "cuda", "--out-style", "image_folder", "--pbar", "--subset-file", "s"),
            *("--seed", "5", "--resume", "--precision", "bf16", "--preset", "paper"),
            *("--samples-per-batch", "auto", "--internal-batch-size", "7"),
            *("--cfg-options", "attribution_cfg.gan.epochs=3", "attributor.layer=layer2"),
        ]
    )
    config, options = calls[0]
    assert status == 0
    assert (config.prior["epochs"], config.layer) == (3, "layer2")
    assert (options.work_dir, options.gpu_id, options.device) == (Path("w"), 1, "cuda")
    assert (options.out_style, options.progress_bar) == ("image_folder", True)
    assert (options.subset_file, options.seed, options.resume) == (Path("s"), 5, True)
    assert options.precision == "bf16"
    assert config.preset == options.preset == "paper"
    assert (options.samples_per_batch, config.internal_batch_size) == ("auto", 7)
    assert options.cfg_options["attribution_cfg.internal_batch_size"] == 7
    assert options.cfg_options["attributor.layer"] == "layer2"


def test_the_published_script_takes_the_same_arguments(
    monkeypatch: pytest.MonkeyPatch, config_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = fake_run(monkeypatch, lambda *_: Result())
    assert cli.script("attribute", [str(config_file), "--seed", "2"]) == 0
    options = calls[0][1]
    assert (options.seed, options.progress_bar, options.device) == (2, None, "auto")
    assert (options.samples_per_batch, options.preset) == (None, None)
    assert options.work_dir_for(config_file) == Path("workdirs/tiny")
    output = capsys.readouterr().out
    assert "the table 猫" in output
    assert "Report: w/report.html" in output


def test_a_failed_sample_makes_the_status_1(
    monkeypatch: pytest.MonkeyPatch, config_file: Path
) -> None:
    fake_run(monkeypatch, lambda *_: Result(failed=1))
    assert cli.script("attribute", [str(config_file)]) == FAILED == 1


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (ConfigError("no such layer"), 2, "error: no such layer\n"),
        (ProcessError("one is lost", said=False), 1, "error: one is lost"),
        (ProcessError("said elsewhere", said=True), 1, ""),
        (ProcessError("said elsewhere", said=True, usage=True), 2, ""),
        (KeyboardInterrupt(), 130, ""),
        (Terminated(), 143, ""),
        (RuntimeError("disk on fire"), 1, "error: unexpected RuntimeError: disk on fire."),
    ],
)
def test_errors_become_one_message_and_a_status(
    monkeypatch: pytest.MonkeyPatch,
    config_file: Path,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    status: int,
    said: str,
) -> None:
    def fail(*_: Any, **__: Any) -> Result:
        raise error

    fake_run(monkeypatch, fail)
    assert cli.script("attribute", [str(config_file)]) == status
    shown = capsys.readouterr().err
    assert shown.startswith(said)
    # What is no fault of the user's comes with what its mending needs, after the message.
    assert "elsewhere" not in shown
    assert ("Traceback" in shown) == isinstance(error, RuntimeError)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["x.py", "--seed", "-1"], "at least 0 and below"),
        (["x.py", "--seed", "one"], "type int, got 'one'"),
        (["x.py", "--out-style", "flat"], "single_folder"),
        (["x.py", "--precision", "fp8"], "bf16"),
        (["x.py", "--preset", "quick"], "paper"),
        (["x.py", "--samples-per-batch", "0"], "at least 1, got 0"),
        (["x.py", "--samples-per-batch", "many"], "of type int or 'auto', got 'many'"),
        (["x.py", "--samples-per-batch", "2.5"], "of type int or 'auto', got '2.5'"),
        (["x.py", "--internal-batch-size", "-3"], "at least 1"),
        (["x.py", "--internal-batch-size", "auto"], "type int, got 'auto'"),
        (["x.py", "--cfg-options", "a.b"], "expected KEY=VALUE, as in a.b=3; got 'a.b'"),
        (["x.py", "--cfg-options", "a..b=1"], "expected KEY=VALUE"),
        (["x.py", "--cfg-options", "a=[1,2"], "--cfg-options"),
        (["x.py", "--recume"], "--recume"),
    ],
)
def test_wrong_usage_has_status_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.script("attribute", arguments)
    assert caught.value.code == 2
    assert said in capsys.readouterr().err


def test_nothing_to_explain_has_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.script("attribute", []) == 2
    assert "CONFIG" in capsys.readouterr().err


def test_of_several_processes_one_says_what_is_wrong_with_the_arguments(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "x")
    for rank, said in (("0", True), ("1", False)):
        monkeypatch.setenv("RANK", rank)
        with pytest.raises(SystemExit) as caught:
            cli.script("attribute", ["x.py", "--recume"])
        assert caught.value.code == 2
        assert ("--recume" in capsys.readouterr().err) is said


@pytest.mark.parametrize("option", ["--local-rank=1", "--local_rank=1"])
def test_what_older_launchers_pass_is_accepted(
    monkeypatch: pytest.MonkeyPatch, config_file: Path, option: str
) -> None:
    fake_run(monkeypatch, lambda *_: Result())
    assert cli.script("attribute", [str(config_file), option]) == 0


def test_a_launcher_that_did_not_start_the_process_has_status_2(
    monkeypatch: pytest.MonkeyPatch, config_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("RANK", raising=False)
    assert cli.script("attribute", [str(config_file), "--launcher", "pytorch"]) == 2
    assert "error: --launcher pytorch: torchrun did not start" in capsys.readouterr().err


def test_a_missing_config_has_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.script("attribute", [str(tmp_path / "a.py")]) == 2
    assert "does not exist" in capsys.readouterr().err


def test_an_unknown_command_names_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["explain"])
    assert caught.value.code == 2
    assert "attribute" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["attribute", "--help"], ["layers", "--help"]])
def test_help_names_the_exit_status(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 0
    assert "exit status: 0 everything explained" in capsys.readouterr().out


def test_layers_prints_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_images(tmp_path / "attribution" / "cat", ["a"])
    path = write_config(tmp_path / "tiny.py", tiny_config(tmp_path))
    assert cli.main(["layers", str(path), "--cfg-options", "attributor.layer=layer2"]) == 0
    output = capsys.readouterr().out
    assert "128×16×16" in output
    assert "<- attributor.layer" in output
