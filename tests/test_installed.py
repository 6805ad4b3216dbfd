"""The wheel alone, in an environment of its own: every command and config comes with it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from input_iba.config.shipped import shipped_configs
from tests.documents.stage import write_mnist

ROOT = Path(__file__).parent.parent
BUILT_FROM = ("pyproject.toml", "setup.py", "README.md", "LICENSE")
FOLDERS = ("input_iba", "configs", "resources")
PLAIN = ("--device", "cpu", "--precision", "fp32")
FEW = (
    *("data.estimation.n=8", "estimation_cfg.n_samples=8"),
    *("attribution_cfg.feat_iba.opt_steps=2", "attribution_cfg.input_iba.opt_steps=2"),
)
pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Installed:
    """An environment in which the package is the wheel's, and a folder to work in."""

    environment: Path
    folder: Path

    def start(self, program: str, *arguments: str) -> str:
        """Run a program of the environment in the folder; return what it printed."""
        return start([str(self.environment / "bin" / program), *arguments], self.folder)


def start(command: Sequence[str], folder: Path) -> str:
    """Run a command that must succeed and finds nothing by PYTHONPATH; return what it printed."""
    variables = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        command,
        cwd=folder,
        env={**variables, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build(what: str, source: Path, out: Path) -> Path:
    """Build the 'sdist' or the 'wheel' of a source folder as pip does; return the file."""
    out.mkdir()
    code = f"from setuptools import build_meta; build_meta.build_{what}({str(out)!r})"
    start([sys.executable, "-c", code], source)
    [file] = out.iterdir()
    return file


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a wheel of the sdist, and see that one of the checkout is the same."""
    folder = tmp_path_factory.mktemp("build")
    checkout = folder / "checkout"
    for name in FOLDERS:  # a copy, because building leaves files behind
        shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in BUILT_FROM:
        shutil.copy(ROOT / name, checkout)
    direct = build("wheel", checkout, folder / "direct")
    shutil.rmtree(checkout / "build")
    shutil.unpack_archive(build("sdist", checkout, folder / "sdist"), folder / "unpacked")
    [unpacked] = (folder / "unpacked").iterdir()
    found = build("wheel", unpacked, folder / "wheel")
    assert contents(found) == contents(direct)
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Install the wheel alone; other packages are those of the environment of the tests."""
    made = Installed(tmp_path_factory.mktemp("environment"), tmp_path_factory.mktemp("elsewhere"))
    venv.create(made.environment, symlinks=True)
    python = str(made.environment / "bin" / "python")
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet"]
    start([*pip, "--no-deps", "--no-index", str(wheel)], made.folder)
    [packages] = (made.environment / "lib").glob("python*/site-packages")
    # Paths in such a file are searched last, and what is installed there as editable is not read.
    others = [path for path in sys.path if Path(path).name in {"site-packages", "dist-packages"}]
    (packages / "others.pth").write_text("\n".join(others))
    return made


def test_the_package_is_that_of_the_wheel(installed: Installed) -> None:
    code = "import sys, input_iba; print(input_iba.__file__, *sys.path, sep='\\n')"
    file, *searched = installed.start("python", "-c", code).splitlines()
    assert Path(file).is_relative_to(installed.environment)
    assert str(ROOT) not in searched


def test_every_config_comes_with_it(installed: Installed) -> None:
    assert installed.start("input-iba", "configs").splitlines()[:-2] == list(shipped_configs())
    code = (
        "from input_iba.config.load import load_config as a\n"
        "from input_iba.config.shipped import shipped_configs\n"
        "from input_iba.vibi.commands.config import load_vibi_config as v\n"
        "[v(n, {}) if n.startswith('vibi/') else a(n) for n in shipped_configs()]"
    )
    installed.start("python", "-c", code)


def test_the_demo_is_explained_scored_and_compared(installed: Installed) -> None:
    two = ("--num-samples", "2", *PLAIN)
    assert "2 explained, 0 failed" in installed.start(
        *("input-iba", "demo", *two, "--cfg-options", *FEW)
    )
    work = installed.folder / "workdirs" / "samples"
    assert len(list((work / "input_masks").glob("*.npz"))) == 2
    assert (work / "report.html").is_file()
    few = ("--scores-threshold", "0", "--pixel-batch-size", "5000")
    installed.start(
        *("input-iba", "evaluate", "insertion_deletion", "samples", "workdirs/samples"),
        *("workdirs/samples", "scores.json", "--allow-missing", *PLAIN, *few),
    )
    assert json.loads((work / "scores.json").read_text())["summary"]["ins_auc"]["n"] == 2
    found = installed.start("input-iba", "baseline", "samples", "gradient", *two)
    assert "2 explained, 0 failed" in found
    assert (
        len(list((installed.folder / "workdirs").glob("samples_gradient/input_masks/*.npz"))) == 2
    )


def test_an_explainer_is_trained(installed: Installed) -> None:
    write_mnist(installed.folder / "data" / "MNIST" / "raw")
    found = installed.start(
        *("input-iba", "vibi", "train", "--config", "mnist_rationale_k4", "--num_epochs", "1"),
        *(*PLAIN, "--cfg-options", "data.num_train=40", "data.num_test=20", "black_box.epochs=1"),
    )
    assert "on 20 test samples" in found
    assert (installed.folder / "workdirs/vibi/mnist_rationale_k4/best.pth").is_file()


def test_imagenets_classes_come_with_it(installed: Installed) -> None:
    for i in range(3):
        file = installed.folder / "val" / "n01440764" / f"{i}.JPEG"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"")
    installed.start("input-iba", "small-imagenet", "val", "small", "--n", "2")
    assert (installed.folder / "small" / "imagenet_class_index.json").is_file()
