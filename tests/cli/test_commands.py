"""The table of commands: the front command, the published scripts, and what help costs."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from input_iba.cli import main as cli
from input_iba.config.shipped import shipped, shipped_configs
from input_iba.evaluation import METRICS

TOOLS = Path(__file__).parents[2] / "tools"
SCRIPTS = sorted(path.relative_to(TOOLS).as_posix() for path in TOOLS.rglob("*.py"))

PUBLISHED = {
    *("degradation", "ehr", "insertion_deletion", "localisation", "nlp_insertion_deletion"),
    *("nlp_sensitivity_n", "sanity_check", "sensitivity_n", "target_scores"),
}
"""Metrics with a script of their own."""

HELP = """
import sys
from input_iba.cli.main import COMMANDS, main

for words in [[], *(name.split() for name in COMMANDS)]:
    try:
        main([*words, "--help"])
    except SystemExit as ended:
        assert ended.code == 0, words
print("loaded:", *sorted({"torch", "mmengine", "numpy"} & sys.modules.keys()))
"""


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_published_script_is_a_command_of_the_table(script: str) -> None:
    text = (TOOLS / script).read_text()
    [name] = re.findall(r'sys\.exit\(script\("(.*)"\)\)', text)
    assert name in cli.COMMANDS


def test_every_command_but_the_new_ones_has_a_published_script() -> None:
    named = re.findall(r'script\("(.*)"\)', "".join((TOOLS / s).read_text() for s in SCRIPTS))
    new = {"demo", "layers", "configs", "compare", "figure grid", "figure curves", "report"}
    new |= {"benchmark", "recommend", "train explainer", "export", "reproduce", "app"} | {
        f"evaluate {name}" for name in METRICS.keys() - PUBLISHED
    }
    assert cli.COMMANDS.keys() - set(named) == new


@pytest.mark.parametrize(
    ("words", "near"),
    [(["atribute"], "attribute"), (["evaluate", "insertion"], "insertion_deletion")],
)
def test_a_mistyped_command_is_told_which_is_near(
    words: list[str], near: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        cli.main(words)
    assert f"Closest: '{near}'" in capsys.readouterr().err


def test_help_of_every_command_loads_no_large_library() -> None:
    done = subprocess.run([sys.executable, "-c", HELP], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "loaded:"


def test_help_answers_in_half_a_second() -> None:
    def seconds() -> float:
        started = time.perf_counter()
        command = [sys.executable, "-m", "input_iba.cli.main", "--help"]
        subprocess.run(command, capture_output=True, check=True)
        return time.perf_counter() - started

    assert min(seconds() for _ in range(5)) < 0.5


def test_configs_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["configs"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:-2] == list(shipped_configs())
    assert {"samples", "cifar10/resnet_cifar10_test", "vibi/mnist_rationale_k4"} <= set(lines)
    assert lines[-1].endswith(str(shipped("configs")))


def test_an_unknown_config_says_how_to_list_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["layers", "vgg_imagnet"]) == 2
    said = capsys.readouterr().err
    assert "'vgg_imagenet'" in said
    assert "input-iba configs" in said


@pytest.mark.parametrize("words", [["evaluate"], ["vibi"], ["train"], ["figure"]])
def test_a_group_alone_has_status_2(words: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(words)
    assert caught.value.code == 2
