"""What stands in for large things when the documents' commands are executed.

Everything else is taken from the documents word by word. Whoever prints a new command needs to do
nothing here, as long as it runs within seconds on the files that `stage.py` makes. Where it does
not, the tables below are the places to say so, from the gentlest to the last resort:

- `CONFIGS`: values that make a config of the repository tiny; all others stay.
- `APPENDED`: options put behind a command, to make it short.
- `NAMES` in `names.py`: what the Python blocks of a document take for granted.
- `NOT_RUN`: commands that cannot run here, and why. Their arguments are parsed all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

SIDE = 32
"""Pixels per side of the pictures on the stage."""

_STEPS: dict[str, Any] = {
    "estimation_cfg": {"n_samples": 8},
    "attribution_cfg": {
        "feat_iba": {"opt_steps": 2, "batch_size": 2},
        "input_iba": {"opt_steps": 2, "batch_size": 2},
    },
}


def _pictures(side: int) -> dict[str, Any]:
    pipeline = [
        {"type": "Resize", "height": side, "width": side},
        {"type": "Normalize"},
        {"type": "ToTensorV2"},
    ]
    return {"estimation": {"pipeline": pipeline}, "attribution": {"pipeline": pipeline}}


_VGG = {"source": "custom", "type": "NarrowVGG16", "pretrained": False, "_delete_": True}
_SAMPLES: dict[str, Any] = {
    **_STEPS,
    "data": {
        "estimation": {**_pictures(SIDE * 2)["estimation"], "n": 8},
        "attribution": {**_pictures(SIDE * 2)["attribution"], "names": ["coffee", "chelsea"]},
    },
}
_RESNET: dict[str, Any] = {**_STEPS, "attributor": {"classifier": {"width": 8}}}
CONFIGS: Mapping[str, dict[str, Any]] = {
    "samples.py": _SAMPLES,
    **{f"cifar10/resnet_cifar10_{part}.py": _RESNET for part in ("train", "val", "test", "grid")},
    "benchmark/cifar10.py": {
        "networks": [
            {
                "name": "ResNet-8, CIFAR-10",
                "config": "configs/cifar10/resnet_cifar10_test.py",
                "num_samples": 2,
                "scores_threshold": 0.0,
            }
        ]
    },
    "samples_amortised.py": _SAMPLES,
    "benchmark/samples.py": {
        "networks": [
            {
                "name": "Lite0",
                "config": "configs/samples.py",
                "methods": ["input_iba", "random"],
                "metrics": [{"type": "insertion_deletion", "pixel_batch_size": 1024}],
                "scores_threshold": 0.0,
            }
        ]
    },
    "vgg_imagenet.py": {**_STEPS, "data": _pictures(SIDE), "attributor": {"classifier": _VGG}},
    "efficientnet_lite0_imagenet.py": {**_STEPS, "data": _pictures(SIDE * 2)},
    "efficientnet_lite0_tiny_imagenet.py": {**_STEPS, "data": _pictures(SIDE * 2)},
    "known/planted_patch.py": {
        **_STEPS,
        "data": {"estimation": {"dataset": {"n": 40}}, "attribution": {"dataset": {"n": 5}}},
    },
    "deep_lstm.py": {**_STEPS, "attributor": {"classifier": {"vocab_size": 10}}},
    "vibi/cifar10_rationale_k16.py": {"data": {"size": 32}},
    "vibi/cifar10_rationale_k24.py": {"data": {"size": 32}},
    "minilm_imdb.py": {
        **_STEPS,
        "attributor": {"layer": "encoder.encoder.layer.0", "classifier": {"folder": "bert"}},
        "data": {"estimation": {"max_length": 40}, "attribution": {"max_length": 40}},
    },
    "cifar10/vit_cifar10_test.py": {
        **_STEPS,
        "attributor": {"layer": "blocks.0", "classifier": {"depth": 2, "embed_dim": 16}},
    },
    "vibi/imdb_word_k5.py": {"black_box": {"classifier": {"vocab_size": 10}}},
    # The stage's reviews have no full stops.
    "vibi/imdb_sentence_k1.py": {
        "black_box": {"classifier": {"vocab_size": 10}},
        "texts": {"chunks": "five_words"},
    },
}
"""By the name of a config: values put over its own. All others are used as they are."""

_ANY = "--scores-threshold 0"  # networks of random weights are sure of nothing
_SETS = "--log-n-ticks 1.5 --num-masks 3"
_STEP = "--pixel-batch-size 256"
_BRIEFLY = "data.num_train=40 data.num_test=20 black_box.epochs=1 training.epochs=1"
_SMALL_GAN = " ".join(
    f"attribution_cfg.gan.{key}={value}"
    for key, value in {
        "dataset_size": 4,
        "sub_dataset_size": 2,
        "batch_size": 2,
        "epochs": 1,
    }.items()
)
_RUN = "--num-samples 2"

APPENDED: Mapping[str, str] = {
    "--preset paper": f"--cfg-options {_SMALL_GAN}",
    "--weights my.pt": "--preset instant --cfg-options estimation_cfg.n_samples=8",
    "input-iba train explainer": "--epochs 1 --num-samples 8",
    "tools/vision/train_baseline.py": "--precision fp32",
    "tools/vision/train_classifier.py": "--epochs 1",
    "tools/vision/insertion_deletion.py": f"{_ANY} {_STEP} --num-samples 2",
    "tools/vision/evaluate_ehr.py": f"{_ANY} --num-samples 2",
    "tools/vision/localisation.py": f"{_ANY} --num-samples 2",
    "tools/vision/degradation.py": f"{_ANY} --num-samples 2",
    "tools/vision/sensitivity_n.py": f"{_ANY} {_SETS} --num-samples 2",
    "tools/vision/sanity_check.py": f"{_ANY} --layers _fc",
    "tools/nlp/train_classifier.py": "--epochs 1",
    "tools/nlp/train_nlp.py": "--samples-per-batch 8",
    "tools/nlp/train_baseline.py": _RUN,
    "tools/nlp/nlp_insertion_deletion.py": f"{_ANY} --num-samples 2",
    "tools/nlp/nlp_sensitivity_n.py": f"{_ANY} {_SETS} --num-samples 2",
    "tools/vibi/train.py": f"--cfg-options {_BRIEFLY}",
    "tools/vibi/run_experiments.py": f"--cfg-options {_BRIEFLY}",
    "input-iba compare": f"{_ANY} {_STEP} {_SETS}",
    "input-iba recommend": (
        "--minutes 0.000001 --least-probable 0 --tried-samples 4 --held-out 4 --n-estimation 8"
    ),
}
"""By a part of a command: options put behind its own (before a lone `--`)."""

_INSTALLS = "installs packages, which needs the network"
NOT_RUN: Mapping[str, str] = {
    "input-iba app": "serves a page until it is interrupted; tests/app asks it",
    "python -m benchmarks.believe": "needs photographs in ImageNet's layout, and takes minutes",
    "input-iba benchmark efficientnet_lite0_imagenet": "takes hours",
    "input-iba benchmark reviews": "takes hours",
    "input-iba benchmark presets": "takes half an hour",
    "input-iba benchmark amortised": "takes half an hour, and needs an explainer",
    "input-iba train explainer efficientnet_lite0_imagenet": "takes a quarter of an hour",
    "input-iba benchmark eraser": "takes hours",
    "input-iba recommend configs/cifar10/vit_cifar10_train.py": "as that of the ResNet before it",
    "input-iba benchmark known": "takes half an hour",
    "input-iba evaluate absent_class efficientnet_lite0_imagenet_development": "takes minutes",
    "python tools/vibi/train.py --config configs/vibi/efficientnet_lite0_photographs_k98.py": (
        "needs photographs in ImageNet's layout, and takes minutes"
    ),
    "python -m benchmarks.vibi_chunks": "needs what a training of minutes left",
    "make demo": f"{_INSTALLS}; the command that it then runs is in docs/RUNNING.md, too",
    "make test": f"{_INSTALLS}; it runs these very tests",
    "make check": _INSTALLS,
    "pre-commit install": "writes into .git",
    "pip install": _INSTALLS,
    "cp examples/browser/index.html": "copies a file",
    "npm install": _INSTALLS,
    "python -m http.server": "runs until it is stopped; tests/documents/test_in_browser.py serves",
    "input-iba attribute samples --store shards --store-at": (
        "needs a store of objects; tests/results/test_shards.py starts one"
    ),
    "input-iba attribute samples --launcher ray": "takes half a minute; tests/cli/test_on_ray.py",
    "srun": "needs Slurm; tests/cli/test_launchers.py starts processes as srun does",
}
"""By the beginning of a command: why it is not executed."""


class NarrowVGG16(nn.Module):
    """The layers of VGG16 under its names, with an eighth of the channels."""

    def __init__(self, num_classes: int = 1000) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for width, count in ((8, 2), (16, 2), (32, 3), (64, 3), (64, 3)):
            for _ in range(count):
                layers += [nn.Conv2d(before, width, 3, padding=1), nn.ReLU()]
                before = width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(before, num_classes)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits (B, classes) of images (B, 3, H, W)."""
        logits: Tensor = self.classifier(self.avgpool(self.features(inputs)).flatten(1))
        return logits
