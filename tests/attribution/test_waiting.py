"""While masks are optimised nobody waits for the device: no number is read in any step."""

from __future__ import annotations

import linecache
from collections import Counter
from collections.abc import Mapping

import pytest
import torch
from torch import Tensor, nn

from benchmarks.waits import PACKAGE, waits
from input_iba.attribution import Attributor, FeatureIBA, InputBottleneck, WGANPrior
from input_iba.attribution.priors import Prior, SaliencyPrior, SlicedWassersteinPrior
from input_iba.modality.tokenizers import modality_of
from tests.attribution.nets import inputs, small_net
from tests.models.tiny_bert import tiny_bert, tokenizer

STEPS = (3, 7)


def prior_of(name: str, steps: int) -> Prior:
    if name == "saliency":
        return SaliencyPrior(low=0.25, high=0.75)
    if name == "wgan":
        return WGANPrior(epochs=steps, dataset_size=8, batch_size=4, sub_dataset_size=4)
    return SlicedWassersteinPrior(steps=steps, dataset_size=8, batch_size=4)


def counted(attributor: Attributor, x: Tensor) -> Mapping[str, int]:
    attributor.attribute(x)  # the first looks at the model
    with waits() as found:
        attributor.attribute(x, progress=lambda *_: None)
    return found.at


@pytest.mark.parametrize("noise", ["fresh", "antithetic"])
@pytest.mark.parametrize("prior", ["saliency", "wgan", "sliced"])
def test_more_steps_on_images_wait_no_oftener(prior: str, noise: str) -> None:
    at = []
    for steps in STEPS:
        attributor = Attributor(
            small_net(),
            "4",
            feature_iba=FeatureIBA(batch_size=3, opt_steps=steps, noise=noise),
            prior=prior_of(prior, steps),
            input_iba=InputBottleneck(batch_size=3, opt_steps=steps, noise=noise),
        )
        attributor.estimate([inputs(20) + 0.1])
        at.append(counted(attributor, inputs(2)))
    assert at[0] == at[1]
    assert at[0]  # of a batch the results are read, so that something is counted at all


def test_more_steps_on_texts_wait_no_oftener() -> None:
    at = []
    for steps in STEPS:
        attributor = Attributor(
            tiny_bert().eval(),
            "bert.encoder.layer.0",
            feature_iba=FeatureIBA(batch_size=3, opt_steps=steps, sigma=0),
            prior=SaliencyPrior(low=0.25, high=0.75),
            input_iba=InputBottleneck(batch_size=3, opt_steps=steps, sigma=0, relative_noise=True),
            modality=modality_of(tokenizer()),
        )
        texts = torch.tensor(tokenizer()(["a great film", "so dull and"] * 6)["input_ids"])
        attributor.estimate([texts])
        found = counted(attributor, texts[:2])
        # How long texts are is known on the processor.
        at.append({line: n for line, n in found.items() if "lengths" not in source(line)})
    assert at[0] == at[1]


def source(line: str) -> str:
    file, _, number = line.rpartition(":")
    return linecache.getline(f"{PACKAGE}/{file}", int(number))


def test_who_asks_for_losses_waits_for_them() -> None:
    attributor = Attributor(small_net(), "4", prior=SaliencyPrior(low=0.25, high=0.75))
    attributor.estimate([inputs(20) + 0.1])
    seen: list[dict[str, float]] = []
    with waits() as found:
        attributor.attribute(inputs(1), progress=lambda *told: seen.append(dict(told[3])))
    assert seen[0].keys() == {"target", "information"}
    assert sum(n for line, n in found.at.items() if "optimise" in line) >= 2 * len(seen)


def test_what_would_wait_is_counted_where_it_stands() -> None:
    class Reads(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x[x > 0]

    with waits() as found:
        Reads()(torch.ones(3)).tolist()
    assert found.at == Counter()  # by no line of the package
