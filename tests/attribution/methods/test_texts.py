"""Texts: the planted word, batches, special tokens, definitions written literally, refusals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from input_iba.attribution import FeatureIBA
from input_iba.attribution.methods import (
    IBA,
    Amortised,
    AttentionRollout,
    Gradient,
    GradientAttention,
    InputXGradient,
    IntegratedGradients,
    KernelShap,
    LeGrad,
    Lime,
    Method,
    MethodAttributor,
    Occlusion,
    Random,
    Rise,
    SmoothGrad,
    SmoothIntegratedGradients,
)
from input_iba.errors import AttributionError, ConfigError
from input_iba.modality import TextModality
from input_iba.records import Explanation, Failure
from input_iba.registry import BASELINES
from tests.attribution import test_transformers as bert
from tests.attribution.methods.settings import ATTENTION, explaining
from tests.attribution.text_nets import (
    PAD,
    PLANTED,
    WORDS,
    TinyLSTM,
    sentences,
    train_on_planted_word,
)
from tests.conftest import Unchanged
from tests.models.tiny_bert import tiny_bert

IDS = ["a", "b", "c", "d"]
TARGETS = [0, 1, 1, 0]
METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        *(Gradient(), InputXGradient(), SmoothGrad(n_samples=6), IntegratedGradients(n_steps=8)),
        SmoothIntegratedGradients(n_samples=3, n_steps=5),
        *(Occlusion(), Lime(n_samples=30), KernelShap(n_samples=30), Random()),
        IBA(layer="rnn_1", feature_iba=FeatureIBA(batch_size=3, opt_steps=4, beta=15)),
        *(AttentionRollout(), GradientAttention(), LeGrad(), Amortised()),
    )
}
ANY = sorted({*METHODS} - ATTENTION)
"""Methods for networks of any kind."""

ALL = pytest.mark.parametrize("name", ANY)
EACH = pytest.mark.parametrize(
    ("kind", "name"), [*(("LSTM", name) for name in ANY), *(("BERT", name) for name in METHODS)]
)


def attributor(kind: str, name: str, net: nn.Module | None = None) -> MethodAttributor:
    method = METHODS[name]
    if isinstance(method, Amortised):
        return amortised(kind, net)
    if kind == "BERT":
        if isinstance(method, IBA):
            method = IBA("bert.encoder.layer.0", method.feature_iba)
        reads = TextModality(pad=bert.PAD, special=[bert.CLS, bert.SEP])
        made = MethodAttributor(net or tiny_bert().double(), method, modality=reads)
        made.estimate([bert.sentences(20, 3)])
    else:
        made = MethodAttributor(net or TinyLSTM().double(), method, modality=TextModality(PAD))
        made.estimate([sentences(20, 3)])
    return made


def amortised(kind: str, net: nn.Module | None) -> MethodAttributor:
    """Return an attributor with an explainer that learned nothing."""
    net = net or (tiny_bert().double() if kind == "BERT" else TinyLSTM().double())
    special = [bert.CLS, bert.SEP] if kind == "BERT" else []
    modality = TextModality(pad=pad_of(kind), special=special)
    taps = None if kind == "BERT" else ["rnn_1", "rnn_2"]
    method = explaining(net, modality, texts(kind, 20, 3), taps=taps)
    return MethodAttributor(net, method, modality=modality)


def texts(kind: str, count: int, seed: int = 1) -> Tensor:
    return bert.sentences(count, seed) if kind == "BERT" else sentences(count, seed)


def pad_of(kind: str) -> int:
    return bert.PAD if kind == "BERT" else PAD


def maps(found: Sequence[Explanation | Failure]) -> list[Tensor]:
    masks = []
    for record in found:
        assert isinstance(record, Explanation), record
        masks.append(record.input_mask * record.peak)
    return masks


def test_these_are_the_methods_that_explain_texts() -> None:
    able = {name for name, method in BASELINES.module_dict.items() if "texts" in method.explains}
    assert set(METHODS) == able
    with pytest.raises(ConfigError, match=r"'rise' cannot explain texts.*int_grad"):
        MethodAttributor(TinyLSTM(), Rise(), modality=TextModality(PAD))


@EACH
@pytest.mark.parametrize("rows", [None, 5])
def test_a_text_gets_the_map_in_a_batch_that_it_gets_alone(
    kind: str, name: str, rows: int | None
) -> None:
    method, ids = attributor(kind, name), texts(kind, 4)
    together = maps(method.attribute(ids, TARGETS, ids=IDS, internal_batch_size=rows))
    turned = maps(method.attribute(ids.flip(0), TARGETS[::-1], ids=IDS[::-1]))[::-1]
    for i, name_of_text in enumerate(IDS):
        own = ids[i : i + 1, : int((ids[i] != pad_of(kind)).sum())]
        [alone] = maps(method.attribute(own, [TARGETS[i]], ids=[name_of_text]))
        assert alone.shape == own.shape[1:]
        assert alone.isfinite().all()
        assert alone.abs().max() > 0
        for found in (together[i], turned[i]):
            torch.testing.assert_close(found, alone, rtol=1e-6, atol=1e-9)
        if kind == "BERT":  # special tokens
            assert alone[0] == alone[-1] == 0


class GatedRNN(nn.Module):
    """Recurrent layers set by hand: a gate that the planted word alone opens, and its sum."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embedding = nn.Embedding(WORDS, 8, padding_idx=PAD)
        self.rnn_1 = nn.RNN(8, 1, nonlinearity="relu", batch_first=True)
        self.rnn_2 = nn.RNN(1, 1, nonlinearity="relu", batch_first=True)
        with torch.no_grad():
            for parameter in (*self.rnn_1.parameters(), *self.rnn_2.parameters()):
                parameter.zero_()
            words = nn.functional.normalize(self.embedding.weight, dim=1)
            self.embedding.weight.copy_(words)
            others = words[torch.arange(WORDS) != PLANTED] @ words[PLANTED]
            self.rnn_1.get_parameter("weight_ih_l0").copy_(words[PLANTED][None])
            self.rnn_1.get_parameter("bias_ih_l0").fill_(-float(others.max()) - 0.1)
            self.rnn_2.get_parameter("weight_ih_l0").fill_(1)
            self.rnn_2.get_parameter("weight_hh_l0").fill_(1)

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        packed = pack_padded_sequence(self.embedding(ids), lengths, True, enforce_sorted=False)
        logits: Tensor = self.rnn_2(self.rnn_1(packed)[0])[1][-1]
        return logits


