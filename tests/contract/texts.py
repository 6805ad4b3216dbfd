"""Families of sequence classifiers of transformers, tiny and random."""

from __future__ import annotations

from typing import Any

import torch
import transformers
from torch import nn

from tests.contract.family import Family, awaken, expected

transformers.utils.logging.set_verbosity_error()

WORDS = 60
PAD, FIRST, LAST = 1, 0, 2
"""Ids of the padding, and of the special tokens at the beginning and the end of a text."""

BERT: dict[str, Any] = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 40,
}
NARROW: dict[str, Any] = {**BERT, "embedding_size": 16}
LLAMA: dict[str, Any] = {**BERT, "num_key_value_heads": 2, "head_dim": 8}
FAR: dict[str, Any] = {**BERT, "relative_attention": True, "pos_att_type": ["c2p", "p2c"]}
GPT2: dict[str, Any] = {"n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 40}
XLM: dict[str, Any] = {"emb_dim": 16, "n_layers": 2, "n_heads": 2, "max_position_embeddings": 40}
BLOOM: dict[str, Any] = {"hidden_size": 16, "n_layer": 2, "n_head": 2}
XLNET: dict[str, Any] = {"d_model": 16, "n_layer": 2, "n_head": 2, "d_inner": 32}
FUNNEL: dict[str, Any] = {"d_model": 16, "n_head": 2, "d_head": 8, "d_inner": 32}
T5: dict[str, Any] = {"d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 2, "num_heads": 2}
BART: dict[str, Any] = {
    "d_model": 16,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
    "max_position_embeddings": 40,
    "decoder_start_token_id": LAST,
}
SQUEEZE: dict[str, Any] = dict.fromkeys(
    ("q_groups", "k_groups", "v_groups", "post_attention_groups"), 1
) | {"intermediate_groups": 1, "output_groups": 1}


def text_family(name: str, options: dict[str, Any], *layers: str, **more: Any) -> Family:
    """Return a family whose class is `<name>ForSequenceClassification`.

    Args:
        name: Of the family, as its classes have it.
        options: Of its configuration.
        layers: Names of layers that hold one vector per token.
        more: Further options.
    """

    def make() -> nn.Module:
        class_ = getattr(transformers, f"{name}ForSequenceClassification")
        ids = {"pad_token_id": PAD, "bos_token_id": FIRST, "eos_token_id": LAST}
        config = class_.config_class(vocab_size=WORDS, num_labels=3, **options, **more, **ids)
        torch.manual_seed(0)
        return awaken(class_(config))

    return Family(name, make, expected(layers, (), ()))


_FAMILIES = [
    text_family("Bert", BERT, "bert.encoder.layer.0", "bert.embeddings"),
    text_family("Roberta", BERT, "roberta.encoder.layer.0", "roberta.encoder.layer.0.output"),
    text_family("XLMRoberta", BERT, "roberta.encoder.layer.0"),
    text_family("XLMRobertaXL", BERT, "roberta.encoder.layer.0"),
    text_family("Camembert", BERT, "roberta.encoder.layer.0"),
    text_family("Data2VecText", BERT, "data2vec_text.encoder.layer.0"),
    text_family("Electra", NARROW, "electra.encoder.layer.0", "electra.embeddings"),
    text_family(
        "DistilBert",
        {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32, "max_position_embeddings": 40},
        "distilbert.transformer.layer.0",
        "distilbert.transformer.layer.0.ffn",
    ),
    text_family(
        "Albert", {**BERT, "embedding_size": 8}, "albert.encoder.embedding_hidden_mapping_in"
    ),
    text_family("Deberta", FAR, "deberta.encoder.layer.0", "deberta.embeddings"),
    text_family("DebertaV2", FAR, "deberta.encoder.layer.0", position_buckets=8),
    text_family("MPNet", BERT, "mpnet.encoder.layer.0"),
    text_family(
        "MobileBert", NARROW, "mobilebert.embeddings", intra_bottleneck_size=16, true_hidden_size=16
    ),
    text_family("SqueezeBert", NARROW, "transformer.embeddings", **SQUEEZE),
    text_family("Longformer", BERT, "longformer.encoder.layer.0", attention_window=[4, 4]),
    text_family("BigBird", BERT, "bert.encoder.layer.0", attention_type="original_full"),
    text_family("XLNet", XLNET, "transformer.layer.0", "transformer.layer.0.ff"),
    text_family("XLM", XLM, "transformer.layer_norm1.0", "transformer.ffns.0"),
    text_family("Flaubert", XLM, "transformer.layer_norm1.0"),
    text_family("FNet", {k: BERT[k] for k in BERT if "heads" not in k}, "fnet.embeddings"),
    text_family("Funnel", FUNNEL, "funnel.encoder.blocks.0.0", block_sizes=[1, 1]),
    text_family("ConvBert", NARROW, "convbert.encoder.layer.0"),
    text_family("RoFormer", NARROW, "roformer.encoder.layer.0"),
    text_family(
        "Nystromformer",
        BERT,
        "nystromformer.encoder.layer.0",
        num_landmarks=8,
        segment_means_seq_len=8,
    ),
    text_family("Yoso", BERT, "yoso.embeddings"),
    text_family("RemBert", BERT, "rembert.encoder.layer.0", input_embedding_size=16),
    text_family("MegatronBert", BERT, "bert.encoder.layer.0"),
    text_family("Ernie", BERT, "ernie.encoder.layer.0"),
    text_family("GPT2", GPT2, "transformer.h.0", "transformer.h.0.mlp"),
    text_family(
        "GPTNeo",
        {"hidden_size": 16, "num_layers": 2, "num_heads": 2, "max_position_embeddings": 40},
        "transformer.h.0",
        attention_types=[[["global", "local"], 1]],
        window_size=8,
    ),
    text_family("GPTJ", GPT2, "transformer.h.0", rotary_dim=4),
    text_family("OPT", BERT, "model.decoder.layers.0", ffn_dim=32, word_embed_proj_dim=16),
    text_family("Bloom", BLOOM, "transformer.h.0"),
    text_family("Llama", LLAMA, "model.layers.0", "model.layers.0.mlp"),
    text_family("Mistral", LLAMA, "model.layers.0"),
    text_family("Qwen2", LLAMA, "model.layers.0"),
    text_family("Gemma", LLAMA, "model.layers.0"),
    text_family("Phi3", LLAMA, "model.layers.0"),
    text_family("GPTNeoX", BERT, "gpt_neox.layers.0"),
    text_family("T5", T5, "transformer.encoder.block.0", decoder_start_token_id=PAD),
    text_family("MT5", T5, "transformer.encoder.block.0", decoder_start_token_id=PAD),
    text_family("Bart", BART, "model.encoder.layers.0"),
    text_family("MBart", BART, "model.encoder.layers.0"),
    text_family("PLBart", BART, "model.encoder.layers.0"),
    text_family("Mvp", BART, "model.encoder.layers.0"),
    text_family("ModernBert", LLAMA, "model.layers.0", local_attention=8),
    text_family("NomicBert", BERT, "nomic_bert.layers.0"),
]

TEXTS: dict[str, Family] = {family.name: family for family in _FAMILIES}
