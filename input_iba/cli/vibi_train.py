"""The command `input-iba vibi train`: train explainers, VIBI and L2X."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from input_iba.cli.arguments import CONFIG_HELP, add_cfg_options, add_device, add_seed
from input_iba.cli.run import print_text

if TYPE_CHECKING:
    from input_iba.vibi.commands.config import VibiConfig

KEYS = {
    "dataset": "data.dataset",
    "data_root": "data.root",
    "num_epochs": "training.epochs",
    "explainer_type": "explainer.type",
    "explainer_size": "explainer.size",
    "approximator_size": "approximator.size",
    "explainer_start": "explainer.start",
    "approximator_start": "approximator.start",
    "xpl_channels": "explainer.channels",
    "chunk_size": "explainer.chunk_size",
    "k": "explainer.k",
    "beta": "training.beta",
    "num_samples": "training.num_samples",
    "black_box_weight": "training.black_box_weight",
    "black_box_hidden_chunks": "black_box.hidden_chunks",
}
"""Options to the config keys that they override."""

DESCRIPTION = (
    "Train an explainer that chooses k chunks of a picture, and an approximator that predicts the "
    "black box from them (VIBI; beta 0 is L2X). The black box is trained first, unless its "
    "checkpoint exists."
)

STATUS_HELP = (
    "exit status: 0 done, 1 the training failed, 2 the config or an option is wrong, 130 "
    "interrupted: --resume_training continues"
)


def set_up(parser: argparse.ArgumentParser) -> None:
    """Add all arguments of the command."""
    parser.description, parser.epilog = DESCRIPTION, STATUS_HELP
    parser.add_argument("--config", type=Path, metavar="CONFIG", help=f"{CONFIG_HELP}, below vibi/")
    add_cfg_options(parser)
    _add_published(parser)
    _add_further(parser)
    add_seed(parser)
    add_device(parser)
    parser.set_defaults(command=_train)


def _add_published(parser: argparse.ArgumentParser) -> None:
    """Add the options of the published script."""
    group = parser.add_argument_group("setting; each overrides the config")
    group.add_argument(
        "--dataset",
        choices=("MNIST", "CIFAR10", "FashionMNIST", "ImageFolder", "IMDB"),
        help="which data",
    )
    _add(group, "num_epochs", int, "N", "passes of explainer and approximator over the data")
    group.add_argument(
        *("--explainer_type", "--explainer-type"),
        choices=("Unet", "ResNet_2x", "ResNet_4x", "ResNet_8x"),
        help="which explainer; its chunks are 1, 2, 4 and 8 pixels wide",
    )
    group.add_argument(
        *("--xpl_channels", "--xpl-channels"),
        type=int,
        choices=(1, 3),
        help="1 for chunks of all colours at once, 3 for chunks of each colour channel",
    )
    _add(group, "k", int, "K", "chunks to show")
    _add(group, "beta", float, "BETA", "beta in the objective I(y,t) - beta I(x,t); 0 is L2X")
    _add(group, "num_samples", int, "N", "draws of masks per picture, for the mean over p(t|x)")
    group = parser.add_argument_group("run")
    group.add_argument("--cuda", action="store_true", help="the same as --device cuda")
    _flag(group, "resume_training", "continue after the last whole epoch")
    _flag(group, "save_best", "keep only the best checkpoint once the training is complete")
    _flag(group, "save_images_every_epoch", "draw explanations after every epoch")
    group.add_argument(
        *("--jump_start", "--jump-start"),
        nargs="?",
        const=True,
        metavar="CHECKPOINT",
        help="start from a checkpoint; without a name from the best one of the same setting "
        "with beta 0",
    )


def _add_further(parser: argparse.ArgumentParser) -> None:
    """Add the options that the published script has not."""
    group = parser.add_argument_group("further settings; each overrides the config")
    _add(group, "data_root", str, "DIR", "folder of the data (default: data)")
    _add(group, "chunk_size", int, "PIXELS", "side of a chunk, if larger than the explainer's own")
    for name in ("explainer", "approximator"):
        group.add_argument(
            *(f"--{name}_size", f"--{name}-size"),
            choices=("small", "published"),
            help=f"width and depth of the {name}",
        )
        group.add_argument(
            *(f"--{name}_start", f"--{name}-start"),
            choices=("random", "black_box"),
            help=f"black_box: the {name} starts as a copy of the black box",
        )
    what = "weight of the black box's own cross-entropy on the chunks that are shown"
    _add(group, "black_box_weight", float, "X", what)
    what = "share of the pictures that the black box is trained on with chunks hidden at random"
    _add(group, "black_box_hidden_chunks", float, "SHARE", what)
    group.add_argument(
        *("--work-dir", "--work_dir"),
        type=Path,
        metavar="DIR",
        help="folder for checkpoints, metrics and pictures (default: workdirs/vibi/<setting>)",
    )


def _add(group: Any, name: str, kind: type, metavar: str, text: str) -> None:
    names = dict.fromkeys((f"--{name}", f"--{name.replace('_', '-')}"))
    group.add_argument(*names, type=kind, metavar=metavar, help=text)


def _flag(group: Any, name: str, text: str) -> None:
    group.add_argument(f"--{name}", f"--{name.replace('_', '-')}", action="store_true", help=text)


def _train(arguments: argparse.Namespace) -> int:
    # Imported here, so that --help and typing errors answer at once.
    from input_iba.vibi.commands.config import load_vibi_config
    from input_iba.vibi.commands.options import VibiOptions
    from input_iba.vibi.commands.run import run_vibi

    given = {key: getattr(arguments, name) for name, key in KEYS.items()}
    overrides = arguments.cfg_options | {k: v for k, v in given.items() if v is not None}
    config = load_vibi_config(arguments.config, overrides)
    result = run_vibi(
        config,
        VibiOptions(
            work_dir=arguments.work_dir,
            device="cuda" if arguments.cuda else arguments.device,
            gpu_id=arguments.gpu_id,
            precision=arguments.precision,
            seed=arguments.seed,
            resume=arguments.resume_training,
            save_best=arguments.save_best,
            save_images_every_epoch=arguments.save_images_every_epoch,
            jump_start=_jump_start(arguments.jump_start, config, arguments.work_dir),
        ),
    )
    print_text(
        f"Approximator fidelity {result.test.approximator:.2%}, rationale fidelity "
        f"{result.test.rationale:.2%} on {result.test.samples} test samples; black box accuracy "
        f"{result.black_box_accuracy:.2%}; {result.seconds:.0f} s: {result.work_dir}"
    )
    return 0


def _jump_start(given: str | bool | None, config: VibiConfig, work_dir: Path | None) -> Path | None:
    from input_iba.vibi.commands.run import without_beta

    if given is True:
        return without_beta(config, work_dir)
    return None if given is None else Path(str(given))
