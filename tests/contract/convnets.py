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
    named("resnet18", "layer2", "layer1.0.conv2", **NARROW),
    named("resnet50d", "layer3", "layer2.0.bn2", **NARROW),
    named("resnext50_32x4d", "layer2", "layer3.0.bn1", **ONE_EACH, cardinality=4, base_width=16),
    named("wide_resnet50_2", "layer1", "layer3.0.bn1", **NARROW, base_width=16),
    named("seresnet18", "layer2", "layer2.0.bn1", **ONE_EACH, channels=(16, 16, 16, 16)),
    named("ecaresnet26t", "layer3", "layer2.0.bn2", **ONE_EACH),
    named("resnetblur50", "layer2", "layer3.0.bn1", **NARROW),
    named(
        "resnetv2_18",
        "stages.2",
        "stages.3.blocks.0.conv1",
        "norm",
        **ONE_EACH,
        channels=(16, 16, 16, 16),
    ),
    built("vgg11", vgg.VGG, "features.8", "features", cfg=VGG),
    named(
        "densenet121",
        "features.norm5",
        "features.denseblock3.denselayer2.conv1",
        block_config=(2, 2, 2),
        growth_rate=8,
    ),
    named("efficientnet_b0", "blocks.1", "blocks.2.0.conv_dw"),
    named("efficientnet_lite0", "blocks.2", "blocks.3.0.bn2"),
    named("mobilenetv2_035", "blocks.2", "blocks.3.0.conv_pw"),
    named("mobilenetv3_small_050", "blocks.1", "blocks.2.0.bn1"),
    named("mobilenetv4_conv_small_035", "blocks.1", "blocks.1.1.bn1"),
    named("mnasnet_small", "blocks.2", "blocks.3.1.conv_pw"),
    named("fbnetc_100", "blocks.1", "blocks.2.1.bn1"),
    named("mixnet_s", "blocks.1", "blocks.2.1.conv_pw"),
    named("lcnet_035", "blocks.1", "blocks.2.0.bn2"),
    named("tinynet_e", "blocks.2", "blocks.3.0.bn3"),
    named("hardcorenas_a", "blocks.1", "blocks.2.0.bn1"),
    named("regnetx_002", "s3", "s2"),
    named("regnety_002", "s3", "s2"),
    named("convnext_atto", "stages.2", "stages.0.blocks.0.norm", **STAGES),
    named("convnext_tiny", "stages.2", "stages.1.blocks.0", "stages.0.blocks.0.norm", **STAGES),
    named("convnextv2_tiny", "stages.2", "stages.1.blocks.0", "stages.0.blocks.0.norm", **STAGES),
    named("test_nfnet", "stages.2", "final_conv"),
    named("hrnet_w18_small", "stage3", "layer1"),
    named("dla46_c", "level3", "level2"),
    named("inception_v3", "Conv2d_4a_3x3", "Mixed_5b", size=96),
    named("inception_v4", "features.4", "features.7.branch1.0.bn", size=96),
    named("inception_resnet_v2", "conv2d_4a", "mixed_5b", size=96),
    named("legacy_xception", "block4", "block3.rep.4.conv1"),
    named("xception41", "blocks.1", "blocks.2.shortcut.bn"),
    named("ghostnetv2_100", "blocks.2", "blocks.3.0.bn_dw"),
    named("repghostnet_050", "blocks.2", "blocks.1.0.bn_dw"),
    named("dpn48b", "features.conv3_4", "features.conv3_4.c1x1_c.bn"),
    named("legacy_seresnet18", "layer3", "layer4.0.bn1"),
    named("skresnet18", "layer2", "layer2.0.conv2.bn", **ONE_EACH),
    named("resnest14d", "layer3", "layer4.0.bn1"),
    named("res2net50_26w_4s", "layer2", "layer3.0.bn1", **ONE_EACH),
    named("ese_vovnet19b_slim_dw", "stages.1", "stages.1.blocks.0.conv_concat.bn"),
    named("cspresnet50", "stages.2", "stages.1.conv_transition.bn"),
    named("darknet17", "stages.2", "stages.1"),
    named("cs3darknet_focus_s", "stages.1", "stages.1.conv_transition.bn"),
    named("mobileone_s0", "stages.0", "stages.1.12.conv_kxk.3.bn"),
    named("repvgg_a0", "stages.1", "stages.3.0.conv_kxk.bn"),
    named(
        "inception_next_atto",
        "stages.2",
        "stages.3.blocks.0.mlp",
        depths=(1, 1, 1, 1),
        dims=(16, 16, 32, 32),
    ),
    named("starnet_s050", "stages.0", "stages.1.0.conv", base_dim=8, depths=(1, 1, 1, 1)),
    named(
        "rdnet_tiny",
        "dense_stages.2",
        "dense_stages",
        num_init_features=16,
        growth_rates=(8,) * 7,
        num_blocks_list=(1,) * 7,
    ),
    named(
        "mambaout_femto",
        "stages.1",
        "stages.0.blocks.0.norm",
        depths=(1, 1, 2, 1),
        dims=(8, 16, 16, 32),
    ),
    named("fasternet_t0", "stages.2", "stages.1.blocks.0.mlp", embed_dim=16, depths=(1, 1, 1, 1)),
    named("hgnetv2_b0", "stages.1", "stages.0"),
    named("rexnet_100", "features.4", "features.5.conv_exp.bn", width_mult=0.5),
    named("selecsls42b", "features.1", "features.1.conv6"),
    named("tresnet_m", "body.layer3", "body.layer4.0.conv1.bn", **ONE_EACH),
    built("convmixer_768_32", convmixer.ConvMixer, "blocks.0", dim=16, depth=2, patch_size=8),
    named("test_byobnet", "stages.2", "stages.3.0.shortcut.conv.bn"),
]
