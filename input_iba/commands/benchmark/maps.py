"""The maps of a network: each method explains in a work directory of its own, and once."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from input_iba.commands.benchmark.options import BenchmarkOptions
from input_iba.commands.benchmark.suite import Explaining, Network
from input_iba.commands.explain.run import run_attribution
from input_iba.config.build import Explainer, build_attributor
from input_iba.config.load import RunConfig
from input_iba.core.explainable import bare
from input_iba.core.files import read_json
from input_iba.results import Manifest, RecordLog, write_json
from input_iba.results.checked import checked
from input_iba.run.options import RunOptions


@dataclass
class Passes:
    """Rows that came out of a classifier's end, and gradients that went in, over some samples."""

    forward: int = 0
    backward: int = 0
    samples: int = 0

    def counting(self, classifier: nn.Module) -> None:
        """Count from now on what a classifier does.

        A pass that ends at a layer does not count, one that begins there counts as a whole.
        """

        def backward(gradient: Tensor) -> None:
            self.backward += len(gradient)

        def forward(_module: nn.Module, _arguments: object, output: Any) -> None:
            logits = next((x for x in tree_leaves(output) if isinstance(x, Tensor)), None)
            if logits is not None and logits.ndim > 0:
                self.forward += len(logits)
                if logits.requires_grad:
                    logits.register_hook(backward)  # type: ignore[no-untyped-call]

        bare(classifier).register_forward_hook(forward)


def passes_path(root: Path) -> Path:
    """Return where the passes of a work directory are kept: beside it."""
    return root.with_name(f"{root.name}.passes.json")


def read_passes(root: Path) -> Passes:
    """Return what was counted in a work directory so far."""
    try:
        return checked(Passes, read_json(passes_path(root)))
    except (OSError, ValueError, TypeError):
        return Passes()


def explain(
    network: Network, method: Explaining, root: Path, options: BenchmarkOptions
) -> tuple[int, int]:
    """Explain what is left of a network's samples in a work directory.

    Returns:
        How many samples are explained and how many failed, in all.

    Raises:
        InputIBAError: Nothing could be started, or it was made with other settings.
    """
    if count := _finished(root, network, method, options):
        return count, 0
    passes, before = read_passes(root), _done(root)

    def make(
        config: RunConfig, classifier: nn.Module, device: torch.device, autocast: torch.dtype | None
    ) -> Explainer:
        explainer = build_attributor(config, classifier, device, autocast)
        passes.counting(classifier)
        return explainer

    keys = network.keys
    of_run = RunOptions(
        work_dir=root,
        subset_file=keys.subset_file,
        num_samples=keys.num_samples,
        samples_per_batch=options.samples_per_batch,
        resume=True,
        **shared(options),
    )
    try:
        result = run_attribution(method.config, of_run, make)
    finally:
        passes.samples += _done(root) - before
        if passes.samples:
            write_json(passes_path(root), asdict(passes))
    return result.done, result.failed


def shared(options: BenchmarkOptions) -> dict[str, Any]:
    """Return what explaining and scoring have in common."""
    names = ("device", "gpu_id", "precision", "seed", "progress_bar")
    return {name: getattr(options, name) for name in names}


def _finished(root: Path, network: Network, method: Explaining, options: BenchmarkOptions) -> int:
    """Return how many samples a finished run explained; 0 where something may be left or differ.

    So that what is finished need not be built again in order to find that out.
    """
    file, subset = root / "manifest.json", network.keys.subset_file
    if not file.is_file():
        return 0
    found = Manifest.read(file)
    wanted = {
        "subset_file": None if subset is None else str(subset),
        "num_samples": network.keys.num_samples,
    }
    same = (
        found.complete
        and found.identity.config == method.config.digest()
        and found.identity.seed == options.seed
        and all(found.options.get(key) == value for key, value in wanted.items())
        and (subset is None or subset.stat().st_mtime <= file.stat().st_mtime)
    )
    return found.done if same and _done(root) == found.samples else 0


def _done(root: Path) -> int:
    records = RecordLog(root / "records.jsonl").load().values()
    return sum(record.status == "done" for record in records)
