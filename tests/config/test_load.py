"""Configs: what is accepted, what is refused, and with which words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from input_iba.config.load import RunConfig, load_config
from input_iba.errors import ConfigError
from tests.tiny_runs import tiny_config, write_config

Change = Callable[[dict[str, Any]], object]


def changed(tmp_path: Path, change: Change) -> Path:
    config = tiny_config(tmp_path)
    change(config)
    return write_config(tmp_path / "changed.py", config)


def test_settings_come_from_both_sections(config: RunConfig) -> None:
    assert (config.feature_iba.initial_alpha, config.feature_iba.opt_steps) == (5.0, 2)
    assert isinstance(config.feature_iba.beta, float)
    assert config.feature_iba.min_std == 0.01
    assert config.prior == {
        **{"type": "VisionWGAN", "dataset_size": 4, "sub_dataset_size": 2},
        **{"batch_size": 2, "epochs": 1},
    }
    assert (config.layer, config.loader.batch_size, config.estimation.n_samples) == ("layer1", 2, 8)
    assert config.warnings == ()
    assert config.kind.name == "images"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c.update(attribuiton_cfg={}), "'attribuiton_cfg'.*Closest: 'attribution_cfg'"),
        (lambda c: c["data"].update(loader={}), "'loader' in section 'data' of"),
        (
            lambda c: c["data"]["data_loader"].update(batchsize=2),
            "'batchsize' in section 'data.data_loader'.*Closest: 'batch_size'",
        ),
        (lambda c: c["attributor"].update(layers="x"), "section 'attributor'.*Closest: 'layer'"),
        (
            lambda c: c["attributor"]["feat_iba"].update(initial_alfa=1),
            "section 'attributor.feat_iba'.*Closest: 'initial_alpha'",
        ),
        (lambda c: c["attributor"]["gan"].update(generater={}), "Closest: 'generator'"),
        (lambda c: c["attribution_cfg"]["gan"].update(epoch=2), "Closest: 'epochs'"),
        (lambda c: c["attribution_cfg"]["input_iba"].update(min_std=0.1), "'min_std' in section"),
        (lambda c: c["attribution_cfg"]["feat_mask"].update(upscal=1), "Closest: 'upscale'"),
        (lambda c: c["estimation_cfg"].update(n_sample=1), "Closest: 'n_samples'"),
        (lambda c: c.update(sanity_check={"perturb_layer": []}), "Closest: 'perturb_layers'"),
        (lambda c: c["attributor"].update(type="VisionAtributor"), "Closest: 'VisionAttributor'"),
        (
            lambda c: c["attributor"]["feat_iba"].update(type="VisonFeatureIBA"),
            "Unknown type 'VisonFeatureIBA' in section 'attributor.feat_iba'.*'VisionFeatureIBA'",
        ),
        (
            lambda c: c["attributor"]["gan"].update(type="NLPWGAN"),
            "Known: .*SaliencyPrior.*VisionWGAN",
        ),
        (
            lambda c: c["attributor"]["gan"]["generator"].update(type="Generator"),
            "section 'attributor.gan.generator'.*'VisionGenerator'",
        ),
        (lambda c: c["attributor"].pop("layer"), "has no 'attributor.layer'"),
        (lambda c: c["attributor"].pop("classifier"), "has no 'attributor.classifier'"),
        (lambda c: c["data"].pop("attribution"), "has no 'data.attribution'"),
        (lambda c: c.pop("attributor"), "has no 'attributor.type'"),
        (lambda c: c["attributor"].update(layer=3), "'attributor.layer'.*type str, got 3"),
        (lambda c: c.update(data=3), "Section 'data' of .* must be a dict"),
        (lambda c: c.update(baseline="grad_cam"), "Section 'baseline' of .* must be a dict"),
        (lambda c: c["attributor"].update(classifier=3), "'attributor.classifier' .* of type dict"),
        (lambda c: c["attributor"].update(gan=None), "Section 'attributor.gan' .*must be a dict"),
        (
            lambda c: c["attribution_cfg"]["feat_iba"].update(beta="much"),
            "'attribution_cfg.feat_iba.beta' of .* must be of type float, got 'much'",
        ),
        (lambda c: c["attribution_cfg"]["input_iba"].update(opt_steps=2.5), "type int, got 2.5"),
        (lambda c: c["attribution_cfg"]["input_iba"].update(opt_steps=True), "type int, got True"),
        (lambda c: c["attribution_cfg"]["feat_iba"].update(batch_size=0), "at least 1, got 0"),
        (lambda c: c["data"]["data_loader"].update(batch_size=-1), "at least 1, got -1"),
        (lambda c: c["data"]["data_loader"].update(num_workers=-1), "at least 0, got -1"),
        (lambda c: c["estimation_cfg"].update(n_samples=0), "at least 1, got 0"),
        (lambda c: c["attribution_cfg"]["feat_iba"].update(lr=-1.0), "lr.* above 0"),
        (lambda c: c["attribution_cfg"]["gan"].update(epochs="x"), "type int, got 'x'"),
        (lambda c: c["attributor"]["feat_iba"].update(input_or_output="in"), "'input', 'output'"),
        (lambda c: c["attribution_cfg"]["input_mask"].update(colour_map="bwt"), "'bwr'"),
        (lambda c: c["attribution_cfg"].update(internal_batch_size=0), "internal_batch_size"),
        (lambda c: c["attributor"].update(use_softmax="no"), "type bool, got 'no'"),
    ],
)
def test_a_wrong_config_is_refused_by_name(tmp_path: Path, change: Change, said: str) -> None:
    with pytest.raises(ConfigError, match=f"(?s){said}") as caught:
        load_config(changed(tmp_path, change))
    assert "changed.py" in str(caught.value) or "colour map" in str(caught.value)


def test_objects_in_a_config_are_refused(tmp_path: Path) -> None:
    path = changed(tmp_path, lambda c: None)
    path.write_text(path.read_text() + "\nattribution_cfg['gan']['real'] = len\n")
    with pytest.raises(ConfigError, match=r"'attribution_cfg.gan.real' holds a builtin_function"):
        load_config(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("data = dict(", r"not valid Python, line 1"),
        ("_base_ = ['./missing.py']", r"_base_ of config file .* is missing"),
        ("data = 1 / 0", r"cannot be read: ZeroDivisionError"),
        ("_base_ = 3", r"cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error_of_ours(
    tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "a.py").write_text(text)
    with pytest.raises(ConfigError, match=said):
        load_config(tmp_path / "a.py")


def test_a_missing_file_names_its_neighbours(config_file: Path) -> None:
    with pytest.raises(ConfigError, match=r"does not exist\. Closest: 'tiny\.py'"):
        load_config(config_file.with_name("tyni.py"))


def test_a_base_is_inherited_and_overridden(tmp_path: Path, config_file: Path) -> None:
    child = tmp_path / "child.py"
    child.write_text("_base_ = ['./tiny.py']\nattributor = dict(layer='layer2')\n")
    config = load_config(child)
    assert (config.layer, config.feature_iba.opt_steps) == ("layer2", 2)


def test_an_authors_own_names_are_left_out(tmp_path: Path, config_file: Path) -> None:
    own = "dataset_type = 'ImageNet'\ndata_root = 'data/'\nimg_norm_cfg = dict(mean=[0.5])\n"
    child = tmp_path / "child.py"
    child.write_text(
        f"_base_ = ['./tiny.py']\n{own}_size = 32\nestimation_cfg = dict(n_samples=_size)\n"
    )
    config = load_config(child)
    assert config.estimation.n_samples == 32
    assert set(config.raw) == set(load_config(config_file).raw)
    assert config.warnings == ()


def test_old_names_work_with_a_warning(tmp_path: Path) -> None:
    def change(config: dict[str, Any]) -> None:
        how = config["attribution_cfg"]
        how["img_mask"] = {**how.pop("input_mask"), "show": True}
        config["estimation_cfg"]["progbar"] = config["estimation_cfg"].pop("verbose")
        how["gan"]["progbar"] = True
        config["attributor"]["iba"] = config["attributor"].pop("feat_iba")
        config["attributor"]["img_iba"] = config["attributor"].pop("input_iba")

    config = load_config(changed(tmp_path, change))
    assert config.input_mask.show
    assert config.prior["verbose"] is True
    assert config.feature_iba.initial_alpha == 5.0
    assert sorted(warning.split(":")[0] for warning in config.warnings) == [
        "'attribution_cfg.gan.progbar' is an old name of 'verbose'",
        "'attribution_cfg.img_mask' is an old name of 'input_mask'",
        "'attributor.iba' is an old name of 'feat_iba'",
        "'attributor.img_iba' is an old name of 'input_iba'",
        "'estimation_cfg.progbar' is an old name of 'verbose'",
    ]


def test_of_an_old_and_a_new_name_the_new_one_counts(tmp_path: Path) -> None:
    config = load_config(
        changed(tmp_path, lambda c: c["attribution_cfg"].update(img_mask={"show": True}))
    )
    assert not config.input_mask.show
    assert "ignored, because both are given" in config.warnings[0]


def test_missing_types_are_implied_by_the_attributor(tmp_path: Path) -> None:
    def change(config: dict[str, Any]) -> None:
        for section in ("feat_iba", "input_iba", "gan"):
            config["attributor"][section].pop("type")

    config = load_config(changed(tmp_path, change))
    assert config.raw["attributor"]["input_iba"]["type"] == "VisionInputIBA"
    assert config.prior["type"] == "VisionWGAN"


def test_a_text_config_loads(tmp_path: Path) -> None:
    def change(config: dict[str, Any]) -> None:
        text = {"type": "IMDBDataset", "root": "data/imdb/", "split": "train", "select_cls": "pos"}
        config["data"].update(estimation=text, attribution=text)
        config["attributor"] = {
            **{"type": "NLPAttributor", "layer": "rnn_4", "eval_classifier": False},
            "classifier": {"source": "nlp", "type": "DeepLSTM"},
            "feat_iba": {"sigma": 0.0},
            "gan": {"type": "NLPWGAN", "generator": {"type": "NLPGenerator"}},
        }

    config = load_config(changed(tmp_path, change))
    assert config.kind.name == "texts"
    assert config.prior["type"] == "NLPWGAN"


def test_a_sanity_check_section_is_accepted(tmp_path: Path) -> None:
    section = {"perturb_layers": ["layer1"], "check": "gan", "verbose": False}
    load_config(changed(tmp_path, lambda c: c.update(sanity_check=section)))


def test_eval_classifier_false_is_accepted_with_a_warning(tmp_path: Path) -> None:
    path = changed(tmp_path, lambda c: c["attributor"].update(eval_classifier=False))
    assert "eval mode" in load_config(path).warnings[0]


def test_options_override_keys_lists_and_old_names(config_file: Path) -> None:
    config = load_config(
        config_file,
        {
            "attribution_cfg.gan.epochs": 7,
            "attributor.feat_iba.sigma": 2,
            "data.attribution.pipeline.0.mean": [0, 0, 0],
            "attribution_cfg.img_mask.colour_map": "bwr",
        },
    )
    assert config.prior["epochs"] == 7
    assert config.feature_iba.sigma == 2.0
    assert config.attribution_data["pipeline"][0]["mean"] == [0, 0, 0]
    assert config.input_mask.colour_map == "bwr"


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("attribution_cfg.gan.epoch", "--cfg-options attribution_cfg.gan.epoch.*Closest: 'epochs'"),
        ("atributor.layer", "Closest: 'attributor'"),
        ("attributor.layer.x", "does not fit"),
        ("data.attribution.pipeline.9.mean", "does not fit"),
    ],
)
def test_an_option_that_fits_nothing_is_refused(config_file: Path, key: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load_config(config_file, {key: 3})


def test_no_sigma_is_no_smoothing(tmp_path: Path, config_file: Path) -> None:
    child = tmp_path / "child.py"
    child.write_text("_base_ = ['./tiny.py']\nattributor = dict(feat_iba=dict(sigma=None))\n")
    assert load_config(child).feature_iba.sigma == 0
