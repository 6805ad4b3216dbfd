"""Families of timm with one grid of patches from end to end: vision transformers and mixers."""

from __future__ import annotations

from typing import Any

from timm.layers import GatedMlp
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
    named("vit_tiny_patch16_224", **SMALL),
    named("deit_tiny_distilled_patch16_224", **SMALL),
    named("deit3_small_patch16_224", **SMALL),
    named("vit_small_patch16_18x2_224", **SMALL),
    named("vit_relpos_small_patch16_224", **SMALL),
    named("vit_tiny_r_s16_p8_224", **SMALL),
    named("vit_small_patch14_reg4_dinov2", **SMALL, patch_size=16),
    named("vit_small_patch16_dinov3", **SMALL),
    named("vit_base_patch16_siglip_224", **SMALL),
    named("vit_base_patch16_siglip_gap_224", **SMALL),
    named("vit_medium_patch16_reg4_gap_256", **SMALL),
    named("vit_base_patch16_rope_reg1_gap_256", **SMALL),
    named("flexivit_small", **SMALL),
    named("samvit_base_patch16_224", **SMALL, window_size=2, global_attn_indexes=(1,)),
    named("naflexvit_base_patch16_gap", embed_dim=16, depth=2, num_heads=2),
    named("beit_base_patch16_224", **SMALL),
    named("beitv2_base_patch16_224", **SMALL),
    named("beit3_base_patch16_224", **SMALL),
    named("eva_giant_patch14_224", **SMALL, patch_size=16),
    named("eva02_tiny_patch14_224", **SMALL, patch_size=16),
    named("vit_pe_core_small_patch16_384", **SMALL),
    named("cait_xxs24_224", **SMALL, depth_token_only=1),
    named("xcit_nano_12_p16_224", **SMALL),
    named("convit_tiny", **{**SMALL, "depth": 3}, local_up_to_layer=1),
    named("tnt_s_patch16_224", **TNT),
    named(
        "crossvit_tiny_240",
        size=240,
        img_size=240,
        embed_dim=[16, 32],
        depth=[[1, 2, 0]],
        num_heads=[2, 2],
    ),
    built("mixer_s16_224", mlp_mixer.MlpMixer, **MIXER),
    built(
        "resmlp_12_224",
        mlp_mixer.MlpMixer,
        **MIXER,
        mlp_ratio=4,
        block_layer=mlp_mixer.ResBlock,
        norm_layer=mlp_mixer.Affine,
    ),
    built(
        "gmlp_ti16_224",
        mlp_mixer.MlpMixer,
        **MIXER,
        mlp_ratio=6,
        block_layer=mlp_mixer.SpatialGatingBlock,
        mlp_layer=GatedMlp,
    ),
]
