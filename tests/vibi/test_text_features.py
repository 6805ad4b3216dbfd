"""Explainers of texts can read the black box's states, which stay as they are."""

from __future__ import annotations

import pytest
import torch

from input_iba.core.padding import pad
from input_iba.errors import ConfigError, LayerNotFoundError
from input_iba.models import DeepLSTM
from input_iba.vibi import Vibi, VibiTrainer, VibiTraining
from input_iba.vibi.commands.texts import explained_texts
from input_iba.vibi.text_features import FeatureTextExplainer, WordFeatures
from input_iba.vibi.texts import TextApproximator, TextBlackBox, TextChunks, unpacked
from tests.conftest import Unchanged
from tests.vibi.planted import LONGEST, planted_texts

CPU = torch.device("cpu")


@pytest.fixture
def black_box() -> TextBlackBox:
    torch.manual_seed(0)
    lstm = DeepLSTM(vocab_size=40, embedding_dim=6, hidden_size=8).eval()
    return TextBlackBox(lstm, TextChunks("five_words", LONGEST))


@torch.no_grad()
def test_the_states_of_a_layer_stand_behind_the_word_vectors(black_box: TextBlackBox) -> None:
    lstm = black_box.classifier
    assert isinstance(lstm, DeepLSTM)
    batch = pad(planted_texts(5))
    inputs = black_box.prepare(batch.ids)
    features = WordFeatures(black_box, inputs)
    assert (features.layer, features.width) == ("rnn_4", 8)
    found = features(inputs)
    assert torch.equal(found[..., :7], inputs)
    expected = lstm.states(lstm.embedding(batch.ids))[3]
    inside = unpacked(inputs)[1] >= 0
    torch.testing.assert_close(found[..., 7:][inside], expected[inside])
    assert WordFeatures(black_box, inputs, "rnn_1").layer == "rnn_1"


def test_layers_without_a_vector_for_each_word_are_refused(black_box: TextBlackBox) -> None:
    inputs = black_box.prepare(pad(planted_texts(5)).ids)
    with pytest.raises(LayerNotFoundError, match="rnn_4"):
        WordFeatures(black_box, inputs, "rnn4")
    with pytest.raises(ConfigError, match="no layer 'fc' that puts out a vector for each word"):
        WordFeatures(black_box, inputs, "fc")


def test_only_what_chooses_is_trained_and_stored(
    black_box: TextBlackBox, unchanged: Unchanged
) -> None:
    data = explained_texts(black_box, planted_texts(40), CPU)
    example = data.prepare(data.inputs)
    explainer = FeatureTextExplainer(WordFeatures(black_box, example), 6, 16)
    assert all(name.startswith("chooser.") for name in explainer.state_dict())
    vibi = Vibi(explainer, TextApproximator(2, 6, 16), black_box.chunks, 1)
    trainer = VibiTrainer(vibi, black_box, data, VibiTraining(epochs=1, batch_size=20), CPU)
    before = {name: values.clone() for name, values in explainer.state_dict().items()}
    with unchanged(black_box.classifier):
        trainer.train_epoch(0)
    assert all(not torch.equal(before[n], v) for n, v in explainer.state_dict().items())
