"""Families of convolutional networks of timm."""

from __future__ import annotations

from typing import Any

from timm.models import convmixer, vgg

from tests.contract.family import Family, built, named

ONE_EACH: dict[str, Any] = {"layers": (1, 1, 1, 1)}
NARROW: dict[str, Any] = {**ONE_EACH, "channels": (8, 8, 16, 16)}
STAGES: dict[str, Any] = {"depths": (1, 1, 2, 1), "dims": (8, 8, 16, 16)}
VGG = [8, "M", 16, "M", 16, 16, "M", 16, "M", 16, "M"]

CONVNETS: list[Family] = [
    named("resnet18", **NARROW),
    named("resnet50d", **NARROW),
    named("resnext50_32x4d", **ONE_EACH, cardinality=4, base_width=16),
    named("wide_resnet50_2", **NARROW, base_width=16),
    named("seresnet18", **ONE_EACH, channels=(16, 16, 16, 16)),
    named("ecaresnet26t", **ONE_EACH),
    named("resnetblur50", **NARROW),
    named("resnetv2_18", **ONE_EACH, channels=(16, 16, 16, 16)),
    built("vgg11", vgg.VGG, cfg=VGG),
    named("densenet121", block_config=(2, 2, 2), growth_rate=8),
    named("efficientnet_b0"),
    named("efficientnet_lite0"),
    named("mobilenetv2_035"),
    named("mobilenetv3_small_050"),
    named("mobilenetv4_conv_small_035"),
    named("mnasnet_small"),
    named("fbnetc_100"),
    named("mixnet_s"),
    named("lcnet_035"),
    named("tinynet_e"),
    named("hardcorenas_a"),
    named("regnetx_002"),
    named("regnety_002"),
    named("convnext_atto", **STAGES),
    named("convnextv2_atto", **STAGES),
    named("test_nfnet"),
    named("hrnet_w18_small"),
    named("dla46_c"),
    named("inception_v3", size=96),
    named("inception_v4", size=96),
    named("inception_resnet_v2", size=96),
    named("legacy_xception"),
    named("xception41"),
    named("ghostnetv2_100"),
    named("repghostnet_050"),
    named("dpn48b"),
    named("legacy_seresnet18"),
    named("skresnet18", **ONE_EACH),
    named("resnest14d"),
    named("res2net50_26w_4s", **ONE_EACH),
    named("ese_vovnet19b_slim_dw"),
    named("cspresnet50"),
    named("darknet17"),
    named("cs3darknet_focus_s"),
    named("mobileone_s0"),
    named("repvgg_a0"),
    named("inception_next_atto", depths=(1, 1, 1, 1), dims=(16, 16, 32, 32)),
    named("starnet_s050", base_dim=8, depths=(1, 1, 1, 1)),
    named("rdnet_tiny", num_init_features=16, growth_rates=(8,) * 7, num_blocks_list=(1,) * 7),
    named("mambaout_femto", depths=(1, 1, 2, 1), dims=(8, 16, 16, 32)),
    named("fasternet_t0", embed_dim=16, depths=(1, 1, 1, 1)),
    named("hgnetv2_b0"),
    named("rexnet_100", width_mult=0.5),
    named("selecsls42b"),
    named("tresnet_m", **ONE_EACH),
    built("convmixer_768_32", convmixer.ConvMixer, dim=16, depth=2, patch_size=8),
    named("test_byobnet"),
]
