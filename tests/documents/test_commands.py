"""Every command and every Python block that a document prints is executed, on a tiny stage."""

from __future__ import annotations

import functools
import io
import re
import shlex
import subprocess
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from input_iba.cli.main import COMMANDS
from input_iba.datasets import build_dataset
from tests.documents.names import NAMES
from tests.documents.printed import (
    DOCUMENTS,
    ROOT,
    Block,
    blocks,
    commands_in_sentences,
    read,
    spans,
)
from tests.documents.stage import make_stage, offline, parses, run, shortened
from tests.documents.stand_ins import NOT_RUN

BEFORE = {
    "README.md": (),
    "tutorials/evaluation.md": (
        *("generate_small_imagenet.py", "/train.py configs/vgg_imagenet.py", "deep_lstm"),
        "train.py configs/samples.py --work-dir workdirs/samples ",
    ),
}
"""Commands of `FIRST` that a document takes for granted: those that hold one of the words."""

FIRST = ("README.md", "docs/RUNNING.md")
"""The documents that are read before the others."""

DATA = ("generate_small_imagenet.py",)
"""What every other document takes for granted."""

PRINTS = {"docs/PYTHON.md": "torch.Size([1, 1, 224, 224]) Egyptian cat\n"}
"""What the Python blocks of a document print."""

OTHERS = {"--help", "--version", "--nproc_per_node", "--kill-on-bad-exit"}
"""Options of every command, of the program itself, of torchrun and of srun."""

OPTION = re.compile(r"--[a-z][\w-]*")


def reason_not_to_run(command: str) -> str | None:
    """Return why a command is not executed, or None."""
    return next((why for start, why in NOT_RUN.items() if command.startswith(start)), None)


def parts_of_srun(command: str) -> str:
    """Leave out what stands before `python`."""
    return command[command.index("python") :]


def check_without_running(command: str) -> bool:
    """Say whether a command that cannot run here is at least understood."""
    words = shlex.split(command)
    if words[0] == "pre-commit":
        return (ROOT / ".pre-commit-config.yaml").is_file()
    if words[0] == "make":
        dry = subprocess.run(["make", "-n", *words[1:]], cwd=ROOT, check=False, capture_output=True)
        return dry.returncode == 0
    if words[0] == "cp":
        return (ROOT / words[1]).is_file()
    if words[0] == "npm":
        return words[1] == "install"
    if words[0] == "pip":
        named = re.search(r"input-iba\[([\w,]+)\]", command)
        extras = re.findall(r"^(\w+) = \[", read("pyproject.toml"), re.MULTILINE)
        return named is None or set(named[1].split(",")) <= set(extras)
    return parses(shlex.split(parts_of_srun(command) if words[0] == "srun" else command))


def execute(block: Block, stage: Path, names: dict[str, Any]) -> list[str]:
    """Run what a block prints; return what went wrong."""
    where = f"{block.document}:{block.line}"
    if block.language == "shell":
        return [
            f"{where}: {command}"
            for command in block.commands
            if not (
                check_without_running(command)
                if reason_not_to_run(command)
                else run(shortened(shlex.split(command)), stage) == 0
            )
        ]
    with redirect_stdout(io.StringIO()) as output:
        exec(compile(block.text, where, "exec"), names)
    assert output.getvalue() == PRINTS.get(block.document, ""), where
    if "data" in names:  # a part of a config
        for section in names.pop("data").values():
            build_dataset(section)
    return []


@pytest.mark.slow
@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_a_document_prints_runs(
    document: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offline(monkeypatch, tmp_path)
    printed = [block for block in blocks(document) if block.language in ("shell", "python")]
    if not printed:
        return
    make_stage(tmp_path)
    monkeypatch.chdir(tmp_path)
    first = [command for name in FIRST for block in blocks(name) for command in block.commands]
    for command in dict.fromkeys(first):
        if any(word in command for word in BEFORE.get(document, DATA)):
            run(shortened(shlex.split(command)), tmp_path)
    names = NAMES.get(document, dict)()
    wrong = [line for block in printed for line in execute(block, tmp_path, names)]
    assert wrong == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_block_has_a_language_that_is_tested(document: str) -> None:
    languages = {"shell", "python", ""}
    assert [b.line for b in blocks(document) if b.language not in languages] == []
    hidden = [
        line
        for block in blocks(document)
        if block.language == ""
        for line in block.text.splitlines()
        if re.match(r"\s*(\$ |python |input-iba |pip |torchrun )", line)
    ]
    assert hidden == []


@pytest.mark.slow
@pytest.mark.parametrize("document", DOCUMENTS)
def test_commands_in_sentences_are_understood(document: str) -> None:
    wrong = []
    for command in commands_in_sentences(document):
        words = shlex.split(command)
        # `input-iba compare` and `python -m benchmarks.x` alone are names, not calls.
        name = len(words) == (3 if words[1] == "-m" else 2) and words[0] in ("input-iba", "python")
        if not check_without_running(f"{command} --help" if name else command):
            wrong.append(command)
    assert wrong == []


@functools.cache
def known_options() -> set[str]:
    """Return the options of all commands, benchmarks and examples, as their help has them."""
    calls = [["input-iba", *name.split(), "--help"] for name in COMMANDS]
    for path in sorted((ROOT / "benchmarks").glob("*.py")):
        if "ArgumentParser" in path.read_text(encoding="utf-8"):
            calls.append(["python", "-m", f"benchmarks.{path.stem}", "--help"])
    for path in (*sorted((ROOT / "examples").glob("*.py")), ROOT / "tutorials" / "colab.py"):
        if "ArgumentParser" in path.read_text(encoding="utf-8"):
            calls.append(["python", path.relative_to(ROOT).as_posix(), "--help"])
    with redirect_stdout(io.StringIO()) as printed:
        assert [call for call in calls if not parses(call)] == []
    return set(OPTION.findall(printed.getvalue()))


@pytest.mark.filterwarnings("ignore:.*found in sys.modules:RuntimeWarning")
@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_option_that_is_named_exists(document: str) -> None:
    named = {option for span in spans(document) for option in OPTION.findall(span)}
    assert named - OTHERS - known_options() == set()


def test_the_reasons_not_to_run_are_used() -> None:
    printed = [
        command
        for document in DOCUMENTS
        for command in (
            *commands_in_sentences(document),
            *(line for block in blocks(document) for line in block.commands),
        )
    ]
    assert [start for start in NOT_RUN if not any(c.startswith(start) for c in printed)] == []


def test_a_command_that_does_not_exist_fails(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    assert run(["input-iba", "attribute", "--nonsense"], tmp_path) == 2
    assert not parses(["python", "tools/vision/train.py", "configs/samples.py", "--nonsense"])
    with pytest.raises(ValueError, match="'nonsense' is not known here"):
        run(["nonsense", "a"], tmp_path)
