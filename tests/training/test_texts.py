"""Training on text: batches, loss, evaluation."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from input_iba.models import DeepLSTM
from input_iba.training.classifier import Labelled
from input_iba.training.settings import TextTraining
from input_iba.training.texts import TextTrainer

CPU = torch.device("cpu")


def texts(count: int = 50, longest: int = 20) -> Labelled:
    generator = torch.Generator().manual_seed(2)
    lengths = torch.randint(1, longest + 1, (count,), generator=generator).tolist()
    ids = tuple(torch.randint(2, 12, (length,), generator=generator) for length in lengths)
    return Labelled(ids, torch.arange(count) % 2)


def trainer(data: Labelled, num_classes: int = 1, **settings: Any) -> TextTrainer:
    torch.manual_seed(0)
    model = DeepLSTM(num_classes, vocab_size=12, embedding_dim=5, hidden_size=6)
    return TextTrainer(model, data, TextTraining(**{"batch_size": 4, **settings}), CPU)


def test_an_epoch_has_every_text_once_in_batches_of_similar_length(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("input_iba.training.texts.POOL", 5)
    data = texts(50)
    learning = trainer(data)
    batches = list(learning.batches(torch.Generator().manual_seed(3)))
    assert len(batches) == learning.steps == 13
    seen = sorted(tuple(ids.tolist()) for batch in batches for ids in batch.inputs)
    assert seen == sorted(tuple(ids.tolist()) for ids in data.inputs)
    spread = [int(batch.lengths().max() - batch.lengths().min()) for batch in batches]
    assert sum(spread) / len(spread) < 8
    again = [batch.targets for batch in learning.batches(torch.Generator().manual_seed(4))]
    assert any(not torch.equal(a.targets, b) for a, b in zip(batches, again, strict=True)), (
        "another epoch, another order"
    )


def test_long_texts_are_cut_in_training_and_whole_in_evaluation() -> None:
    data = texts()
    learning = trainer(data, max_length=6)
    for ids, whole in zip(learning.data.inputs, data.inputs, strict=True):
        assert torch.equal(ids, whole[-6:])
    evaluated = [ids for batch in learning.evaluation_batches(data) for ids in batch.inputs]
    assert max(map(len, evaluated)) == 20
    assert len(evaluated) == 50


def test_evaluation_batches_are_small_where_texts_are_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TextTrainer, "rows_and_tokens", (8, 30))
    data = texts()
    batches = list(trainer(data).evaluation_batches(data))
    assert sum(len(batch.targets) for batch in batches) == 50
    for batch in batches:
        rows, longest = len(batch.inputs), int(batch.lengths().max())
        assert rows <= 8
        assert rows == 1 or rows * longest <= 30
    (alone,) = trainer(data).evaluation_batches(Labelled((torch.ones(99),), torch.ones(1)))
    assert len(alone.inputs) == 1


@pytest.mark.parametrize("num_classes", [1, 2])
def test_the_loss_is_that_of_the_end_and_of_every_layer_and_token(num_classes: int) -> None:
    data = texts(6)
    learning = trainer(data, num_classes, every_step=0.25)
    model = learning.model.eval()
    assert isinstance(model, DeepLSTM)

    def expected(logits: Tensor, target: int) -> Tensor:
        if num_classes == 1:
            return -F.logsigmoid(logits[0] if target else -logits[0])
        return -logits.log_softmax(0)[target]

    losses = []
    for ids, target in zip(data.inputs, data.targets.tolist(), strict=True):
        layers = model.step_logits(ids[None])[:, 0]
        steps = torch.stack([expected(row, target) for row in layers.flatten(0, 1)])
        losses.append(0.75 * expected(model(ids[None])[0], target) + 0.25 * steps.mean())
    torch.testing.assert_close(learning.loss(data)["loss"], torch.stack(losses).mean())


class BagOfWords(nn.Module):
    """A classifier that cannot classify before the end."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(12, 1, padding_idx=1)

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        total: Tensor = self.embedding(ids).sum(1) / lengths[:, None]
        return total


def test_other_classifiers_are_trained_by_their_last_answer() -> None:
    data = texts(6)
    learning = TextTrainer(BagOfWords(), data, TextTraining(), CPU)
    wanted = F.binary_cross_entropy_with_logits(learning.logits(data)[:, 0], data.targets.float())
    torch.testing.assert_close(learning.loss(data)["loss"], wanted)


def test_gradients_are_clipped() -> None:
    learning = trainer(texts(8), clip=1e-3)
    torch.autograd.backward(learning.loss(learning.data)["loss"])
    learning.optimizer = torch.optim.SGD(learning.model.parameters(), lr=1.0)
    before = [p.detach().clone() for p in learning.model.parameters()]
    learning.update()
    after = learning.model.parameters()
    moved = sum(float((a.detach() - b).square().sum()) for a, b in zip(after, before, strict=True))
    assert moved**0.5 == pytest.approx(1e-3, rel=0.01)


def test_accuracy_counts_right_answers() -> None:
    data = texts(40)
    learning = trainer(data)
    learning.model.eval()
    with torch.no_grad():
        found = [int(learning.model(ids[None])[0, 0] > 0) for ids in data.inputs]
    right = sum(a == b for a, b in zip(found, data.targets.tolist(), strict=True))
    counted: list[int] = []
    assert learning.accuracy(data, counted.append) == right / 40
    assert sum(counted) == 40
