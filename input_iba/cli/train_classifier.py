"""The command that trains a config's classifier."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from input_iba.cli.arguments import add_config
from input_iba.cli.main import run_command


def main(argv: Sequence[str] | None = None) -> int:
    """Train the classifier of a config; return the exit status."""
    parser = argparse.ArgumentParser(
        description="Train the classifier of a config on data.estimation, keep the epoch that is "
        "best on 5 % held-out pictures, and test it on data.attribution. The checkpoint goes "
        "where attributor.classifier.pretrained points."
    )
    add_config(parser)
    parser.add_argument(
        "--work-dir",
        type=Path,
        metavar="DIR",
        help="folder of log and resumable state (default: workdirs/train_<name of the config>)",
    )
    parser.add_argument("--train-root", type=Path, metavar="DIR", help="folder of training data")
    parser.add_argument("--test-root", type=Path, metavar="DIR", help="folder of test data")
    parser.add_argument("--epochs", type=int, default=10, metavar="N", help="default: 10")
    parser.add_argument(
        "--lr",
        type=float,
        metavar="X",
        help="peak learning rate (default: 0.1 with batch normalisation, 0.02 without)",
    )
    parser.add_argument("--batch-size", type=int, default=128, metavar="N", help="default: 128")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="default: 0")
    parser.add_argument(
        "--device", default="auto", metavar="{auto,cpu,cuda[:i],mps}", help="default: auto"
    )
    parser.add_argument(
        "--precision", choices=("auto", "fp32", "bf16"), default="auto", help="default: auto"
    )
    parser.add_argument("--resume", action="store_true", help="continue after the last whole epoch")
    parser.set_defaults(command=_train)
    return run_command(parser, argv)


def _train(arguments: argparse.Namespace) -> int:
    # Imported here, so that --help and typing errors answer at once.
    from input_iba.engine.config import load_config
    from input_iba.engine.training_run import TrainingOptions, run_training
    from input_iba.models.training import TrainingSettings

    config = load_config(arguments.config, arguments.cfg_options)
    result = run_training(
        config,
        TrainingSettings(
            epochs=arguments.epochs,
            lr=arguments.lr,
            batch_size=arguments.batch_size,
            seed=arguments.seed,
        ),
        TrainingOptions(
            work_dir=arguments.work_dir or Path("workdirs") / f"train_{arguments.config.stem}",
            train_root=arguments.train_root,
            test_root=arguments.test_root,
            device=arguments.device,
            precision=arguments.precision,
            resume=arguments.resume,
        ),
    )
    test = "" if result.test is None else f", on the test set {result.test:.2%}"
    print(f"Accuracy on held-out pictures {result.validation:.2%}{test}: {result.checkpoint}")
    return 0
