"""Families of timm whose tokens or maps grow coarser in stages: Swin, Hiera, and hybrids."""

from __future__ import annotations

from typing import Any

from timm.models import focalnet, gcvit, metaformer, mvitv2, nest, volo
from torch import nn

from tests.contract.family import Family, built, named

SIDE: dict[str, Any] = {"img_size": 64}
SWIN: dict[str, Any] = {
    "img_size": 64,
    "window_size": 4,
    "embed_dim": 16,
    "depths": (2, 2),
    "num_heads": (2, 2),
}
HIERA: dict[str, Any] = {"embed_dim": 16, "num_heads": 1, "stages": (1, 2, 2, 1)}
EACH: dict[str, Any] = {"depths": (1, 1, 1, 1), "num_heads": (2, 2, 2, 2)}
META: dict[str, Any] = {"depths": (1, 1, 2, 1), "dims": (8, 16, 32, 32)}
WIDTHS: dict[str, Any] = {"embed_dims": (16, 16, 32, 32)}
MAXXVIT: dict[str, Any] = {**SIDE, "embed_dim": (32, 32, 32, 32), "depths": (1, 1, 1, 1)}
TWINS: dict[str, Any] = {**SIDE, **WIDTHS, "num_heads": [1, 1, 2, 2]}
LEVIT: dict[str, Any] = {"embed_dim": (16, 16, 32), "depth": (1, 1, 1), "num_heads": (1, 1, 2)}
NEST: dict[str, Any] = {"embed_dims": (16, 16, 32), "depths": (1, 1, 1), "num_heads": (2, 2, 2)}

STAGES: list[Family] = [
    named("swin_tiny_patch4_window7_224", **SWIN),
    named("swin_s3_tiny_224", **SWIN),
    named("swinv2_tiny_window8_256", **SWIN),
    named("swinv2_cr_tiny_224", **SWIN),
    named("hiera_tiny_224", img_size=(64, 64), **HIERA),
    named("hiera_small_abswin_256", img_size=(64, 64), **HIERA),
    named("hieradet_small", **HIERA),
    named("twins_svt_small", **TWINS, depths=[2, 2, 2, 1], wss=[4, 4, 4, 2]),
    named("twins_pcpvt_small", **TWINS, depths=[1, 1, 2, 1]),
    named("pvt_v2_b0", depths=(1, 1, 1, 1), embed_dims=(8, 16, 16, 16), num_heads=(1, 1, 1, 1)),
    named("pit_ti_224", **SIDE, base_dims=[8, 8, 8], depth=[1, 2, 1], heads=[1, 2, 4]),
    named("levit_128s", **SIDE, **LEVIT, key_dim=8),
    named("levit_conv_128s", **SIDE, **LEVIT, key_dim=8),
    built("gcvit_xxtiny", gcvit.GlobalContextVit, **SIDE, **EACH, embed_dim=16),
    named("davit_tiny", **EACH, **WIDTHS, window_size=4),
    built("focalnet_tiny_srf", focalnet.FocalNet, embed_dim=16, depths=(1, 1, 2, 1)),
    built("nest_tiny", nest.Nest, **SIDE, **NEST),
    built(
        "mvitv2_tiny",
        mvitv2.MultiScaleVit,
        img_size=(64, 64),
        cfg=mvitv2.MultiScaleVitCfg(depths=(1, 1, 1, 1), embed_dim=16),
    ),
    built(
        "mvitv2_small_cls",
        mvitv2.MultiScaleVit,
        img_size=(64, 64),
        cfg=mvitv2.MultiScaleVitCfg(depths=(1, 1, 1, 1), embed_dim=16, use_cls_token=True),
    ),
    built("volo_d1_224", volo.VOLO, **SIDE, embed_dims=(16, 32), layers=(1, 2), num_heads=(2, 2)),
    named(
        "coat_lite_tiny",
        **SIDE,
        patch_size=4,
        embed_dims=(64, 64, 64, 64),
        serial_depths=(1, 1, 1, 1),
        mlp_ratios=(1, 1, 1, 1),
    ),
    named("coatnet_rmlp_nano_rw_224", **MAXXVIT),
    named("maxvit_tiny_tf_224", **MAXXVIT),
    built(
        "poolformer_s12",
        metaformer.MetaFormer,
        **META,
        norm_layers=metaformer.GroupNorm1,
        downsample_norm=None,
        mlp_act=nn.GELU,
        use_mlp_head=False,
        layer_scale_init_values=1e-5,
        res_scale_init_values=None,
    ),
    built(
        "caformer_s18",
        metaformer.MetaFormer,
        **META,
        token_mixers=[metaformer.SepConv] * 2 + [metaformer.Attention] * 2,
        norm_layers=[metaformer.LayerNorm2dNoBias] * 2 + [metaformer.LayerNormNoBias] * 2,
    ),
    named("mobilenetv4_hybrid_medium_075"),
    named("efficientformer_l1", size=224, depths=(1, 1, 1, 2), embed_dims=(8, 16, 16, 32)),
    named("efficientformerv2_s0", **SIDE),
    named("edgenext_xx_small", dims=(8, 16, 32, 32), depths=(1, 1, 1, 2), heads=(1, 1, 2, 2)),
    named("fastvit_t8", layers=(1, 1, 1, 1), embed_dims=(8, 16, 32, 32)),
    named("mobilevit_xxs"),
    named("mobilevitv2_050"),
    named("repvit_m0_9", embed_dim=(8, 16, 16, 32), depth=(1, 1, 1, 1)),
    named("visformer_tiny", **SIDE, embed_dim=32, depth=(1, 1, 1), num_heads=2),
    named("tiny_vit_5m_224", **EACH, **WIDTHS, window_sizes=(4, 4, 2, 2)),
    named("efficientvit_b0"),
    named("efficientvit_l1", widths=(8, 16, 16, 32, 32), depths=(1, 1, 1, 1, 1)),
    named("efficientvit_m0", **SIDE),
    named(
        "sequencer2d_s",
        **SIDE,
        layers=(1, 1, 1, 1),
        embed_dims=(16, 16, 16, 16),
        hidden_sizes=(4, 4, 4, 4),
    ),
    named("nextvit_small", depths=(1, 1, 5, 1)),
    named("vitamin_small_224", **SIDE),
    named("shvit_s1", embed_dim=(16, 24, 32), depth=(1, 1, 1), partial_dim=(8, 8, 8)),
    named("csatv2", size=128),
    named("swiftformer_xs", layers=(1, 1, 1, 1), embed_dims=(16, 16, 32, 32)),
    named("iformer_t"),
    named("efficientvim_m1"),
    named("lambda_resnet26t"),
    named("botnet26t_256", **SIDE),
]
