"""Families of timm whose tokens or maps grow coarser in stages: Swin, Hiera, and hybrids."""

from __future__ import annotations

from typing import Any

from timm.models import focalnet, gcvit, mvitv2, nest, volo

from tests.contract.family import Family, built, named

SIDE: dict[str, Any] = {"img_size": 64}
WIDE: dict[str, Any] = {"size": 192, "img_size": 192}
SWIN: dict[str, Any] = {
    "img_size": 64,
    "window_size": 4,
    "embed_dim": 16,
    "depths": (2, 2),
    "num_heads": (2, 2),
}
HIERA: dict[str, Any] = {"embed_dim": 16, "num_heads": 1, "stages": (1, 2, 2, 1)}
EACH: dict[str, Any] = {"depths": (1, 1, 1, 1), "num_heads": (2, 2, 2, 2)}
WIDTHS: dict[str, Any] = {"embed_dims": (16, 16, 32, 32)}
TWINS: dict[str, Any] = {**SIDE, **WIDTHS, "num_heads": [1, 1, 2, 2]}
LEVIT: dict[str, Any] = {"embed_dim": (16, 16, 32), "depth": (1, 1, 1), "num_heads": (1, 1, 2)}
NEST: dict[str, Any] = {"embed_dims": (16, 16, 32), "depths": (1, 1, 1), "num_heads": (2, 2, 2)}

STAGES: list[Family] = [
    named(
        "swin_tiny_patch4_window7_224",
        "layers.0",
        "layers.1.blocks.0",
        "layers.1.blocks.0.norm1",
        "layers.1.blocks.0.mlp",
        "norm",
        refused=["layers.0.blocks.0.attn"],
        **SWIN,
    ),
    named(
        "swin_s3_tiny_224",
        "layers.0",
        "layers.1.blocks.1",
        refused=["layers.1.blocks.0.attn"],
        **SWIN,
    ),
    named(
        "swinv2_tiny_window8_256",
        "layers.0",
        "layers.1.blocks.0",
        "layers.1.blocks.0.mlp",
        refused=["layers.1.blocks.0.attn"],
        **SWIN,
    ),
    named(
        "swinv2_cr_tiny_224",
        "stages.0",
        "stages.1",
        "stages.1.blocks.0",
        "patch_embed.norm",
        refused=["stages.1.blocks.0.attn"],
        **SWIN,
    ),
    named(
        "hiera_tiny_224",
        "patch_embed",
        either=["blocks.0", "blocks.2", "blocks.3.mlp", "blocks.4"],
        img_size=(64, 64),
        **HIERA,
    ),
    named(
        "hiera_small_abswin_256",
        either=["blocks.2", "blocks.2.norm1", "blocks.4"],
        img_size=(64, 64),
        **HIERA,
    ),
    named(
        "hieradet_small",
        "blocks.0",
        "blocks.2",
        "blocks.3.mlp",
        refused=["blocks.0.attn", "blocks.4.attn"],
        **HIERA,
    ),
    named(
        "twins_svt_small",
        "blocks.0.0",
        "blocks.1.1",
        "blocks.1.0.mlp",
        "pos_block.1",
        **TWINS,
        depths=[2, 2, 2, 1],
        wss=[4, 4, 4, 2],
    ),
    named(
        "twins_pcpvt_small", "blocks.0.0", "blocks.1.0", "pos_block.1", **TWINS, depths=[1, 1, 2, 1]
    ),
    named(
        "pvt_v2_b0",
        "stages.0",
        "patch_embed",
        "stages.0.blocks.0",
        "stages.1.norm",
        depths=(1, 1, 1, 1),
        embed_dims=(8, 16, 16, 16),
        num_heads=(1, 1, 1, 1),
    ),
    named(
        "pit_ti_224",
        "transformers.1",
        "transformers.1.blocks.0",
        "transformers.1.blocks.0.norm1",
        **SIDE,
        base_dims=[8, 8, 8],
        depth=[1, 2, 1],
        heads=[1, 2, 4],
    ),
    named("levit_128s", "stages.0.blocks.0", "stem.conv3", **WIDE, **LEVIT, key_dim=8),
    named("levit_conv_128s", "stages.0.blocks.0", "stem.conv3", **WIDE, **LEVIT, key_dim=8),
    built(
        "gcvit_xxtiny",
        gcvit.GlobalContextVit,
        "stages.0",
        "stages.1.blocks.0",
        "stages.1.blocks.0.mlp",
        refused=["stages.0.blocks.0.attn"],
        **SIDE,
        **EACH,
        embed_dim=16,
    ),
    named("davit_tiny", "stages.0", "stages.1.blocks.0.0", **EACH, **WIDTHS, window_size=4),
    built(
        "focalnet_tiny_srf",
        focalnet.FocalNet,
        "layers.2",
        "layers.0.blocks.0",
        "layers.1.blocks.0.mlp",
        embed_dim=16,
        depths=(1, 1, 2, 1),
    ),
    built(
        "nest_tiny",
        nest.Nest,
        "levels.1",
        "levels.1.pool.norm",
        refused=["levels.0.transformer_encoder", "levels.1.transformer_encoder.0.mlp"],
        **SIDE,
        **NEST,
    ),
    built(
        "mvitv2_tiny",
        mvitv2.MultiScaleVit,
        "stages.0",
        "stages.1",
        "stages.1.blocks.0.mlp",
        img_size=(64, 64),
        cfg=mvitv2.MultiScaleVitCfg(depths=(1, 1, 1, 1), embed_dim=16),
    ),
    built(
        "mvitv2_small_cls",
        mvitv2.MultiScaleVit,
        "stages.0",
        "stages.1",
        "stages.1.blocks.0.mlp",
        img_size=(64, 64),
        cfg=mvitv2.MultiScaleVitCfg(depths=(1, 1, 1, 1), embed_dim=16, use_cls_token=True),
    ),
    built(
        "volo_d1_224",
        volo.VOLO,
        "network.0",
        "network.2.0",
        "network.2.1.mlp",
        "post_network.0",
        either=["network.0.0.attn.unfold"],
        **SIDE,
        embed_dims=(16, 32),
        layers=(1, 2),
        num_heads=(2, 2),
    ),
    named(
        "coat_lite_tiny",
        "serial_blocks2.0",
        "serial_blocks3.0.mlp",
        "patch_embed2",
        refused=["crpe2"],
        **SIDE,
        patch_size=4,
        embed_dims=(64, 64, 64, 64),
        serial_depths=(1, 1, 1, 1),
        mlp_ratios=(1, 1, 1, 1),
    ),
]
