"""Tiny causal language models with a tokenizer of words; nothing is downloaded."""

from __future__ import annotations

from typing import Any

import torch
from tokenizers import AddedToken, Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

SPECIAL = ["<pad>", "<unk>", "</s>", "<|user|>"]
KEYS = [f"key{i}" for i in range(12)]
FILLERS = [f"w{i}" for i in range(20)]
WORDS = [*SPECIAL, *KEYS, *FILLERS, "key", "ask"]
ID = {word: i for i, word in enumerate(WORDS)}
LONGEST = 32


def tokenizer(side: str = "right") -> PreTrainedTokenizerFast:
    """Return a tokenizer of words, which pads on a side."""
    cuts = Tokenizer(WordLevel(ID, unk_token="<unk>"))
    cuts.pre_tokenizer = WhitespaceSplit()
    cuts.add_special_tokens([AddedToken(SPECIAL[3], normalized=False)])
    names = {"pad_token": "<pad>", "unk_token": "<unk>", "eos_token": "</s>"}
    made: PreTrainedTokenizerFast = PreTrainedTokenizerFast(
        tokenizer_object=cuts,
        **names,
        additional_special_tokens=[SPECIAL[3]],
        padding_side=side,
        model_max_length=LONGEST,
    )
    return made


def tiny_gpt2(seed: int = 0, **options: Any) -> GPT2LMHeadModel:
    """Return a random GPT-2, whose embeddings of input and output are one."""
    torch.manual_seed(seed)
    sizes = {"n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": LONGEST}
    ends = {"bos_token_id": 2, "eos_token_id": 2, "pad_token_id": 0}
    return GPT2LMHeadModel(GPT2Config(vocab_size=len(WORDS), **{**sizes, **ends, **options})).eval()


def tiny_llama(seed: int = 0, **options: Any) -> LlamaForCausalLM:
    """Return a random Llama, whose embeddings of input and output are two."""
    torch.manual_seed(seed)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 3}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": LONGEST}
    ends = {"bos_token_id": 2, "eos_token_id": 2, "pad_token_id": 0}
    made = {**sizes, **heads, **ends, **options}
    return LlamaForCausalLM(LlamaConfig(vocab_size=len(WORDS), **made)).eval()


def prompts(
    count: int, generator: torch.Generator, marked: bool = True
) -> tuple[Tensor, Tensor]:
    """Return prompts of 11 words, "w3 w1 key key7 w2 key4 … ask", and which of them is to be copied.

    It is the key behind the word "key", while another one stands elsewhere; or, where it is not
    `marked`, the only one. Ids are (count, 11), places (count,).
    """
    ids = torch.randint(ID["w0"], ID["w19"] + 1, (count, 11), generator=generator)
    keys = torch.randint(ID["key0"], ID["key11"] + 1, (count, 2), generator=generator)
    order = torch.rand(count, 4, generator=generator).argsort(1) * 2 + 1  # odd places 1, 3, 5, 7
    rows = torch.arange(count)
    ids[rows, order[:, 0] + 1] = keys[:, 0]
    if marked:
        ids[rows, order[:, 0]], ids[rows, order[:, 1]] = ID["key"], keys[:, 1]
    ids[:, 10] = ID["ask"]
    return ids, order[:, 0] + 1


def train_to_copy(model: nn.Module, steps: int, marked: bool = True, seed: int = 0) -> float:
    """Train a model to say a word of the prompt behind it; return how often it is right."""
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)
    model.train()
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = 3e-3 * (1 - step / steps)
        ids, places = prompts(128, generator, marked)
        logits = model(ids).logits[:, -1]
        loss = F.cross_entropy(logits, ids[torch.arange(128), places])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    model.eval()
    ids, places = prompts(500, generator, marked)
    with torch.no_grad():
        said = model(ids).logits[:, -1].argmax(1)
    return (said == ids[torch.arange(500), places]).float().mean().item()
