"""Questions of every kind through the three stages and other methods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from input_iba import (
    BoxTarget,
    ContrastTarget,
    EmbeddingTarget,
    GenerationTarget,
    InputIBA,
    MultiLabelTarget,
    RegressionTarget,
    SegmentTarget,
)
from input_iba.attribution import FeatureIBA, InputBottleneck, Preset, SaliencyPrior
from input_iba.attribution.methods import IntegratedGradients, MethodAttributor, Occlusion
from input_iba.core.targets import Target
from input_iba.errors import AttributionError, InputIBAError
from input_iba.records import Attribution, Explanation
from tests.attribution.objects import (
    GREEN,
    RED,
    Detector,
    PairClassifier,
    Regressor,
    Segmenter,
    squares,
)
from tests.conftest import Unchanged

SHORT = Preset(
    FeatureIBA(opt_steps=3, batch_size=4),
    SaliencyPrior(),
    InputBottleneck(opt_steps=3, batch_size=4),
    n_samples=32,
)
Made = tuple[Callable[[], nn.Module], Target, str]


class Encoder(Regressor):
    def forward(self, x: Tensor) -> Any:
        """Return what encoders of `transformers` do."""
        return {"pooler_output": self.trunk(x).mean((2, 3))}


FAMILIES: dict[str, Made] = {
    "contrast": (PairClassifier, ContrastTarget(), "class 0 rather than class"),
    "several": (PairClassifier, MultiLabelTarget(), "class 0 and class 1 and class 2"),
    "segment": (Segmenter, SegmentTarget(1), "segment of class 1"),
    "region": (Segmenter, SegmentTarget(2, (2, 2, 12, 12)), "class 2 in a region"),
    "box": (Detector, BoxTarget(), "class 0 in box"),
    "value": (Regressor, RegressionTarget(0.1), "value"),
    "embedding": (Encoder, EmbeddingTarget(), "its own embedding"),
}


def images(count: int, seed: int = 0) -> Tensor:
    return squares(count, [RED, GREEN], seed)[0]


def network(make: Callable[[], nn.Module]) -> nn.Module:
    torch.manual_seed(0)
    return make()


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> tuple[nn.Module, Target, str]:
    make, target, name = FAMILIES[request.param]
    return network(make), target, name


def test_questions_are_named_measured_and_asked_together(
    family: tuple[nn.Module, Target, str], unchanged: Unchanged
) -> None:
    net, target, name = family
    layer = "trunk.1" if not isinstance(net, PairClassifier) else "trunk.0"
    net = net.double()  # or rounding, which differs with the batch, would take Adam elsewhere
    with unchanged(net):
        iba = InputIBA(net, layer, preset=SHORT, precision="fp32").fit(images(32, 1).double())
        together = iba.attribute(images(3).double(), target, ids=["a", "b", "c"])
    for place, found in enumerate(together):
        assert isinstance(found, Attribution)
        assert found.asked.startswith(name)
        assert found.title().startswith(found.asked)
        assert 0 <= found.target_probability <= 1
        assert found.target is None
        assert (found.prediction is None) == (not target.reads_classes)
        alone = iba.attribute(images(3).double()[place], target, ids=["abc"[place]])[0]
        torch.testing.assert_close(found.map, alone.map, rtol=1e-5, atol=1e-7)
        assert found.asked == alone.asked


def test_an_interruption_leaves_the_model_as_it_was(
    family: tuple[nn.Module, Target, str], unchanged: Unchanged
) -> None:
    net, target, _ = family
    iba = InputIBA(net, "trunk.0", preset=SHORT).fit(images(16, 1))

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with unchanged(net), pytest.raises(KeyboardInterrupt):
        iba.attribute(images(1), target, progress=stop)


def test_what_is_not_asked_is_suggested_by_the_output() -> None:
    suggested: dict[Callable[[], nn.Module], str] = {
        Segmenter: "segment of",
        Detector: "class 0 in box",
        Encoder: "its own embedding",
    }
    for make, name in suggested.items():
        net = network(make)
        found = InputIBA(net, "trunk.1", preset=SHORT).fit(images(16, 1)).attribute(images(1))[0]
        assert found.asked.startswith(name)
    iba = InputIBA(network(Segmenter), "trunk.1", preset=SHORT).fit(images(16, 1))
    assert "class 2" in iba.attribute(images(2), [2, None])[0].asked
    iba = InputIBA(network(Regressor), "trunk.1").fit(images(16, 1))
    with pytest.raises(AttributionError, match="RegressionTarget"):
        iba.attribute(images(1))


def test_the_embedding_of_another_input_is_a_reference() -> None:
    iba = InputIBA(network(Encoder), "trunk.1", preset=SHORT).fit(images(16, 1))
    other = iba.embed(images(2, 9))
    assert other.shape == (2, 24)
    found = iba.attribute(images(1), EmbeddingTarget(other[1]))[0]
    own = iba.embed(images(1))[0]
    cosine = torch.nn.functional.cosine_similarity(own, other[1], dim=0).item()
    assert found.target_probability == pytest.approx(cosine, abs=1e-3)


def test_other_methods_answer_questions_too(unchanged: Unchanged) -> None:
    net = network(Segmenter)
    target = SegmentTarget(1, (4, 4, 12, 12))
    for method in (IntegratedGradients(n_steps=4), Occlusion()):
        attributor = MethodAttributor(net, method)
        with unchanged(net):
            [found] = attributor.attribute(images(1), target)
        assert isinstance(found, Explanation)
        assert found.asked == "class 1 in a region"
        heat = found.map.abs()
        near = heat[:16, :16].sum() / heat.sum()  # what the region can see
        assert near > 0.9, method.name


def test_a_class_that_is_not_there_is_warned_of() -> None:
    net = PairClassifier().eval()
    iba = InputIBA(net, "trunk.0").fit(images(64, 1))
    with torch.no_grad():
        net.head.bias[2] = -20.0
    found = iba.attribute(images(1), 2)[0]
    assert found.warning.startswith("not met: < 0.1 % on the unchanged input")
    assert found.warning in found.title()
    met = iba.attribute(images(1), 0)[0]
    assert met.warning == ""


def test_a_loss_that_does_not_react_is_warned_of() -> None:
    net = PairClassifier().eval()
    with torch.no_grad():
        net.head.weight.mul_(1e-4)
        net.head.bias[0] = 1.0
    found = InputIBA(net, "trunk.0").fit(images(64, 1)).attribute(images(1), 0)[0]
    assert found.warning == "the target's loss does not react to noise"


def test_hidden_states_beside_scores_do_not_hide_them() -> None:
    class Both(Encoder):
        def forward(self, x: Tensor) -> Any:
            states = self.trunk(x)
            return {"last_hidden_state": states, "scores": self.head(states.mean((2, 3)))}

    iba = InputIBA(network(Both), "trunk.1", preset=SHORT).fit(images(16, 1))
    found = iba.attribute(images(1))[0]
    assert (found.asked, found.target) == ("", found.prediction)
    assert iba.attribute(images(1), 1)[0].target == 1


@pytest.mark.parametrize(
    ("make", "target", "said"),
    [
        (PairClassifier, SegmentTarget(1), "SegmentTarget expects dense logits"),
        (Encoder, 3, "Target 3 is a class, and the model's output has none: it suggests Embed"),
        (Segmenter, 7, "Target class 7 does not exist: the classifier has classes 0 to 2"),
        (PairClassifier, [SegmentTarget(1), 1], "cannot be asked in one call"),
        (PairClassifier, ContrastTarget("cow"), "Target class 'cow' does not exist"),
    ],
)
def test_a_question_that_does_not_fit_is_refused(
    make: Callable[[], nn.Module], target: Any, said: str
) -> None:
    iba = InputIBA(network(make), "trunk.0").fit(images(16, 1))
    with pytest.raises(InputIBAError, match=said):
        iba.attribute(images(2), target)


def test_several_questions_are_asked_of_every_input() -> None:
    net = PairClassifier().eval()
    iba = InputIBA(net, "trunk.0", preset=SHORT, precision="fp32").fit(images(32, 1))
    found = iba.attribute(images(2), targets=[0, ContrastTarget(0, 1)], ids=["a", "b"])
    assert [record.id for record in found] == ["a_0", "a_1", "b_0", "b_1"]
    assert [record.asked for record in found] == ["", "class 0 rather than class 1"] * 2
    alone = iba.attribute(images(2)[1], 0, ids=["b_0"])[0]
    torch.testing.assert_close(found[2].map, alone.map, rtol=1e-3, atol=1e-5)
    with pytest.raises(InputIBAError, match="targets= are several questions"):
        iba.attribute(images(2), targets=3)  # type: ignore[arg-type]
    with pytest.raises(InputIBAError, match="each is an input of its own"):
        iba.attribute(images(2), targets=[GenerationTarget("yes"), GenerationTarget("no")])
