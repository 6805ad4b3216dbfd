"""What holds for every method: one interface, batch invariance, the model's return, the object."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from input_iba.attribution import Attributor, FeatureIBA
from input_iba.attribution.methods import (
    IBA,
    ExtremalPerturbation,
    GradCam,
    KernelShap,
    Lime,
    MethodAttributor,
    Occlusion,
    Random,
    Rise,
)
from input_iba.cli.explain import METHODS
from input_iba.core.optimise import Progress
from input_iba.errors import AttributionError, LayerNotFoundError, MissingExtraError
from input_iba.records import Explanation, Failure
from input_iba.registry import BASELINES
from tests.attribution.methods.settings import ATTENTION, attributor, net_for, quick, samples
from tests.attribution.nets import PATCH, SIDE, PatchClassifier, pictures, small_net
from tests.conftest import Unchanged

LAYER = "4"
IDS = ["a", "b", "c"]
TARGETS = [0, 1, 2]
ALL = pytest.mark.parametrize("name", METHODS)


def small(name: str, net: nn.Module | None = None, **options: object) -> MethodAttributor:
    background = samples(6, seed=5) + 0.1
    return attributor(net or net_for(name), quick(LAYER)[name], background, **options)


def maps(found: Sequence[Explanation | Failure]) -> Tensor:
    masks = []
    for record in found:
        assert isinstance(record, Explanation), record
        masks.append(record.input_mask * record.peak)
    return torch.stack(masks)


def test_every_method_is_registered_under_the_name_that_the_command_lists() -> None:
    assert set(METHODS) == set(BASELINES.module_dict) == set(quick(LAYER))
    for name, kind in BASELINES.module_dict.items():
        assert kind.name == name
        assert isinstance(kind(), kind)  # every setting has a default


@ALL
def test_a_record_holds_a_map_in_range_and_what_was_explained(name: str) -> None:
    method = small(name)
    found = method.attribute(samples(3), TARGETS, ids=IDS, seed=4)
    logits = net_for(name).eval()(samples(3)).detach()
    for i, record in enumerate(found):
        assert isinstance(record, Explanation), record
        mask = record.input_mask
        assert mask.shape == (8, 8)
        assert mask.isfinite().all()
        assert float(mask.abs().max()) in (0.0, pytest.approx(1.0))
        assert method.method.signed or float(mask.min()) >= 0
        assert (record.id, record.target, record.seed) == (IDS[i], TARGETS[i], 4)
        assert record.prediction == int(logits[i].argmax())
        chance = float(logits[i].softmax(0)[TARGETS[i]])
        assert record.target_probability == pytest.approx(chance, abs=1e-6)
        assert list(record.seconds) == [name]


@ALL
@pytest.mark.parametrize("rows", [None, 1, 7])
def test_many_at_once_are_as_each_alone_in_any_order(name: str, rows: int | None) -> None:
    method = small(name)
    x = samples(3)
    together = maps(method.attribute(x, TARGETS, ids=IDS, internal_batch_size=rows))
    turned = method.attribute(x.flip(0), TARGETS[::-1], ids=IDS[::-1])
    torch.testing.assert_close(maps(turned).flip(0), together, rtol=1e-7, atol=1e-9)
    for i, sample_id in enumerate(IDS):
        alone = maps(method.attribute(x[i : i + 1], [TARGETS[i]], ids=[sample_id]))
        torch.testing.assert_close(alone[0], together[i], rtol=1e-7, atol=1e-9)


@ALL
def test_seed_and_id_decide_the_random_numbers_and_nothing_else_does(name: str) -> None:
    method = small(name)
    x = samples(1)

    def again(id_: str = "a", seed: int = 0) -> Tensor:
        torch.rand(3)  # what others draw must not matter
        state = torch.random.get_rng_state()
        found = maps(method.attribute(x, [1], ids=[id_], seed=seed))
        assert torch.equal(torch.random.get_rng_state(), state)
        return found

    assert torch.equal(again(), again())
    noisy = {"smooth_grad", "smooth_int_grad", "expected_gradients", "lime", "kernel_shap"}
    noisy |= {"rise", "random", "iba", "coiba"}
    assert torch.equal(again(), again("b")) is (name not in noisy)
    assert torch.equal(again(), again(seed=1)) is (name not in noisy)


class InterruptedHereError(Exception):
    """Raised in the middle."""


def fails_after(count: int) -> Progress:
    left = [count]

    def progress(*_: object) -> None:
        left[0] -= 1
        if left[0] <= 0:
            raise InterruptedHereError

    return progress


@ALL
def test_the_model_comes_back_as_it_was_also_after_an_exception(
    name: str, unchanged: Unchanged
) -> None:
    net = net_for(name).train()
    *_, last = net.modules()
    next(net.parameters()).requires_grad_(False)
    method = small(name, net)
    x = samples(2)
    kept = x.clone()
    with unchanged(net):
        method.attribute(x, [0, 1])
        with pytest.raises(InterruptedHereError):
            method.attribute(x, [0, 1], progress=fails_after(1))
        last.forward = _raise
        with pytest.raises(InterruptedHereError):
            method.attribute(x, [0, 1])
        del last.forward
    assert torch.equal(x, kept)
    assert x.grad is None
    assert not x.requires_grad


def _raise(*_: object) -> Tensor:
    raise InterruptedHereError


# What explainers find once they are trained is tested where they are.
@pytest.mark.parametrize("name", sorted({*METHODS} - ATTENTION - {"amortised"}))
@pytest.mark.parametrize("corner", [(18, 18), (6, 28)], ids=str)
def test_the_object_is_found_by_every_method_but_chance(name: str, corner: tuple[int, int]) -> None:
    net = PatchClassifier(corner, residual=True).calibrate(pictures(8))
    methods = quick("block") | {
        "occlusion": Occlusion(),
        "lime": Lime(n_samples=300, tiles=8),
        "kernel_shap": KernelShap(n_samples=300, tiles=8),
        "rise": Rise(n_masks=600),
        "ex_perturb": ExtremalPerturbation(n_steps=60, areas=(0.05, 0.1)),
        "iba": IBA(layer="block", feature_iba=FeatureIBA()),
    }
    background = torch.cat([pictures(20, seed=1), torch.randn(20, 3, SIDE, SIDE)])[::3]
    method = attributor(net, methods[name], background)
    [found] = method.attribute(pictures(1, seed=2), [1])
    assert isinstance(found, Explanation)
    inside = torch.zeros(SIDE, SIDE, dtype=torch.bool)
    inside[corner[0] - 2 : corner[0] + PATCH + 2, corner[1] - 2 : corner[1] + PATCH + 2] = True
    # Of a signed map about half of the patch may speak against the class.
    count = PATCH * PATCH // (4 if method.method.signed else 1)
    hottest = found.input_mask.flatten().argsort(descending=True)[:count]
    share = inside.flatten()[hottest].double().mean()
    assert share < 0.25 if name == "random" else share >= 0.7


def test_iba_is_the_feature_mask_of_our_own_attributor() -> None:
    net, x = small_net(), samples(2)
    background = samples(6, seed=5) + 0.1
    stage = FeatureIBA(batch_size=3, opt_steps=4)
    own = Attributor(net, LAYER, feature_iba=stage)
    statistics = own.estimate([background])
    expected = stage.fit(own.task(x, [0, 1], ids=["a", "b"], seed=3), statistics).saliency
    method = attributor(net, IBA(layer=LAYER, feature_iba=stage), background)
    found = maps(method.attribute(x, [0, 1], ids=["a", "b"], seed=3))
    torch.testing.assert_close(found, expected)


@ALL
def test_in_bf16_maps_are_nearly_those_of_float32(name: str) -> None:
    x, background = samples(2).float(), samples(6, seed=5).float()
    both = []
    for autocast in (None, torch.bfloat16):
        net = net_for(name).float()
        method = attributor(net, quick(LAYER)[name], background, autocast=autocast)
        both.append(maps(method.attribute(x, [0, 1], ids=["a", "b"])).flatten(1))
    exact, rounded = both
    assert rounded.dtype == torch.float32
    assert ((exact - rounded).norm(dim=1) <= 0.4 * exact.norm(dim=1)).all()


@pytest.mark.parametrize("name", ["gradient", "rise", "iba", "deep_shap"])
def test_targets_may_be_one_hot_rows_or_losses(name: str) -> None:
    method, x = small(name), samples(2)
    classes = maps(method.attribute(x, [1, 1], ids=["a", "b"]))

    def loss(logits: Tensor) -> Tensor:
        return -logits[:, 1]

    given = method.attribute(x, loss, ids=["a", "b"])
    assert isinstance(given[0], Explanation)
    assert given[0].target is None
    if name in {"gradient", "deep_shap"}:  # of methods that explain the logit they are the same
        torch.testing.assert_close(maps(given), classes)
    one_hot = torch.tensor([[0, 1, 1], [1, 0, 0]])
    assert maps(method.attribute(x, one_hot, ids=["a", "b"])).isfinite().all()


def test_a_sample_that_is_not_finite_fails_alone() -> None:
    x = samples(2)
    x[0] = torch.nan
    bad, good = small("gradient").attribute(x, [0, 1], ids=["a", "b"])
    assert isinstance(bad, Failure)
    assert "not finite" in bad.reason
    assert isinstance(good, Explanation)


def test_what_is_missing_is_named_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    net = small_net()
    with pytest.raises(LayerNotFoundError, match=r"Closest: '4\.conv'"):
        MethodAttributor(net, GradCam(layer="4.cnv"))
    with pytest.raises(AttributionError, match="estimate"):
        MethodAttributor(net, IBA(layer=LAYER)).attribute(samples(1))
    with pytest.raises(AttributionError, match="background"):
        MethodAttributor(net, quick(LAYER)["deep_shap"]).attribute(samples(1))
    monkeypatch.setitem(__import__("sys").modules, "captum.attr", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'input-iba\[baselines\]'"):
        MethodAttributor(net, quick(LAYER)["gradient"])
    MethodAttributor(net, Random())  # needs no captum


def test_no_samples_are_no_records() -> None:
    assert small("random").attribute(samples(0)) == []
