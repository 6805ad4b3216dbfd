"""Configs of strangers: data are read, and nothing that could run is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from input_iba.cli.main import main
from input_iba.config.assembly import read_file
from input_iba.config.kept import load_kept
from input_iba.config.literal import ONLY, check, literal_only
from input_iba.config.load import load_config
from input_iba.config.shipped import shipped
from input_iba.errors import ConfigError
from tests.config.inheriting import ROOT, without_parameters
from tests.tiny_runs import write_config

SHIPPED = sorted(shipped("configs").rglob("*.py"))


def literal(folder: Path, text: str) -> Path:
    path = folder / "mine.py"
    path.write_text(text)
    return path


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_shipped_configs_are_literal(path: Path) -> None:
    with literal_only():
        found = read_file(path)
    assert found == read_file(path)


@pytest.mark.parametrize(
    "text",
    [
        "import os",
        "from os import path",
        "a = __import__('os')",
        "a = open('x')",
        "a = [b for b in (1, 2)]",
        "a = (lambda: 1)()",
        "a = f'{1}'",
        "a = 'x'.upper()",
        "a = 'x'.__class__",
        "a = 2 ** 9",
        "a = 9 % 2",
        "a = 'x' if 1 else 'y'",
        "a = dict\na()",
        "a = unknown",
        "a = {}\na['b'] = 1",
        "a, b = 1, 2",
        "a = b = 1",
        "a += 1",
        "def f(): pass",
        "class A: pass",
        "if True:\n    a = 1",
        "for a in (1,): pass",
        "with open('x'): pass",
        "assert 1",
        "print(1)",
        "dict = 1\na = dict()",
        "a = '{{ $HOME:x }}'",
        "custom_imports = dict(imports=['os'])",
        "a = (b := 1)",
        "a: int = 1",
        "raise ValueError",
        "a = dict(b=dict(c=print()))",
        "a = [*map(str, (1,))]",
        "_base_ = '../' + 'mine.py'",
        "_base_ = 7",
        "_base_ = '/etc/passwd.py'",
        "_base_ = 'mmdet::a.py'",
        "_base_ = './mine.py'",
        "_base_ = './data.json'",
    ],
)
def test_what_could_run_code_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "data.json").write_text("{}")
    path = literal(tmp_path, text)
    with pytest.raises(ConfigError, match=r"mine\.py|data\.json"), literal_only():
        read_file(path)


def test_nothing_has_run_where_a_config_is_refused(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    path = literal(tmp_path, f"a = open({str(canary)!r}, 'w')")
    child = tmp_path / "child.py"
    child.write_text("_base_ = ['./mine.py']\nb = 1")
    for file in (path, child):
        with pytest.raises(ConfigError, match=r"mine\.py', line 1: 'open\(.*could run code"):
            check(file)
    assert not canary.exists()


def test_a_short_text_cannot_stand_for_a_huge_one(tmp_path: Path) -> None:
    doubling = "\n".join(["a0 = ['x']", *(f"a{i + 1} = [a{i}, a{i}]" for i in range(60))])
    for text in (doubling, "a = [0] * 99999999", "a = 10000\nb = 'x' * a", "a = 'xy' * 9999999"):
        with pytest.raises(ConfigError, match="more than 10,000,000 values"):
            check(literal(tmp_path, text))


def test_what_configs_need_is_read(tmp_path: Path) -> None:
    text = (
        "'''What it is for.'''\n_root = 'data/'\n_mean = [127 / 255] * 3\n_size = dict(a=-1)\n"
        "b = dict(_size, c=_root + 'x', d=[*_mean, None], e={**_size, 'f.g': not True})\n"
    )
    with literal_only():
        values = read_file(literal(tmp_path, text)).values
    third = 127 / 255
    wanted = {"a": -1, "c": "data/x", "d": [third] * 3 + [None], "e": {"a": -1, "f.g": False}}
    assert values["b"] == wanted
    assert not ONLY.get()


def test_a_config_that_a_run_kept_is_read_and_one_that_runs_code_is_not(tmp_path: Path) -> None:
    path = write_config(tmp_path / "mine.py", without_parameters(tmp_path))
    config = load_config(path, preset="fast")
    (tmp_path / "config.py").write_text(config.text())
    assert load_kept(tmp_path).digest() == config.digest()
    (tmp_path / "config.py").write_text(f"import os\n{config.text()}")
    with pytest.raises(ConfigError, match=r"'import os' could run code"):
        load_kept(tmp_path)


def test_commands_refuse_when_asked_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    path = tmp_path / "configs" / "cifar10" / "mine.py"
    path.write_text(f"_base_ = ['../samples.py']\n_a = open({str(tmp_path / 'canary')!r}, 'w')\n")
    for command in (["attribute"], ["layers"], ["baseline", "random"], ["benchmark"]):
        command.insert(1, str(path))
        assert main([*command, "--safe-config"]) == 2
        assert "could run code" in capsys.readouterr().err
    assert not (tmp_path / "canary").exists()
    assert not ONLY.get()
