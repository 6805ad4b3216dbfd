"""`AmortisedIBA`: what it is fitted on, what it answers and refuses, files, warm starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from input_iba import AmortisedIBA, ContrastTarget, InputIBA
from input_iba.errors import AttributionError, ConfigError, DataError
from input_iba.records import Explanation, Failure
from input_iba.training.explainer_settings import Objective
from tests.attribution.amortised.nets import FEW, fitted, images, of_words, single_net
from tests.attribution.nets import inputs, small_net
from tests.attribution.test_several import pairs
from tests.attribution.test_several import trained as several
from tests.attribution.text_nets import PAD, sentences
from tests.conftest import Unchanged


@pytest.fixture(scope="module", name="fast")
def fixture_fast() -> AmortisedIBA:
    return fitted()


def maps_after(data: Any) -> Tensor:
    found = AmortisedIBA(single_net(), "4").fit(data, training=FEW).attribute(images(3, seed=2))
    return found.maps


def test_a_tensor_a_loader_and_a_list_are_the_same_to_it() -> None:
    x = images(20)
    expected = maps_after(x)
    labelled = TensorDataset(x, torch.zeros(20))
    for data in (DataLoader(labelled, batch_size=6), list(x), labelled):
        assert torch.equal(maps_after(data), expected)


@pytest.mark.parametrize("error", [False, True])
def test_the_model_comes_back_as_it_was(error: bool, unchanged: Unchanged) -> None:
    net = single_net().train()
    net[0].weight.requires_grad_(False)

    class Stopped(KeyboardInterrupt):
        pass

    def stop(*_: Any) -> None:
        raise Stopped

    with unchanged(net):
        fast = AmortisedIBA(net, "4")
        with pytest.MonkeyPatch.context() as patch:
            if error:
                patch.setattr("input_iba.training.explainer.ExplainerTrainer.update", stop)
                with pytest.raises(Stopped):
                    fast.fit(images(12), training=FEW)
            else:
                fast.fit(images(12), training=FEW).attribute(images(2))


def test_maps_have_the_shape_of_the_inputs_and_one_pass_each(fast: AmortisedIBA) -> None:
    x, calls = images(3, seed=2), list[int]()
    fast.attribute(x)
    last = fast.model[-1]  # type: ignore[index]
    handle = last.register_forward_hook(lambda _m, args, _o: calls.append(len(args[0])))
    found = fast.attribute(x)
    handle.remove()
    assert found.maps.shape == (3, 1, 8, 8)
    assert found.maps.isfinite().all()
    assert (found.maps >= 0).all()
    assert calls.count(3) <= 2  # the pass that is read, and what checks the folding
    record = found[0]
    assert isinstance(record, Explanation)
    with torch.no_grad():
        logits = single_net().eval()(x)
    assert record.target == record.prediction == int(logits[0].argmax())


def test_each_image_of_a_batch_is_as_it_is_alone(fast: AmortisedIBA) -> None:
    x = images(4, seed=2)
    together = fast.attribute(x, 1).maps
    for i in range(4):
        alone = fast.attribute(x[i : i + 1], 1).maps
        torch.testing.assert_close(alone, together[i : i + 1], rtol=1e-3, atol=1e-4)


def test_another_class_has_another_map(fast: AmortisedIBA) -> None:
    x = images(3, seed=2)
    one, other = (fast.attribute(x, label) for label in (0, 2))
    assert [record.target for record in other] == [2, 2, 2]
    assert not torch.allclose(one.maps, other.maps, atol=1e-6)


def test_what_is_not_a_class_is_refused_with_the_remedy(fast: AmortisedIBA) -> None:
    said = "answers what speaks for one class; asked was 'class 0 rather than class 1'.*InputIBA"
    with pytest.raises(AttributionError, match=said):
        fast.attribute(images(2), ContrastTarget(0, 1))
    with pytest.raises(ConfigError, match="class 9 does not exist"):
        fast.attribute(images(2), 9)


def test_an_input_that_fails_is_refused_or_returned_alone(fast: AmortisedIBA) -> None:
    x = images(3, seed=2)
    x[1] = torch.nan
    with pytest.raises(AttributionError, match=r"1 of 3 inputs.*on_error='return'"):
        fast.attribute(x)
    found = fast.attribute(x, on_error="return")
    assert isinstance(found.records[1], Failure)
    assert isinstance(found.records[2], Explanation)
    assert len(fast.attribute(x[:0])) == 0


def test_a_seed_decides_the_weights(fast: AmortisedIBA) -> None:
    assert fast.explainer is not None
    expected = fast.explainer.state_dict()
    again = fitted().explainer
    assert again is not None
    assert all(torch.equal(value, expected[name]) for name, value in again.state_dict().items())


def test_saved_and_loaded_it_is_the_same(fast: AmortisedIBA, tmp_path: Path) -> None:
    x = images(3, seed=2)
    loaded = AmortisedIBA.load(fast.save(tmp_path / "e.pth"), single_net())
    assert torch.equal(loaded.attribute(x).maps, fast.attribute(x).maps)


def test_files_that_do_not_fit_are_refused(fast: AmortisedIBA, tmp_path: Path) -> None:
    file = fast.save(tmp_path / "e.pth")
    other = single_net()
    with torch.no_grad():
        next(reversed(list(other.parameters())))[0] += 0.1
    with pytest.raises(ConfigError, match="a classifier with other weights than this Sequential"):
        AmortisedIBA.load(file, other)
    with pytest.raises(DataError, match="does not exist"):
        AmortisedIBA.load(tmp_path / "nothing.pth", other)
    file.write_bytes(b"something else")
    with pytest.raises(DataError, match="does not hold an explainer"):
        AmortisedIBA.load(file, single_net())


def test_before_it_is_fitted_it_says_so(tmp_path: Path) -> None:
    fast = AmortisedIBA(single_net())
    for use in (lambda: fast.attribute(images(1)), lambda: fast.save(tmp_path / "e.pth")):
        with pytest.raises(AttributionError, match=r"call fit\(data\), or load\(path, model\)"):
            use()


def test_data_that_cannot_be_learned_from_are_refused() -> None:
    fast = AmortisedIBA(single_net(), "4")
    with pytest.raises(AttributionError, match="no inputs"):
        fast.fit([])
    with pytest.raises(DataError, match=r"of one size; got 2, such as \(2, 8, 8\) and \(2, 9, 8\)"):
        fast.fit([torch.randn(2, 8, 8), torch.randn(2, 9, 8)])


def test_several_inputs_together_are_refused() -> None:
    signals, pictures, *_ = pairs(8, seed=0)
    with pytest.raises(ConfigError, match="several inputs, for which no explainer"):
        AmortisedIBA(several()).fit((signals, pictures), training=FEW)


def test_a_start_for_the_optimised_method(fast: AmortisedIBA) -> None:
    x = images(2, seed=2)
    iba = InputIBA(fast.model, "4", preset="instant", start=fast).fit(images(20))
    plain = InputIBA(fast.model, "4", preset="instant").fit(images(20))
    assert not torch.equal(iba.attribute(x).maps, plain.attribute(x).maps)
    other = single_net()
    with torch.no_grad():
        next(reversed(list(other.parameters())))[0] += 0.1
    with pytest.raises(ConfigError, match="with other weights"):
        InputIBA(other, "4", start=fast).fit(images(20))


@pytest.mark.parametrize("weights", [(0.0, 1.0), (1.0, 0.1)], ids=["alone", "beside"])
def test_the_objective_itself_can_be_learned(weights: tuple[float, float]) -> None:
    objective = Objective(maps=weights[0], behind=weights[1])
    fast = AmortisedIBA(single_net(), "4")
    found = fast.fit(images(20), training=FEW, objective=objective).attribute(images(2, seed=2))
    assert not torch.allclose(found.maps, fitted().attribute(images(2, seed=2)).maps, atol=1e-4)


def test_an_objective_without_weight_is_refused() -> None:
    with pytest.raises(ConfigError, match="nothing to learn"):
        Objective(maps=0, behind=0)


def test_classifiers_in_double_precision() -> None:
    fast = AmortisedIBA(small_net(), "4").fit(inputs(20), training=FEW)
    assert fast.attribute(inputs(2)).maps.isfinite().all()
    InputIBA(fast.model, "4", preset="instant", start=fast).fit(inputs(20)).attribute(inputs(2))


def test_inside_a_callers_inference_mode() -> None:
    net = single_net()
    with torch.inference_mode():
        found = fitted(net).attribute(images(2, seed=2))
    torch.testing.assert_close(found.maps, fitted().attribute(images(2, seed=2)).maps)


def test_texts_of_a_recurrent_network() -> None:
    fast = of_words(precision="fp32").fit(sentences(20), training=FEW)
    ids = sentences(4, seed=5)
    found = fast.attribute(ids)
    assert found.maps.shape == ids.shape
    assert (found.maps[ids == PAD] == 0).all()
    shortest = int((ids != PAD).sum(1).argmin())
    own = ids[shortest : shortest + 1, : int((ids[shortest] != PAD).sum())]
    alone = fast.attribute(own).maps
    together = found.maps[shortest : shortest + 1, : own.shape[1]]
    torch.testing.assert_close(alone, together, rtol=1e-3, atol=1e-4)
    assert not torch.allclose(fast.attribute(ids, 0).maps, fast.attribute(ids, 1).maps, atol=1e-3)


def test_texts_of_a_transformer_with_its_tokenizer() -> None:
    pytest.importorskip("transformers")
    from tests.models.tiny_bert import tiny_bert, tokenizer

    words = ["a great film", "dull and flat", "so good", "fun and so bad a film", "w1 w2 great w3"]
    texts = [f"{one} {other}" for one in words for other in words]
    fast = AmortisedIBA(tiny_bert(3), tokenizer=tokenizer()).fit(texts, training=FEW)
    found = fast.attribute(["a great dull film", "so bad"])
    assert [word for word, _ in found[0].words] == ["a", "great", "dull", "film"]
    assert all(value > 0 for _, value in found[0].words)
    assert isinstance(found[1], Explanation)


def test_a_model_that_returns_no_logits_is_refused() -> None:
    net = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.ReLU(), nn.Conv2d(3, 3, 1))
    with pytest.raises((AttributionError, ConfigError)):
        AmortisedIBA(net, "0").fit(images(8), training=FEW)
