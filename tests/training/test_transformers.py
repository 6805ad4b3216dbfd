"""Training of transformers: what is read, what is kept in memory, and what changes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor
from transformers import GPT2Config, GPT2ForSequenceClassification

from input_iba.models import MiniLMClassifier
from input_iba.training.classifier import Labelled
from input_iba.training.settings import TextTraining
from input_iba.training.texts import HEAD_LR, HeadTrainer, TransformerTrainer, encode
from tests.models.tiny_bert import save_tiny_bert, tiny_bert

CPU = torch.device("cpu")
WORDS = 41


def texts(count: int = 40) -> Labelled:
    generator = torch.Generator().manual_seed(1)
    lengths = torch.randint(1, 20, (count,), generator=generator).tolist()
    own = [torch.randint(5, WORDS, (length,), generator=generator) for length in lengths]
    ends = torch.tensor([2]), torch.tensor([3])
    ids = tuple(torch.cat([ends[0], words, ends[1]]) for words in own)
    return Labelled(ids, torch.arange(count) % 2)


@pytest.fixture
def model(tmp_path: Path) -> MiniLMClassifier:
    folder = save_tiny_bert(tmp_path / "bert")
    torch.manual_seed(0)
    return MiniLMClassifier(str(folder), frozen=True)


def test_features_are_those_of_each_text_alone(model: MiniLMClassifier) -> None:
    model.train()
    data, counted = texts(), list[int]()
    found = encode(model, data, on_batch=counted.append)
    assert not model.training, "dropout would make other features"
    assert sum(counted) == 40
    assert len(counted) > 1
    with torch.no_grad():
        alone = torch.cat([model.pooled(ids[None]) for ids in data.inputs])
        torch.testing.assert_close(model.classify(alone[:1]), model(data.inputs[0][None]))
    torch.testing.assert_close(found.inputs, alone, atol=1e-5, rtol=1e-5)
    assert torch.equal(found.targets, data.targets)


def state(model: torch.nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def changed(model: torch.nn.Module, before: dict[str, Tensor]) -> set[str]:
    return {k for k, v in model.state_dict().items() if not torch.equal(v, before[k])}


def test_a_head_is_trained_alone_and_the_encoder_is_not_run(
    model: MiniLMClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = encode(model, texts())
    before = state(model)
    monkeypatch.setattr(model.encoder, "forward", None)
    learning = HeadTrainer(model, data, TextTraining(epochs=40, batch_size=8), CPU)
    first = learning.train_epoch(0)["loss"]
    losses = [learning.train_epoch(epoch)["loss"] for epoch in range(1, 40)]
    assert changed(model, before) == {"fc.weight", "fc.bias"}
    assert losses[-1] < 0.9 * first
    model.eval()
    with torch.no_grad():
        right = (model.fc(data.inputs).argmax(1) == data.targets).float().mean()
    assert learning.accuracy(data) == pytest.approx(right.item())


def test_an_epoch_has_every_text_once(model: MiniLMClassifier) -> None:
    data = encode(model, texts(10))
    learning = HeadTrainer(model, data, TextTraining(batch_size=4), CPU)
    batches = list(learning.batches(torch.Generator().manual_seed(0)))
    assert [len(batch.targets) for batch in batches] == [4, 4, 2]
    seen = torch.cat([batch.inputs for batch in batches])
    assert not torch.equal(seen, data.inputs)
    assert torch.equal(seen.sort(0).values, data.inputs.sort(0).values)


def test_whole_transformers_are_trained_on_whole_texts() -> None:
    net, data = tiny_bert(), texts(12)
    settings = TextTraining(epochs=1, batch_size=12, max_length=4)
    learning = TransformerTrainer(net, data, settings, CPU)
    assert all(map(torch.equal, learning.data.inputs, data.inputs)), "cut texts lose their ends"
    net.eval()
    with torch.no_grad():
        alone = torch.cat([net(ids[None]).logits for ids in data.inputs])
        torch.testing.assert_close(learning.logits(data), alone, atol=1e-5, rtol=1e-5)
        wanted = torch.nn.functional.cross_entropy(alone, data.targets)
        torch.testing.assert_close(learning.loss(data)["loss"], wanted, atol=1e-5, rtol=1e-5)
    before = state(net)
    learning.train_epoch(0)["loss"]
    assert any(name.startswith("bert.encoder.layer.0") for name in changed(net, before))
    assert any(name.startswith("classifier") for name in changed(net, before))
    assert sum(len(batch.targets) for batch in learning.evaluation_batches(data)) == 12


def test_what_begins_with_random_weights_learns_faster(model: MiniLMClassifier) -> None:
    settings = TextTraining(lr=0.002, batch_size=12)
    for net, head in ((model, "fc"), (tiny_bert(), "classifier")):
        learning = TransformerTrainer(net, texts(12), settings, CPU)
        names = {id(p): name for name, p in net.named_parameters()}
        body, last = learning.optimizer.param_groups
        assert {names[id(p)] for p in last["params"]} == {f"{head}.weight", f"{head}.bias"}
        assert len(body["params"]) + 2 == len(names)
        assert (body["max_lr"], last["max_lr"]) == (0.002, HEAD_LR * 0.002)


def test_no_attention_is_dropped_in_training(model: MiniLMClassifier) -> None:
    config = model.encoder.config
    assert (config.attention_probs_dropout_prob, config.hidden_dropout_prob) == (0, 0.1)
    model.train()
    for module in model.encoder.modules():
        if isinstance(module, torch.nn.Dropout) and module.p != 0.1:
            assert module.p == 0
    ids = texts(1).inputs[0][None]
    assert not torch.equal(model.pooled(ids), model.pooled(ids)), "all other dropout stays"


def test_a_transformer_that_knows_no_padding_is_trained_in_batches() -> None:
    config = GPT2Config(vocab_size=WORDS, n_embd=8, n_layer=1, n_head=1, eos_token_id=3)
    net = GPT2ForSequenceClassification(config).eval()
    settings = TextTraining(epochs=1, batch_size=8)
    trainer = TransformerTrainer(net, texts(), settings, CPU)
    batch = texts().take(torch.arange(4))
    with torch.no_grad():
        found = trainer.logits(batch)
        alone = torch.cat([net(ids[None, :-1]).logits for ids in batch.inputs])
    torch.testing.assert_close(found, alone, atol=1e-5, rtol=1e-5)
    assert net.config.pad_token_id is None
