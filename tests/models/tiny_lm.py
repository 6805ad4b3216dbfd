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


def prompts(count: int, generator: torch.Generator, marked: bool = True) -> tuple[Tensor, Tensor]:
    """Return prompts of 11 words, "w3 w1 key key7 w2 key4 … ask", and which words are to be copied.

    It is the key behind the word "key", while another one stands elsewhere; or, where none is
    `marked`, the words 3 and 7 among any others. Ids are (count, 11), places (count, copied).
    """
    ids = torch.randint(ID["w0"], ID["w19"] + 1, (count, 11), generator=generator)
    ids[:, 10] = ID["ask"]
    if not marked:
        return ids, torch.tensor([3, 7]).expand(count, 2)
    keys = torch.randint(ID["key0"], ID["key11"] + 1, (count, 2), generator=generator)
    places = torch.rand(count, 4, generator=generator).argsort(1)[:, :2] * 2 + 2  # even ones
    ids.scatter_(1, places, keys)
    ids.scatter_(1, places[:, :1] - 1, ID["key"])
    return ids, places[:, :1]


def train_to_copy(model: nn.Module, steps: int = 150, marked: bool = True, seed: int = 0) -> float:
    """Train a model to say words of the prompt behind it; return how often all are right."""
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)

    def said() -> tuple[Tensor, Tensor]:
        ids, places = prompts(128, generator, marked)
        answers = ids.gather(1, places)
        logits = model(torch.cat([ids, answers], 1)).logits
        return logits[:, 10:-1], answers

    model.train()
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = 3e-3 * (1 - step / steps)
        logits, answers = said()
        loss = F.cross_entropy(logits.flatten(0, 1), answers.flatten())
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    model.eval()
    with torch.no_grad():
        logits, answers = said()
    return (logits.argmax(-1) == answers).all(1).float().mean().item()
