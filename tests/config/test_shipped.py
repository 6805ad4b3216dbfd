"""Configs that come with the package are found by name, and files before them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from input_iba.config.load import load_config
from input_iba.config.shipped import find_config, shipped, shipped_configs
from input_iba.errors import ConfigError
from input_iba.vibi.commands.config import load_vibi_config


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "cifar10/resnet_cifar10_test",
        "cifar10/resnet_cifar10_test.py",
        "configs/cifar10/resnet_cifar10_test.py",
        "resnet_cifar10_test",
    ],
)
def test_a_config_is_found_by_name(name: str) -> None:
    expected = shipped("configs") / "cifar10" / "resnet_cifar10_test.py"
    assert find_config(name) == find_config(Path(name)) == expected
    assert load_config(name).path == expected


def test_a_setting_of_vibi_is_found_by_name() -> None:
    assert load_vibi_config("mnist_rationale_k4", {}).name == "mnist_rationale_k4"


def test_a_name_is_that_of_one_config() -> None:
    names = Counter(name.rpartition("/")[2] for name in shipped_configs())
    assert set(names.values()) == {1}
    assert "fast" not in names  # below _base_


def test_a_file_counts_before_a_name_and_a_folder_does_not(tmp_path: Path) -> None:
    (tmp_path / "samples").mkdir()
    assert find_config("samples") == shipped("configs") / "samples.py"
    (tmp_path / "vgg_imagenet").touch()
    assert find_config("vgg_imagenet") == Path("vgg_imagenet")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("vgg_imagnet", "Closest: 'vgg_imagenet'"),
        ("cifar/vgg_cifar10_test.py", "Closest: 'vgg_cifar10_test'"),
        ("_imagenet", "`input-iba configs` lists"),
        ("/configs/samples.py", "`input-iba configs` lists"),
        ("_base_/fast", "`input-iba configs` lists"),
        ("", "`input-iba configs` lists"),
    ],
)
def test_what_is_neither_names_the_closest(name: str, said: str) -> None:
    with pytest.raises(ConfigError, match="does not exist") as caught:
        find_config(name)
    assert said in str(caught.value)
