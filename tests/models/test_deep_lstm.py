"""DeepLSTM: published names and sizes, padding that is never seen, checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from input_iba.core.padding import pad
from input_iba.errors import CheckpointError, ConfigError
from input_iba.models import DeepLSTM, build_classifier
from input_iba.models.deep_lstm import MAX_MEMORY

TINY: dict[str, Any] = {"vocab_size": 12, "embedding_dim": 5, "hidden_size": 6}


def tiny(num_classes: int = 1) -> DeepLSTM:
    torch.manual_seed(0)
    return DeepLSTM(num_classes, **TINY).eval()


def texts(*lengths: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [torch.randint(2, 12, (length,), generator=generator) for length in lengths]


def test_published_parameters() -> None:
    expected = {"embedding.weight": (25_002, 100), "fc.weight": (1, 256), "fc.bias": (1,)}
    for i in range(1, 5):
        expected[f"rnn_{i}.weight_ih_l0"] = (1024, 100 if i == 1 else 256)
        expected[f"rnn_{i}.weight_hh_l0"] = (1024, 256)
        expected[f"rnn_{i}.bias_ih_l0"] = expected[f"rnn_{i}.bias_hh_l0"] = (1024,)
    state = DeepLSTM().state_dict()
    assert {name: tuple(value.shape) for name, value in state.items()} == expected


@pytest.mark.parametrize("num_classes", [1, 3])
@torch.no_grad()
def test_a_text_has_the_same_logits_alone_and_in_a_batch(num_classes: int) -> None:
    model = tiny(num_classes)
    many = texts(1, 17, 4, 90)
    batch = pad(many)
    together = model(batch.ids, batch.lengths)
    alone = torch.cat([model(text[None]) for text in many])
    assert together.shape == (4, num_classes)
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-5)
    torch.testing.assert_close(model(batch.ids), together, rtol=0, atol=0)
    other = model(torch.where(batch.valid, batch.ids, 7), batch.lengths)
    torch.testing.assert_close(other, together, rtol=0, atol=1e-5)


@torch.no_grad()
def test_it_is_four_lstms_and_the_last_state() -> None:
    model = tiny()
    (text,) = texts(8)
    stacked = nn.LSTM(5, 6, num_layers=4)
    for i in range(4):
        for name, value in getattr(model, f"rnn_{i + 1}").named_parameters():
            stacked.get_parameter(name.replace("l0", f"l{i}")).copy_(value)
    _, (hidden, _) = stacked(model.embedding(text))
    torch.testing.assert_close(model(text[None])[0], model.fc(hidden[-1]))


@torch.no_grad()
def test_every_step_is_the_text_up_to_there() -> None:
    model = tiny(2)
    (text,) = texts(6)
    layers = model.step_logits(text[None])
    assert layers.shape == (4, 1, 6, 2)
    for i in range(6):
        torch.testing.assert_close(layers[-1, 0, i], model(text[None, : i + 1])[0])
    first, _ = model.rnn_1(model.embedding(text))
    torch.testing.assert_close(layers[0, 0], model.fc(first))


@torch.no_grad()
def test_what_the_embedding_puts_out_can_be_replaced() -> None:
    model = tiny()
    batch = pad(texts(5, 9))
    replaced = torch.randn(2, 9, 5)
    expected = model.forward_embedded(replaced, batch.lengths)
    handle = model.embedding.register_forward_hook(lambda *_: replaced)
    assert torch.equal(model(batch.ids, batch.lengths), expected)
    handle.remove()


def test_dropout_is_for_training_only() -> None:
    model = tiny()
    (text,) = texts(5)
    assert torch.equal(model(text[None]), model(text[None]))
    model.train()
    assert not torch.equal(model(text[None]), model(text[None]))


def test_an_untrained_one_remembers() -> None:
    model = tiny()
    for rnn in (model.rnn_1, model.rnn_4):
        gates = (rnn.get_parameter("bias_ih_l0") + rnn.get_parameter("bias_hh_l0")).detach()
        closed, forget, others = gates[:6], gates[6:12], gates[12:]
        assert torch.equal(closed, -forget)
        assert not bool(others.any())
        memory = 1 / (1 - forget.sigmoid())  # tokens after which a fraction 1/e is left
        assert 2 <= float(memory.min()) < float(memory.max()) <= 1 + MAX_MEMORY


@pytest.mark.parametrize("source", ["custom", "nlp"])
def test_configs_build_it_with_a_checkpoint(tmp_path: Path, source: str) -> None:
    cfg = {"source": source, "type": "DeepLSTM", "num_classes": 1, **TINY}
    trained = build_classifier(cfg)
    torch.save(trained.state_dict(), tmp_path / "net.pt")
    loaded = build_classifier({**cfg, "pretrained": str(tmp_path / "net.pt")})
    (text,) = texts(4)
    with torch.no_grad():
        assert torch.equal(loaded(text[None]), trained(text[None]))
        assert not torch.equal(build_classifier(cfg)(text[None]), trained(text[None]))


def test_a_checkpoint_of_another_vocabulary(tmp_path: Path) -> None:
    torch.save(tiny().state_dict(), tmp_path / "net.pt")
    cfg = {"source": "custom", "type": "DeepLSTM", "num_classes": 1, **TINY, "vocab_size": 20}
    with pytest.raises(CheckpointError) as caught:
        build_classifier({**cfg, "pretrained": str(tmp_path / "net.pt")})
    message = str(caught.value)
    assert "embedding.weight (expected (20, 5), got (12, 5))" in message
    assert "a vocabulary of 12 words, and the classifier expects 20" in message
    assert "`vocab_size` to 12" in message


def test_a_checkpoint_of_other_vectors_is_no_matter_of_words(tmp_path: Path) -> None:
    torch.save(tiny().state_dict(), tmp_path / "net.pt")
    cfg = {"source": "custom", "type": "DeepLSTM", "num_classes": 1, **TINY, "embedding_dim": 7}
    with pytest.raises(CheckpointError, match="constructor keys"):
        build_classifier({**cfg, "pretrained": str(tmp_path / "net.pt")})


def test_the_pad_index_must_be_a_word() -> None:
    with pytest.raises(ConfigError, match="`pad_index` 12"):
        DeepLSTM(**TINY, pad_index=12)
