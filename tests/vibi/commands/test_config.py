"""Every shipped config builds what its name says; wrong keys are refused with a remedy."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from input_iba.errors import ConfigError
from input_iba.models import build_classifier
from input_iba.vibi.commands.black_box import classifier_config
from input_iba.vibi.commands.config import load_vibi_config, setting_name, vibi_config
from input_iba.vibi.commands.images import build_vibi

FOLDER = Path(__file__).parents[3] / "configs/vibi"
CONFIGS = sorted(path.name for path in FOLDER.glob("*.py"))
PICTURES = [name for name in CONFIGS if name.startswith(("mnist", "cifar10"))]
SHAPES = {"MNIST": (1, 28, 28), "CIFAR10": (3, 32, 32)}


def test_all_published_settings_are_there() -> None:
    for setting in ("unet_k16", "resnet_2x_k12", "resnet_4x_k4"):
        for beta in ("0", "0_01", "0_1"):
            assert f"mnist_{setting}_beta{beta}.py" in CONFIGS
    assert "cifar10_unet_k64_beta0_001.py" in CONFIGS


@pytest.mark.parametrize("name", PICTURES)
def test_a_config_builds(name: str) -> None:
    config = load_vibi_config(FOLDER / name, {"explainer.width": 4, "approximator.width": 4})
    shape = SHAPES[config.data.dataset]
    vibi = build_vibi(config, shape, 10)
    pictures = torch.rand(2, *shape)
    assert vibi.approximate(vibi.top_k_inputs(pictures)).shape == (2, 10)
    cfg = classifier_config(config.black_box, shape[0], 10)
    assert build_classifier(cfg)(pictures).shape == (2, 10)


def test_the_published_command_alone_keeps_the_black_box_in_the_loop() -> None:
    given = {"data.dataset": "MNIST", "explainer.type": "ResNet_4x", "explainer.k": 4}
    alone = load_vibi_config(None, {**given, "training.beta": 0.1})
    assert alone.name == "mnist_resnet_4x_k4_beta0_1"
    assert alone.training.loss == "rationale"
    assert alone.training.weight_of_black_box == 1.0
    assert alone.black_box.hidden_chunks == 0.5
    published = load_vibi_config(FOLDER / f"{alone.name}.py", {})
    assert published.training.weight_of_black_box == 0.0
    # The same black box: two convolutions and dense layers, of 16 channels.
    one, other = (classifier_config(config.black_box, 1, 10) for config in (alone, published))
    assert one == other
    named = load_vibi_config(None, {**given, "training.loss": "published"})
    assert named.training.weight_of_black_box == 0.0


@pytest.mark.parametrize("name", CONFIGS)
def test_a_published_setting_names_the_published_loss(name: str) -> None:
    config = load_vibi_config(FOLDER / name, {})
    recommended = "beta" not in name
    assert (config.training.loss == "rationale") == recommended
    assert (config.training.weight_of_black_box > 0) == recommended


@pytest.mark.parametrize("name", [name for name in PICTURES if "beta" in name])
def test_a_setting_is_called_as_its_config(name: str) -> None:
    config = load_vibi_config(FOLDER / name, {})
    assert config.name == Path(name).stem == setting_name(config)


def test_a_config_comes_back_from_its_text_and_its_plain_data(tmp_path: Path) -> None:
    config = load_vibi_config(FOLDER / "cifar10_unet_k64_beta0_001.py", {"training.epochs": 9})
    assert vibi_config(config.plain(), config.name) == config
    path = tmp_path / f"{config.name}.py"
    path.write_text(config.text(), encoding="utf-8")
    assert load_vibi_config(path, {}) == config


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"training.bta": 1.0}, "Closest: 'beta'"),
        ({"explainr.k": 1}, "Closest: 'explainer'"),
        ({"explainer.type": "ResNet4x"}, "Closest: 'ResNet_4x'"),
        ({"training.epochs": "many"}, "must be of type int"),
        ({"data.dataset": "MNST"}, "Closest: 'MNIST'"),
        ({"black_box.hidden_chunks": 2.0}, "of at least 0 and of at most 1"),
        ({"approximator.start": "blackbox"}, "Closest: 'black_box'"),
        ({"data.dataset": "IMDB", "explainer.start": "black_box"}, "Remove explainer.start"),
        ({"data.dataset": "IMDB", "training.flip": True}, "training.flip is for images"),
        ({"training.loss": "publshed"}, "Closest: 'published'"),
        ({"training.loss": "published", "training.black_box_weight": 1}, "--loss rationale"),
        ({"explainer.fill": 2.0}, "at most 1"),
        ({"training.padding": -1}, "training.padding.*of at least 0"),
    ],
)
def test_a_wrong_option_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_vibi_config(None, options)
