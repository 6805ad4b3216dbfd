"""Arguments that commands share."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from input_iba.config.presets import PRESETS


class OverrideAction(argparse.Action):
    """Reads `a.b=c` pairs as mmengine does, and says what is wrong with a malformed one."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        """Add the pairs to the namespace."""
        for pair in values or []:
            key, equals, _ = pair.partition("=")
            if not equals or not all(key.split(".")):
                parser.error(f"{option_string}: expected KEY=VALUE, as in a.b=3; got {pair!r}")
        # Imported here, because --help and typing errors need none of it.
        from mmengine.config import DictAction

        try:
            DictAction(self.option_strings, self.dest)(parser, namespace, values, option_string)
        except AssertionError as error:
            parser.error(f"{option_string}: {error}")


CONFIG_HELP = "config: a file, or a name that `input-iba configs` lists"


def add_config(parser: argparse.ArgumentParser, instead_of: str = "") -> None:
    """Add the config and its overrides; `instead_of` names an option that makes it needless."""
    parser.add_argument(
        "config",
        metavar="CONFIG",
        type=Path,
        nargs="?" if instead_of else None,
        help=CONFIG_HELP + (f"; in place of {instead_of}" if instead_of else ""),
    )
    add_cfg_options(parser)


def add_cfg_options(parser: argparse.ArgumentParser) -> None:
    """Add overrides of a config's keys."""
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        action=OverrideAction,
        default={},
        metavar="KEY=VALUE",
        help="override config keys: attribution_cfg.input_iba.beta=30 "
        "attributor.layer=features.10; lists as KEY=[a,b] without spaces",
    )


def add_preset(parser: argparse.ArgumentParser) -> None:
    """Add the parameters beneath the config's own."""
    parser.add_argument(
        "--preset",
        choices=PRESETS,
        help="parameters of the method instead of those that the config inherits: paper is as "
        "published, fast costs far less. What a config writes itself counts with either",
    )


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Add where to write, on what to compute, and what to explain."""
    parser.add_argument(
        "--work-dir",
        type=Path,
        metavar="DIR",
        help="folder for masks, log and records (default: workdirs/<name of the config>)",
    )
    add_device(parser)
    parser.add_argument(
        "--samples-per-batch",
        type=_samples_per_batch,
        metavar="{N,auto}",
        help="samples explained at once; auto takes what is likely to fit. Whatever is asked for "
        "is halved when memory runs out (default: data.data_loader.batch_size of the config)",
    )
    parser.add_argument(
        "--internal-batch-size",
        type=_count,
        metavar="N",
        help="most rows that the classifier sees at once, which bounds memory; the same as "
        "attribution_cfg.internal_batch_size",
    )
    add_seed(parser)
    parser.add_argument(
        "--out-style",
        choices=("single_folder", "image_folder"),
        default="single_folder",
        help="all masks in one folder, or one sub-folder per class (default: single_folder)",
    )
    parser.add_argument(
        "--subset-file",
        type=Path,
        metavar="FILE",
        help="text file with one sample id per line, or one place in the data set, from 0; only "
        "these are explained",
    )
    parser.add_argument(
        "--num-samples",
        type=whole,
        default=0,
        metavar="N",
        help="explain N samples drawn at random by --seed, those that the evaluation commands "
        "draw with the same N and seed; 0 for all (default: 0)",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="continue the run in the work directory: finished samples are kept, failed ones "
        "are tried again; refused when the config or another setting of masks changed",
    )
    add_pbar(parser)


def add_device(parser: argparse.ArgumentParser, precision: str = "auto") -> None:
    """Add on what to compute, and in which number format; `precision` is the default."""
    parser.add_argument(
        "--device",
        default="auto",
        metavar="{auto,cpu,cuda[:i],mps}",
        help="where to compute; auto takes an NVIDIA GPU where there is one (default: auto)",
    )
    parser.add_argument(
        "--gpu-id",
        type=int,
        metavar="I",
        help="index of the GPU; without a GPU the CPU is used, with a warning",
    )
    parser.add_argument(
        "--precision",
        choices=("auto", "fp32", "bf16"),
        default=precision,
        help="number format of the classifier; masks are always computed in fp32. auto takes "
        f"bf16 where the hardware has it (default: {precision})",
    )


def add_seed(parser: argparse.ArgumentParser) -> None:
    """Add the seed of all noise."""
    parser.add_argument(
        "--seed", type=_seed, default=0, metavar="N", help="seed of all noise (default: 0)"
    )


def add_pbar(parser: argparse.ArgumentParser) -> None:
    """Add whether to show a progress bar."""
    parser.add_argument(
        "--pbar",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="show a progress bar (default: on a terminal only)",
    )


def add_launcher(parser: argparse.ArgumentParser) -> None:
    """Add what started the processes of a run."""
    parser.add_argument(
        "--launcher",
        choices=("none", "pytorch", "slurm"),
        default="none",
        help="what started several processes that share the samples: torchrun (pytorch) or srun "
        "(slurm); each computes on a GPU of its own where there are any (default: none)",
    )
    # Older launchers pass it; newer ones set a variable, which is read.
    parser.add_argument("--local-rank", "--local_rank", type=int, help=argparse.SUPPRESS)


def _count(text: str, otherwise: str = "") -> int:
    """Read a number of things."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(
            f"expected a number of at least 1{otherwise}, got {text!r}"
        )
    return int(text)


def whole(text: str) -> int:
    """Read a number of things that may be 0."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 0, got {text!r}")
    return int(text)


def _samples_per_batch(text: str) -> int | str:
    """Read a number of samples, or 'auto'."""
    return text if text == "auto" else _count(text, " or 'auto'")


def _seed(text: str) -> int:
    """Read a seed that every generator accepts."""
    value = int(text)
    if not 0 <= value < 2**63:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 2**63 - 1, got {text}")
    return value
