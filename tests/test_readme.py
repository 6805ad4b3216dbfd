"""What the README prints is true: its Python runs, its paths and make targets exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.slow
def test_the_python_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    [code] = blocks("python")
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out == "torch.Size([224, 224]) Egyptian cat\n"


def test_every_path_in_commands_and_links_exists() -> None:
    commands = " ".join(blocks("shell"))
    named = re.findall(r"\b(?:tools|configs|benchmarks)/[\w/]+\.py", commands)
    named += re.findall(r"\b(?:tools|configs|docs|resources)/[\w/]+\.\w+", TEXT)
    named += re.findall(r"\]\((?!http)([^)#]+)\)", TEXT)
    named += re.findall(r'src="([^"]+)"', TEXT)
    assert len(named) > 8
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_make_target_exists() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"make (\w+)", " ".join(blocks("shell"))))
    assert {"demo", "test"} <= named <= targets


def test_every_option_in_commands_is_understood() -> None:
    from input_iba.cli import main

    source = "".join(path.read_text() for path in Path(main.__file__).parent.glob("*.py"))
    source += (ROOT / "tools/generate_small_imagenet.py").read_text()
    commands = re.sub(r"torchrun .*? tools/", "tools/", " ".join(blocks("shell")))
    options = set(re.findall(r"(--[a-z][a-z-]*)", commands))
    assert {option for option in options if f'"{option}"' not in source} == set()
