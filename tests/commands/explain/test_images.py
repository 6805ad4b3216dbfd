"""Images without a config: what they are made into, and the overlay at their own size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from input_iba.commands.explain.images import GivenImages, model_config
from input_iba.commands.explain.overlays import over_image, seen_part
from input_iba.config.load import load_config
from input_iba.datasets import build_dataset
from input_iba.errors import CheckpointError, ConfigError, DataError
from input_iba.models import build_classifier


@pytest.fixture
def wide(tmp_path: Path) -> Path:
    Image.new("RGB", (300, 200), "green").save(tmp_path / "wide.jpg")
    return tmp_path / "wide.jpg"


def config_of(*files: Path, **keys: Any) -> Any:
    return GivenImages(files=files, **keys).config({}, None)


def test_a_image_becomes_a_normal_config(wide: Path, tmp_path: Path) -> None:
    config = config_of(wide, targets=["tabby"])
    assert (config.layer, config.preset, config.path) == ("_blocks.10", "fast", Path("wide.jpg"))
    assert config.estimation.n_samples == 200
    assert config.warnings == ()
    sample = build_dataset(config.attribution_data)[0]
    assert (sample.id, sample.target, sample.input.shape) == ("wide", 281, (3, 224, 224))
    file = tmp_path / "config.py"
    file.write_text(config.text())
    assert load_config(file).digest() == config.digest()


def test_whole_keeps_the_proportions_and_crops_have_them_too(wide: Path, tmp_path: Path) -> None:
    tall = tmp_path / "tall.png"
    Image.new("RGB", (20, 400)).save(tall)
    for file, shape in ((wide, (3, 224, 320)), (tall, (3, 448, 224))):
        config = config_of(file, whole=True)
        assert build_dataset(config.attribution_data)[0].input.shape == shape
        assert build_dataset(config.estimation_data)[0].input.shape == shape
    with pytest.raises(ConfigError, match=r"320×224, 224×448"):
        config_of(wide, tall, whole=True)


def test_options_and_presets_count(wide: Path) -> None:
    asked = GivenImages(files=(wide,), layer="_blocks.5")
    config = asked.config({"estimation_cfg.n_samples": 7}, "paper")
    assert (config.layer, config.preset) == ("_blocks.5", "paper")
    assert (config.estimation.n_samples, config.prior["type"]) == (7, "VisionWGAN")


@pytest.mark.parametrize(
    ("keys", "kind", "said"),
    [
        ({"model": "resnet81"}, ConfigError, "Closest: 'resnet"),
        ({"layer": "_blocks.99"}, ConfigError, "Closest: '_blocks.9'"),
        ({"targets": ["tabbi"]}, ConfigError, "Closest: 'tabby'"),
        ({"model": "efficientnet_lite1"}, ConfigError, "--weights FILE"),
        ({"weights": "absent.pth"}, CheckpointError, "--weights 'absent.pth' does not do"),
    ],
)
def test_what_errors_say(
    wide: Path, keys: dict[str, Any], kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind, match=said):
        config_of(wide, **keys)


def test_what_is_no_image_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.jpg").write_text("no picture")
    with pytest.raises(DataError, match=r"notes\.jpg' cannot be read"):
        config_of(tmp_path / "notes.jpg")
    with pytest.raises(DataError, match="expected a file, found none"):
        config_of(tmp_path / "absent.jpg")


def test_without_a_network_the_message_says_what_to_do(
    wide: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise OSError("no route to host")

    monkeypatch.setattr("torch.hub.load_state_dict_from_url", fail)
    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", fail)
    with pytest.raises(CheckpointError) as caught:
        config_of(wide, model="squeezenet1_1")
    assert "check the connection" in str(caught.value)
    assert "--model efficientnet_lite0 needs neither" in str(caught.value)


def test_a_checkpoint_with_classes_of_its_own(wide: Path, tmp_path: Path) -> None:
    (tmp_path / "classes.json").write_text('{"0": ["a", "cat"], "1": ["b", "dog"]}')
    cfg = {"source": "torchvision", "type": "squeezenet1_1", "num_classes": 2}
    torch.save(build_classifier(cfg).state_dict(), tmp_path / "own.pth")
    own = {
        "model": "squeezenet1_1",
        "weights": str(tmp_path / "own.pth"),
        "classes": tmp_path / "classes.json",
    }
    config = config_of(wide, targets=["dog"], **own)
    dataset = build_dataset(config.attribution_data)
    assert (dataset.target(0), dataset.class_names) == (1, ["cat", "dog"])
    with pytest.raises(ConfigError, match="Closest: 'dog'"):
        config_of(wide, targets=["dogs"], **own)
    del own["classes"]
    config = config_of(wide, targets=["1"], **own)
    assert (config.classifier["num_classes"], config.attribution_data["classes"]) == (2, None)
    (tmp_path / "names.txt").write_text("cat\ndog\nhorse\n")
    with pytest.raises(CheckpointError, match=r"does not do .* with the 3 classes of --classes"):
        config_of(wide, classes=tmp_path / "names.txt", **own)
    (tmp_path / "names.txt").write_text("cat\nhot dog\n")
    config = config_of(wide, targets=["hot dog"], classes=tmp_path / "names.txt", **own)
    assert build_dataset(config.attribution_data).class_names == ["cat", "hot dog"]


def test_a_model_has_a_config_to_list_its_layers_with() -> None:
    config = model_config("squeezenet1_1", {})
    assert (config.layer, config.classifier["pretrained"]) == ("features", False)


def test_the_part_that_was_seen_is_where_the_pipeline_cut(wide: Path) -> None:
    pipeline = config_of(wide).attribution_data["pipeline"]
    assert seen_part((300, 200), pipeline) == (50.0, 0.0, 250.0, 200.0)
    assert seen_part((200, 300), pipeline) == (0.0, 50.0, 200.0, 250.0)
    whole = config_of(wide, whole=True).attribution_data["pipeline"]
    assert seen_part((300, 200), whole) == (0.0, 0.0, 300.0, 200.0)


def test_the_overlay_is_hot_where_the_mask_is_and_dim_where_nothing_was_seen() -> None:
    mask = np.zeros((20, 20))
    mask[:10, :10] = 1
    picture = Image.new("RGB", (300, 200), (200, 200, 200))
    found = over_image(picture, mask, (50, 0, 250, 200), "inferno")
    assert found.shape == (200, 300, 3)
    hot, cold, unseen = found[30, 80], found[150, 200], found[100, 20]
    assert hot[0] > hot[2] + 30
    assert np.ptp(cold.astype(int)) < 12
    assert unseen.max() < cold.min()
    huge = over_image(picture.resize((4000, 400)), mask, (0, 0, 4000, 400), "inferno")
    assert huge.shape == (160, 1600, 3)
