"""VIBI of words on real reviews: a small classifier that looks for words of praise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from input_iba.registry import CLASSIFIERS
from input_iba.run.shell import Run
from input_iba.vibi.commands.config import load_vibi_config
from input_iba.vibi.commands.options import VibiOptions
from input_iba.vibi.commands.run import run_vibi
from input_iba.vibi.commands.texts import Texts

PRAISE = ("great", "good", "excellent", "wonderful", "best", "love", "well")


class CountsWords(nn.Module):
    """One logit: above 0 where a text has a word of praise."""

    def __init__(self, vocab_size: int, num_classes: int = 1) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, 8, padding_idx=1)

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        counted: Tensor = self.embedding(ids)[..., 0].sum(1, keepdim=True)
        return 2 * counted - 3


@pytest.mark.data
@pytest.mark.slow
def test_words_that_are_counted_are_found(data_root: Path, tmp_path: Path) -> None:
    root = data_root / "aclImdb"
    if not root.is_dir():
        pytest.skip("no folder aclImdb with the reviews")
    overrides = {
        **{"data.dataset": "IMDB", "data.root": str(root), "data.num_train": 1500},
        **{"data.num_test": 300, "texts.max_length": 100, "explainer.k": 3},
        **{"training.epochs": 6, "training.batch_size": 50, "training.lr": 3e-3},
    }
    config = load_vibi_config(None, overrides)
    vocabulary = Texts(config, Run(torch.device("cpu"), None)).dataset("train").vocabulary
    torch.manual_seed(0)
    model = CountsWords(len(vocabulary))
    with torch.no_grad():
        model.embedding.weight[:, 0] = 0
        for word in PRAISE:
            model.embedding.weight[vocabulary.index[word], 0] = 3
    torch.save(model.state_dict(), tmp_path / "counter.pt")
    CLASSIFIERS.register_module(name="CountsWords", module=CountsWords, force=True)
    classifier = {
        **{"source": "custom", "type": "CountsWords", "vocab_size": len(vocabulary)},
        "pretrained": str(tmp_path / "counter.pt"),
    }
    config = replace(config, black_box=replace(config.black_box, classifier=classifier))
    options = VibiOptions(work_dir=tmp_path / "run", device="cpu", precision="fp32")
    found = run_vibi(config, options).test
    assert found.approximator > 0.9
    assert found.rationale > 0.9
