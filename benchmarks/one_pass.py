"""Time the maps of an explainer against the classifier's own forward pass, in turn.

    python -m benchmarks.one_pass [--model NAME] [--batch N] [--precision P] [--repeats N]

The explainer has learned nothing, which costs the same. Three things are timed on one batch of
images: the classifier as it is, the classifier made as cheap as it is while inputs are explained
(batch norms folded, weights in the precision of the run), and the whole call that explains.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import torch

from benchmarks.metric_cost import compare
from benchmarks.setups import CASES, from_name
from input_iba.attribution.amortised import build_explainer
from input_iba.attribution.methods import Amortised, MethodAttributor
from input_iba.core.classifier import Classifier
from input_iba.core.precision import choose_precision
from input_iba.core.tokens import NO_TOKENS
from input_iba.modality import VisionModality
from input_iba.run.device import keep_freed_memory


def main(arguments: Sequence[str] | None = None) -> None:
    """Print how many of the classifier's passes a map takes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.one_pass", description=__doc__)
    parser.add_argument("--model", default="efficientnet_lite0", choices=list(CASES))
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--precision", default="auto", choices=("auto", "fp32", "bf16"))
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args(arguments)
    keep_freed_memory()
    device = torch.device("cpu")
    setup = from_name(options.model, options.batch, device)
    images, autocast = setup.images[: options.batch], choose_precision(options.precision, device)
    classifier = Classifier(setup.model, autocast=autocast)
    explainer, _ = build_explainer(classifier, VisionModality(), images, NO_TOKENS)
    attributor = MethodAttributor(setup.model, Amortised(explainer), autocast=autocast)

    def explain() -> None:
        attributor.attribute(images)

    @torch.no_grad()
    def classify() -> None:
        classifier.logits(images)

    found = compare(explain, classify, options.repeats)
    with classifier.prepared(images[:1]):
        cheaper = compare(classify, lambda: None, options.repeats)["seconds"]
    print(
        f"{options.model}, {len(images)} at once, {options.precision}: {found['seconds']:.3f} s, "
        f"{found['ratio']:.2f} passes of the classifier as it is, "
        f"{found['seconds'] / cheaper:.2f} of it made cheaper"
    )


if __name__ == "__main__":
    main()
