"""Families of timm that mix convolutions with attention, or with what takes its place."""

from __future__ import annotations

from typing import Any

from timm.layers.norm import GroupNorm1
from timm.models import metaformer
from torch import nn

from tests.contract.family import Family, built, named

SIDE: dict[str, Any] = {"img_size": 64}
EACH: dict[str, Any] = {"depths": (1, 1, 1, 1), "num_heads": (2, 2, 2, 2)}
META: dict[str, Any] = {"depths": (1, 1, 2, 1), "dims": (8, 16, 32, 32)}
WIDTHS: dict[str, Any] = {"embed_dims": (16, 16, 32, 32)}
MAXXVIT: dict[str, Any] = {**SIDE, "embed_dim": (32, 32, 32, 32), "depths": (1, 1, 1, 1)}

HYBRIDS: list[Family] = [
    named("coatnet_rmlp_nano_rw_224", "stages.1", "stages.3.blocks.0", **MAXXVIT),
    named(
        "maxvit_tiny_tf_224",
        "stages.1",
        "stages.2.blocks.0.attn_block",
        refused=["stages.1.blocks.0.attn_grid.attn"],
        **MAXXVIT,
    ),
    built(
        "poolformer_s12",
        metaformer.MetaFormer,
        "stages.1",
        "stages.1.blocks.0.norm1",
        **META,
        norm_layers=GroupNorm1,
        downsample_norm=None,
        mlp_act=nn.GELU,
        use_mlp_head=False,
        layer_scale_init_values=1e-5,
        res_scale_init_values=None,
    ),
    built(
        "caformer_s18",
        metaformer.MetaFormer,
        "stages.0",
        "stages.1",
        "stages.1.blocks.0.norm2",
        **META,
        token_mixers=[metaformer.SepConv] * 2 + [metaformer.Attention] * 2,
        norm_layers=[metaformer.LayerNorm2dNoBias] * 2 + [metaformer.LayerNormNoBias] * 2,
    ),
    named("mobilenetv4_hybrid_medium_075", "blocks.1", "blocks.0"),
    named(
        "efficientformer_l1",
        "stages.1",
        "stages.2",
        size=224,
        depths=(1, 1, 1, 2),
        embed_dims=(8, 16, 16, 32),
    ),
    named("efficientformerv2_s0", "stages.0", "stages.1.blocks.0.mlp", **SIDE),
    named(
        "edgenext_xx_small",
        "stages.1",
        "stages.0.blocks.0.norm",
        "stages.1.blocks.0.norm_xca",
        dims=(8, 16, 32, 32),
        depths=(1, 1, 1, 2),
        heads=(1, 1, 2, 2),
    ),
    named("fastvit_t8", "stages.0", "stem.2", layers=(1, 1, 1, 1), embed_dims=(8, 16, 32, 32)),
    named("mobilevit_xxs", "stages.2", "stages.1.0", refused=["stages.2.1.transformer.0"]),
    named("mobilevitv2_050", "stages.2", "stages.1.1", refused=["stages.2.1.transformer.0"]),
    named("repvit_m0_9", "stages.0", "stages.1", embed_dim=(8, 16, 16, 32), depth=(1, 1, 1, 1)),
    named(
        "visformer_tiny",
        "stage1",
        "stage2.0.mlp",
        **SIDE,
        embed_dim=32,
        depth=(1, 1, 1),
        num_heads=2,
    ),
    named(
        "tiny_vit_5m_224",
        "stages.0",
        "stages.1.downsample",
        refused=["stages.1.blocks.0.attn"],
        **EACH,
        **WIDTHS,
        window_sizes=(4, 4, 2, 2),
    ),
    named("efficientvit_b0", "stages.0", "stages.1"),
    named(
        "efficientvit_l1",
        "stages.0",
        "stages.1",
        widths=(8, 16, 16, 32, 32),
        depths=(1, 1, 1, 1, 1),
    ),
    named("efficientvit_m0", "stages.0", "patch_embed", size=192, img_size=192),
    named(
        "sequencer2d_s",
        "stages.1",
        "stages.0.blocks.0",
        **SIDE,
        layers=(1, 1, 1, 1),
        embed_dims=(16, 16, 16, 16),
        hidden_sizes=(4, 4, 4, 4),
    ),
    named("nextvit_small", "stages.1", "stages.2", depths=(1, 1, 5, 1)),
    named("vitamin_small_224", "patch_embed.backbone.stages", "patch_embed.backbone.stem", **SIDE),
    named(
        "shvit_s1",
        "stages.0",
        "patch_embed",
        size=128,
        embed_dim=(16, 24, 32),
        depth=(1, 1, 1),
        partial_dim=(8, 8, 8),
    ),
    named("csatv2", "stages.1.3", "stages.2.3", size=128),
    named(
        "swiftformer_xs", "stages.0", "stages.1", layers=(1, 1, 1, 1), embed_dims=(16, 16, 32, 32)
    ),
    named("iformer_t", "stages.0", "stages.1.downsample"),
    named("efficientvim_m1", "stages.0.blocks.0", "patch_embed", size=224),
    named("lambda_resnet26t", "stages.1", "stages.0.0"),
    named("botnet26t_256", "stages.1", "stages.0.0", **SIDE),
]
