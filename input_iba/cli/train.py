"""The commands `input-iba train vision` and `input-iba train nlp`: train a classifier."""

from __future__ import annotations

import argparse
from pathlib import Path

from input_iba.cli.arguments import add_config, add_device, add_seed, whole
from input_iba.cli.run import print_text

DESCRIPTION = (
    "Train the classifier of a config on data.estimation, keep the epoch that is best on 5 % that "
    "are held out, and test it on data.attribution; of movie reviews both classes of both splits "
    "are taken. The checkpoint goes where attributor.classifier.pretrained points."
)


def set_up(parser: argparse.ArgumentParser) -> None:
    """Add all arguments of the command."""
    parser.description = DESCRIPTION
    add_config(parser)
    parser.add_argument(
        "--work-dir",
        type=Path,
        metavar="DIR",
        help="folder of log and resumable state (default: workdirs/train_<name of the config>)",
    )
    parser.add_argument("--train-root", type=Path, metavar="DIR", help="folder of training data")
    parser.add_argument("--test-root", type=Path, metavar="DIR", help="folder of test data")
    parser.add_argument(
        "--num-samples",
        type=whole,
        default=0,
        metavar="N",
        help="train on N samples drawn at random by --seed; 0 for all (default: 0)",
    )
    parser.add_argument(
        "--num-test-samples",
        type=whole,
        default=0,
        metavar="N",
        help="test on N samples drawn at random by --seed; 0 for all (default: 0)",
    )
    parser.add_argument(
        "--epochs", type=int, metavar="N", help="default: 10 for pictures, 5 for text"
    )
    parser.add_argument(
        "--lr",
        type=float,
        metavar="X",
        help="peak learning rate (default for pictures: 0.1 with batch normalisation, 0.001 for "
        "transformers, 0.02 for others; for text: 0.003, 0.0001 for transformers, 0.01 where only "
        "their last layer is trained)",
    )
    parser.add_argument(
        "--batch-size", type=int, metavar="N", help="default: 128 for pictures, 64 for text"
    )
    parser.add_argument(
        "--max-length",
        type=int,
        metavar="N",
        help="text only: longer texts are cut in training, to their last N tokens (default: 400), "
        "for transformers to N word pieces (default: the max_length of data.estimation)",
    )
    add_seed(parser)
    add_device(parser)
    parser.add_argument("--resume", action="store_true", help="continue after the last whole epoch")
    parser.set_defaults(command=_train)


def _train(arguments: argparse.Namespace) -> int:
    # Imported here, so that --help and typing errors answer at once.
    from input_iba.config.load import load_config
    from input_iba.training.data import training_settings
    from input_iba.training.run import run_training
    from input_iba.training.sets import TrainingOptions

    config = load_config(arguments.config, arguments.cfg_options)
    names = ("epochs", "lr", "batch_size", "max_length", "seed")
    given = {name: getattr(arguments, name) for name in names}
    settings = training_settings(config, {k: v for k, v in given.items() if v is not None})
    result = run_training(
        config,
        settings,
        TrainingOptions(
            work_dir=arguments.work_dir or Path("workdirs") / f"train_{arguments.config.stem}",
            train_root=arguments.train_root,
            test_root=arguments.test_root,
            num_samples=arguments.num_samples,
            num_test_samples=arguments.num_test_samples,
            device=arguments.device,
            gpu_id=arguments.gpu_id,
            precision=arguments.precision,
            resume=arguments.resume,
        ),
    )
    test = "" if result.test is None else f", on the test set {result.test:.2%}"
    print_text(f"Accuracy on what was held out {result.validation:.2%}{test}: {result.checkpoint}")
    return 0