def planted_first(made: MethodAttributor, count: int) -> int:
    """Return in how many sentences the planted word has the highest value."""
    ids = sentences(count, 9000)
    found = maps(made.attribute(ids, [1] * count))
    return sum(int(row[mask.argmax()]) == PLANTED for row, mask in zip(ids, found, strict=True))


@pytest.fixture(scope="module")
def trained() -> TinyLSTM:
    return train_on_planted_word(TinyLSTM())


@pytest.mark.parametrize("name", ["int_grad", "occlusion", "lime", "kernel_shap", "iba", "random"])
def test_the_planted_word_ranks_first(name: str, trained: TinyLSTM) -> None:
    method = attributor("LSTM", name, trained)
    stronger: dict[str, Method] = {
        "int_grad": IntegratedGradients(n_steps=20),
        "lime": Lime(n_samples=100),
        "kernel_shap": KernelShap(n_samples=100),
        "iba": IBA("embedding", FeatureIBA(beta=15)),  # behind a recurrent layer all words have it
    }
    method.method = stronger.get(name, method.method)
    method.estimate([sentences(100, 5000), sentences(100, 5001, planted=False)])
    count = 40 if name in {"lime", "kernel_shap"} else 100
    right = planted_first(method, count)
    assert right < 0.4 * count if name == "random" else right >= 0.95 * count


@pytest.mark.parametrize("name", ["gradient", "input_x_gradient", "smooth_grad"])
def test_gradients_find_the_word_that_opens_a_gate(name: str) -> None:
    # Of a trained LSTM, which is sure of its answer, the gradient at the word itself is small.
    assert planted_first(attributor("LSTM", name, GatedRNN()), 100) >= 95


def logit_of(net: Any, vectors: Tensor, target: int) -> Tensor:
    """Return the logit of a class by the network's own parts, without padding, a scalar."""
    sequence, _ = net.rnn_1(vectors[None])
    _, (hidden, _) = net.rnn_2(sequence)
    found: Tensor = net.fc(hidden[-1])[0, 0]
    return found if target else -found


@pytest.mark.parametrize("target", [0, 1])
def test_definitions_for_one_logit(target: int) -> None:
    net: Any = TinyLSTM().double().eval()
    ids = sentences(3, 1)
    found = {
        name: maps(attributor("LSTM", name, net).attribute(ids, [target] * 3, ids=IDS[:3]))
        for name in ("gradient", "input_x_gradient", "int_grad", "occlusion")
    }
    for i in range(3):
        own = ids[i][ids[i] != PAD]
        vectors = net.embedding(own).detach().requires_grad_()
        whole = logit_of(net, vectors, target)
        [gradient] = torch.autograd.grad(whole, vectors)
        torch.testing.assert_close(found["gradient"][i], gradient.abs().sum(1))
        torch.testing.assert_close(
            found["input_x_gradient"][i], (gradient * vectors.detach()).sum(1)
        )
        empty = logit_of(net, torch.zeros_like(vectors), target)
        torch.testing.assert_close(
            found["int_grad"][i].sum(), (whole - empty).detach(), rtol=1e-3, atol=1e-5
        )
        for place in range(len(own)):
            without = vectors.detach().clone()
            without[place] = 0
            drop = whole.sigmoid() - logit_of(net, without, target).sigmoid()
            told = found["occlusion"][i][place].double()  # captum's are float32
            torch.testing.assert_close(told, drop.detach(), rtol=1e-5, atol=1e-7)


def test_special_tokens_keep_their_embedding() -> None:
    net: Any = tiny_bert().double().eval()
    ids = bert.sentences(1, 1)
    [found] = maps(attributor("BERT", "int_grad", net).attribute(ids, [1]))
    vectors = net.get_input_embeddings()(ids)
    empty = torch.where(torch.isin(ids, torch.tensor([bert.CLS, bert.SEP]))[..., None], vectors, 0)
    with torch.no_grad():
        whole, without = (net(inputs_embeds=x).logits[0, 1] for x in (vectors, empty))
    torch.testing.assert_close(found.sum(), whole - without, rtol=1e-2, atol=1e-6)


@ALL
def test_a_text_of_one_word(name: str) -> None:
    found = attributor("LSTM", name).attribute(torch.tensor([[PLANTED]]), [1])
    [mask] = maps(found)
    assert mask.shape == (1,)
    assert mask.isfinite().all()


@ALL
def test_the_model_comes_back_as_it_was(name: str, unchanged: Unchanged) -> None:
    net = TinyLSTM().double().train()
    method, ids = attributor("LSTM", name, net), sentences(2, 1)
    with unchanged(net):
        method.attribute(ids)
        with pytest.raises(AttributionError, match="no embedding"):
            method.attribute(torch.tensor([[99]]))
