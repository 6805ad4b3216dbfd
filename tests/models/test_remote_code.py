"""Networks that bring code of their own: it runs for those who say so, and for nobody else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from input_iba.errors import CheckpointError, ConfigError
from input_iba.models import build_classifier
from input_iba.models.hub import REMOTE_CODE, remote_code

transformers = pytest.importorskip("transformers")

CODE = """
import torch
from pathlib import Path
from transformers import PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput

Path({canary!r}).write_text("ran")

class OwnConfig(PretrainedConfig):
    model_type = "own"

class OwnForSequenceClassification(PreTrainedModel):
    config_class = OwnConfig

    def __init__(self, config):
        super().__init__(config)
        self.embedding = torch.nn.Embedding(9, 4)
        self.head = torch.nn.Linear(4, 2)
        self.post_init()

    def forward(self, input_ids=None, attention_mask=None, **_):
        return SequenceClassifierOutput(logits=self.head(self.embedding(input_ids).mean(1)))
"""


@pytest.fixture(name="folder")
def fixture_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a network whose code leaves a file where it runs."""
    monkeypatch.setattr(
        "transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "modules")
    )
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "own.py").write_text(CODE.format(canary=str(tmp_path / "canary")))
    name = "OwnForSequenceClassification"
    classes = {"AutoConfig": "own.OwnConfig", "AutoModelForSequenceClassification": f"own.{name}"}
    config = {"model_type": "own", "architectures": [name], "auto_map": classes}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def test_code_is_not_run_unless_it_is_trusted(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"code of its own.*--trust-remote-code"):
        build_classifier({"source": "transformers", "type": str(folder)})
    assert not (tmp_path / "canary").exists()
    with remote_code():
        model = build_classifier({"source": "transformers", "type": str(folder)})
    assert (tmp_path / "canary").exists()
    assert not REMOTE_CODE.get()
    assert model(input_ids=torch.tensor([[1, 2]])).logits.shape == (1, 2)


def test_a_config_cannot_trust(folder: Path, tmp_path: Path) -> None:
    cfg = {"source": "transformers", "type": str(folder), "trust_remote_code": True}
    with pytest.raises(ConfigError, match=r"not for a config to say.*--trust-remote-code"):
        build_classifier(cfg)
    assert not (tmp_path / "canary").exists()
