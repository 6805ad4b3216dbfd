"""Tiny tokenizers that cut bytes, as GPT-2's and RoBERTa's, or by SentencePiece, as XLM-R's."""

from __future__ import annotations

from tokenizers import Tokenizer, models, pre_tokenizers, processors
from tokenizers.trainers import BpeTrainer, UnigramTrainer
from transformers import PreTrainedTokenizerFast

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
NAMES = {"bos_token": "<s>", "cls_token": "<s>", "eos_token": "</s>", "sep_token": "</s>"}
ENGLISH = ["a great film and fun", "so dull and bad film", "good good film"] * 4


def byte_level(limit: int | None = None, pad: str | None = "<pad>") -> PreTrainedTokenizerFast:
    """Return a tokenizer of bytes; special tokens stand at both ends, unless it has no padding."""
    cuts = Tokenizer(models.BPE())
    cuts.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = BpeTrainer(vocab_size=300, special_tokens=SPECIAL, initial_alphabet=alphabet)
    cuts.train_from_iterator(ENGLISH, trainer)
    if pad is not None:
        cuts.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return _fast(cuts, limit, pad)


def sentence_piece(limit: int | None = None) -> PreTrainedTokenizerFast:
    """Return a tokenizer that marks where words begin, and cuts at spaces alone."""
    cuts = Tokenizer(models.Unigram())
    cuts.pre_tokenizer = pre_tokenizers.Metaspace()
    texts = [*ENGLISH, "电 影 很 好 看", "ห น ั ง ด ี ม า ก"]
    trainer = UnigramTrainer(vocab_size=120, special_tokens=SPECIAL, unk_token="<unk>")
    cuts.train_from_iterator(texts, trainer)
    ends = [("<s>", 0), ("</s>", 2)]
    cuts.post_processor = processors.TemplateProcessing("<s> $A </s>", special_tokens=ends)
    return _fast(cuts, limit, "<pad>")


def _fast(cuts: Tokenizer, limit: int | None, pad: str | None) -> PreTrainedTokenizerFast:
    names = {**NAMES, "unk_token": "<unk>"}
    if pad is not None:
        names["pad_token"] = pad
    made: PreTrainedTokenizerFast = PreTrainedTokenizerFast(
        tokenizer_object=cuts, **names, **({} if limit is None else {"model_max_length": limit})
    )
    return made
