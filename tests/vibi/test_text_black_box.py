"""VIBI for texts: what the black box is asked, batches, and a planted word that must be found."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from input_iba.core.padding import PAD_INDEX, lengths_of, pad
from input_iba.models import DeepLSTM
from input_iba.vibi import Vibi, VibiTrainer, VibiTraining, hard_top_k, measure_fidelity
from input_iba.vibi.commands.texts import explained_texts
from input_iba.vibi.texts import (
    ExplainedTexts,
    TextApproximator,
    TextBlackBox,
    TextChunks,
    TextExplainer,
    unpacked,
)
from tests.conftest import Unchanged
from tests.vibi.planted import LONGEST, PLANTED, WordSpotter, planted_texts

CPU = torch.device("cpu")
WORDS = TextChunks("word", LONGEST)


@pytest.fixture
def lstm() -> DeepLSTM:
    torch.manual_seed(0)
    return DeepLSTM(vocab_size=40, embedding_dim=6, hidden_size=8).eval()


@torch.no_grad()
def test_whole_texts_are_answered_as_the_classifier_answers(lstm: DeepLSTM) -> None:
    black_box = TextBlackBox(lstm, WORDS)
    batch = pad(planted_texts(5))
    found = black_box.log_probabilities(black_box.prepare(batch.ids))
    logit = lstm(batch.ids, batch.lengths)[:, 0]
    expected = torch.stack([F.logsigmoid(-logit), F.logsigmoid(logit)], 1)
    torch.testing.assert_close(found, expected)


@torch.no_grad()
@pytest.mark.parametrize("kind", ["word", "five_words"])
def test_a_hidden_word_is_read_as_padding_within_the_text(lstm: DeepLSTM, kind: str) -> None:
    chunks = TextChunks(kind, LONGEST)
    black_box = TextBlackBox(lstm, chunks)
    batch = pad(planted_texts(4))
    inputs = black_box.prepare(batch.ids)
    shown = torch.zeros(4, 1, LONGEST)
    shown[..., 1] = 1
    found = black_box.log_probabilities(chunks.hide(inputs, shown))
    numbers = unpacked(inputs)[1]
    hidden_ids = batch.ids.where(numbers == 1, PAD_INDEX)
    assert (lstm.embedding.weight[PAD_INDEX] == 0).all()
    logit = lstm(hidden_ids, batch.lengths)
    torch.testing.assert_close(found[:, 1:], F.logsigmoid(logit))


def test_answers_stand_in_the_order_of_the_texts(lstm: DeepLSTM) -> None:
    texts = planted_texts(20)
    black_box = TextBlackBox(lstm, WORDS)
    seen: list[int] = []
    found = explained_texts(black_box, texts, CPU, seen.append)
    assert sum(seen) == 20
    for i in (0, 7, 19):
        alone = explained_texts(black_box, [texts[i]], CPU)
        torch.testing.assert_close(found.log_probabilities[i], alone.log_probabilities[0])


def test_batches_hold_every_text_once_and_change_with_the_seed_alone(lstm: DeepLSTM) -> None:
    data = explained_texts(TextBlackBox(lstm, WORDS), planted_texts(50), CPU)

    def order(seed: int | None) -> list[float]:
        generator = None if seed is None else torch.Generator().manual_seed(seed)
        batches = list(data.batches(8, generator))
        assert all(inputs.shape[0] == len(expected) <= 8 for inputs, expected in batches)
        return [float(row[0]) for _, expected in batches for row in expected]

    assert order(1) == order(1) != order(2)
    everything = sorted(data.log_probabilities[:, 0].tolist())
    assert sorted(order(1)) == sorted(order(None)) == everything


def test_padding_is_never_chosen_even_if_a_text_is_shorter_than_k(lstm: DeepLSTM) -> None:
    torch.manual_seed(0)
    inputs = TextBlackBox(lstm, WORDS).prepare(pad(planted_texts(20)).ids)
    shown = hard_top_k(TextExplainer(6).eval()(inputs), 10)
    lengths = (unpacked(inputs)[1] >= 0).sum(1)
    assert shown.sum(1).tolist() == lengths.clamp(max=10).tolist()
    assert lengths.min() < 10


def trained(data: ExplainedTexts, black_box: TextBlackBox, settings: VibiTraining) -> Vibi:
    torch.manual_seed(0)
    vibi = Vibi(TextExplainer(6, 32, 0.0), TextApproximator(2, 6, 32, 0.0), black_box.chunks, 1)
    trainer = VibiTrainer(vibi, black_box, data, settings, CPU)
    for epoch in range(settings.epochs):
        trainer.train_epoch(epoch)
    return vibi.eval()


@pytest.mark.parametrize("kind", ["word", "five_words"])
def test_the_planted_word_is_found(kind: str, unchanged: Unchanged) -> None:
    model = WordSpotter().eval()
    black_box = TextBlackBox(model, TextChunks(kind, LONGEST))
    settings = VibiTraining(epochs=8, batch_size=20, lr=0.01, beta=0.001)
    with unchanged(model):
        data = explained_texts(black_box, planted_texts(400), CPU)
        vibi = trained(data, black_box, settings)
        test = explained_texts(black_box, planted_texts(100, seed=1), CPU)
        found = measure_fidelity(vibi, black_box, test.batches(20))
    assert found.approximator > 0.95
    assert found.rationale > 0.95
    inputs = test.prepare(test.inputs)
    numbers = unpacked(inputs)[1]
    spotted = test.inputs == PLANTED
    chosen = vibi.explain(inputs).argmax(1)
    hits = (spotted & (numbers == chosen[:, None])).any(1)[spotted.any(1)]
    assert hits.float().mean() > 0.95


def test_lengths_count_the_words_of_a_text() -> None:
    batch = pad(planted_texts(5))
    assert torch.equal(lengths_of(batch.ids), batch.lengths)
