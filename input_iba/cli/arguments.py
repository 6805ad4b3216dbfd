"""Arguments that commands share."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any


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
