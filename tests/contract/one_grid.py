"""Families of timm with one grid of patches from end to end: vision transformers and mixers."""

from __future__ import annotations

from typing import Any

from timm.layers.mlp import GatedMlp
from timm.models import mlp_mixer

from tests.contract.family import Family, built, named

SMALL: dict[str, Any] = {"img_size": 64, "embed_dim": 16, "depth": 2, "num_heads": 2}
TNT: dict[str, Any] = {
    "img_size": 64,
    "embed_dim": 32,
    "depth": 2,
    "inner_dim": 8,
    "num_heads_inner": 2,
    "num_heads_outer": 2,
}
MIXER: dict[str, Any] = {"img_size": 64, "embed_dim": 16, "num_blocks": 2}

ONE_GRID: list[Family] = [
    named("vit_tiny_patch16_224", "blocks.0", "blocks.1.norm1", "blocks.0.mlp", **SMALL),
    named("deit_tiny_distilled_patch16_224", "blocks.0", "blocks.1.norm1", "blocks.0.mlp", **SMALL),
    named("deit3_small_patch16_224", "blocks.0", "blocks.1.norm1", "blocks.0.mlp", **SMALL),
    named("vit_small_patch16_18x2_224", "blocks.0", "blocks.1.attns.0.norm", **SMALL),
    named("vit_relpos_small_patch16_224", "blocks.0", "blocks.1.norm1", "blocks.0.mlp", **SMALL),
    named("vit_tiny_r_s16_p8_224", "patch_embed.backbone", "blocks.0", "blocks.1.norm1", **SMALL),
    named(
        "vit_small_patch14_reg4_dinov2",
        "blocks.0",
        "blocks.1.norm1",
        "blocks.0.mlp",
        "norm",
        **SMALL,
        patch_size=16,
    ),
    named(
        "vit_small_patch16_dinov3",
        "blocks.0",
        "blocks.1.norm1",
        "blocks.0.mlp",
        "patch_embed",
        **SMALL,
    ),
    named("vit_base_patch16_siglip_224", "blocks.0", "blocks.1.norm1", "blocks.0.mlp", **SMALL),
    named("vit_base_patch16_siglip_gap_224", "blocks.0", "blocks.1.norm1", "blocks.0.mlp", **SMALL),
    named("vit_medium_patch16_reg4_gap_256", "blocks.0", "blocks.1.norm1", "blocks.0.mlp", **SMALL),
    named(
        "vit_base_patch16_rope_reg1_gap_256", "blocks.0", "blocks.1.norm1", "blocks.0.mlp", **SMALL
    ),
    named("flexivit_small", "blocks.0", "blocks.1.norm1", "blocks.0.mlp", **SMALL),
    named(
        "samvit_base_patch16_224",
        "blocks.0",
        "blocks.1.norm1",
        "blocks.0.mlp",
        refused=["blocks.0.attn"],
        **SMALL,
        window_size=2,
        global_attn_indexes=(1,),
    ),
    named(
        "naflexvit_base_patch16_gap",
        "blocks.0",
        "blocks.1.norm1",
        "blocks.0.mlp",
        "embeds",
        embed_dim=16,
        depth=2,
        num_heads=2,
    ),
    named("beit_base_patch16_224", "blocks.0", "blocks.1.norm1", "blocks.0.mlp", **SMALL),
    named("beitv2_base_patch16_224", "blocks.0", "blocks.1.norm1", "blocks.0.mlp", **SMALL),
    named("beit3_base_patch16_224", "blocks.0", "blocks.1.norm1", "blocks.0.mlp", **SMALL),
    named(
        "eva_giant_patch14_224",
        "blocks.0",
        "blocks.1.norm1",
        "blocks.0.mlp",
        **SMALL,
        patch_size=16,
    ),
    named(
        "eva02_tiny_patch14_224",
        "blocks.0",
        "blocks.1.norm1",
        "blocks.0.mlp",
        **SMALL,
        patch_size=16,
    ),
    named("vit_pe_core_small_patch16_384", "blocks.0", "blocks.1.norm1", "blocks.0.mlp", **SMALL),
    named("cait_xxs24_224", "blocks.0", "blocks.1.norm1", "norm", **SMALL, depth_token_only=1),
    named(
        "xcit_nano_12_p16_224",
        "blocks.0",
        "blocks.1.norm1",
        "cls_attn_blocks.0",
        size=128,
        **{**SMALL, "img_size": 128},
    ),
    named(
        "convit_tiny",
        "blocks.0",
        "blocks.1.norm1",
        "blocks.2",
        **{**SMALL, "depth": 3},
        local_up_to_layer=1,
    ),
    named(
        "tnt_s_patch16_224",
        "blocks.0.norm_out",
        "norm",
        refused=["blocks.0", "blocks.0.mlp_in"],
        **TNT,
    ),
    named(
        "crossvit_tiny_240",
        "blocks.0",
        "norm.1",
        size=240,
        img_size=240,
        embed_dim=[16, 32],
        depth=[[1, 2, 0]],
        num_heads=[2, 2],
    ),
    built(
        "mixer_s16_224",
        mlp_mixer.MlpMixer,
        "blocks.0",
        "blocks.1.norm1",
        "blocks.0.mlp_channels",
        **MIXER,
    ),
    built(
        "resmlp_12_224",
        mlp_mixer.MlpMixer,
        "blocks.0",
        "blocks.1.norm1",
        "blocks.0.mlp_channels",
        **MIXER,
        mlp_ratio=4,
        block_layer=mlp_mixer.ResBlock,
        norm_layer=mlp_mixer.Affine,
    ),
    built(
        "gmlp_ti16_224",
        mlp_mixer.MlpMixer,
        "blocks.0",
        "blocks.1.norm",
        **MIXER,
        mlp_ratio=6,
        block_layer=mlp_mixer.SpatialGatingBlock,
        mlp_layer=GatedMlp,
    ),
]
