"""Tiny classifiers that embed, order and pad texts in ways of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import transformers
from torch import Tensor, nn

from input_iba.core.classifier import Classifier
from input_iba.core.tokens import Tokens
from input_iba.modality import TextModality

PAD, END, PLANTED, WORDS = 1, 2, 7, 40
"""Ids of padding, of what ends a text and of the word that decides, and the number of words."""

BERT = {
    "vocab_size": WORDS,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 34,
    "pad_token_id": PAD,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}
BART = {
    "vocab_size": WORDS,
    "d_model": 16,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
    "max_position_embeddings": 34,
    "num_labels": 2,
    "pad_token_id": PAD,
    "bos_token_id": 0,
    "eos_token_id": END,
    "decoder_start_token_id": END,
    "scale_embedding": True,
    "dropout": 0.0,
}


class TorchEncoder(nn.Module):
    """Torch's own encoder, which reads (B, T, E) or (T, B, E), and the mean of its tokens."""

    def __init__(self, batch_first: bool, classes: int = 2) -> None:
        super().__init__()
        self.embed = nn.Embedding(WORDS, 16, padding_idx=PAD)
        layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=batch_first)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=batch_first)
        self.fc = nn.Linear(16, classes)
        self.batch_first = batch_first

    def forward(self, ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return logits (B, classes)."""
        states = self.embed(ids)
        states = states if self.batch_first else states.transpose(0, 1)
        states = self.encoder(states, src_key_padding_mask=attention_mask == 0)
        states = states if self.batch_first else states.transpose(0, 1)
        weight = attention_mask[..., None].to(states.dtype)
        logits: Tensor = self.fc((states * weight).sum(1) / weight.sum(1))
        return logits


def _bert() -> Any:
    return transformers.BertForSequenceClassification(transformers.BertConfig(**BERT))


def _roberta() -> Any:
    return transformers.RobertaForSequenceClassification(transformers.RobertaConfig(**BERT))


def _longformer() -> Any:
    config = transformers.LongformerConfig(**BERT, attention_window=[4, 4])
    return transformers.LongformerForSequenceClassification(config)


def _bart() -> Any:
    return transformers.BartForSequenceClassification(transformers.BartConfig(**BART))


def _t5() -> Any:
    sizes = {"d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 2, "num_heads": 2}
    ends = {"pad_token_id": PAD, "eos_token_id": END, "decoder_start_token_id": PAD}
    config = transformers.T5Config(
        vocab_size=WORDS, num_labels=2, dropout_rate=0.0, **sizes, **ends
    )
    return transformers.T5ForSequenceClassification(config)


def _xlnet() -> Any:
    sizes = {"d_model": 16, "n_layer": 2, "n_head": 2, "d_inner": 32, "dropout": 0.0}
    config = transformers.XLNetConfig(vocab_size=WORDS, pad_token_id=PAD, **sizes)
    return transformers.XLNetForSequenceClassification(config)


def _gpt2() -> Any:
    sizes = {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 34}
    drops = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
    config = transformers.GPT2Config(vocab_size=WORDS, eos_token_id=END, **sizes, **drops)
    return transformers.GPT2ForSequenceClassification(config)


MAKERS: dict[str, Callable[[], Any]] = {
    "bert": _bert,
    "roberta": _roberta,
    "longformer": _longformer,
    "bart": _bart,
    "t5": _t5,
    "xlnet": _xlnet,
    "gpt2": _gpt2,
    "torch": lambda: TorchEncoder(batch_first=True),
    "torch_sequence_first": lambda: TorchEncoder(batch_first=False),
}


def make(name: str, seed: int = 0) -> nn.Module:
    """Return a random classifier, in eval mode, in which every word has some say."""
    torch.manual_seed(seed)
    net: nn.Module = MAKERS[name]()
    for parameter in net.parameters():
        if parameter.ndim > 1:
            nn.init.normal_(parameter, std=0.2)
    return net.eval()


def texts(count: int, seed: int, length: int = 7, planted: bool = False) -> Tensor:
    """Return texts (count, length) of random words, and what ends them; padding has no part."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(8, WORDS, (count, length), generator=generator)
    if planted:
        place = torch.randint(0, length - 1, (count,), generator=generator)
        ids[torch.arange(count), place] = PLANTED
    ids[:, -1] = END
    return ids


def modality(**options: Any) -> TextModality:
    """Return how the tiny classifiers read texts."""
    return TextModality(pad=PAD, special=[END], **options)


def read_logits(reads: TextModality, net: nn.Module, embeddings: Tensor, tokens: Tokens) -> Tensor:
    """Return the logits with other embeddings in place of a classifier's own, (S, classes)."""
    return Classifier(net, run=reads.run).logits(embeddings, tokens)


def logits(net: nn.Module, ids: Tensor) -> Tensor:
    """Return what a classifier says to each text alone, (S, classes)."""
    with torch.no_grad():
        found = [net(row[None], attention_mask=torch.ones_like(row[None])) for row in ids]
    return torch.cat([getattr(one, "logits", one) for one in found])
