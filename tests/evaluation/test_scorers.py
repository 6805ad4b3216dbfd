"""A metric's scorer gives the row that its function gives for one sample, and its verdict."""

from __future__ import annotations

import zlib
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from input_iba.core.correlation import spearman
from input_iba.errors import EvaluationError
from input_iba.evaluation.asking import explained_class
from input_iba.evaluation.base import Metric
from input_iba.evaluation.degradation import DegradationMetric
from input_iba.evaluation.ehr import EhrMetric, effective_heat_ratios
from input_iba.evaluation.insertion_deletion import InsertionDeletionMetric, insertion_deletion
from input_iba.evaluation.localisation import LocalisationMetric, localise
from input_iba.evaluation.max_sensitivity import MaxSensitivityMetric, relative_changes
from input_iba.evaluation.ranks import top_overlap
from input_iba.evaluation.rationale import MaskRationaleMetric, RationaleMetric, text_rationale
from input_iba.evaluation.road import RoadMetric, road
from input_iba.evaluation.sanity_check import SanityMetric, sanity_check
from input_iba.evaluation.seed_agreement import SeedAgreementMetric
from input_iba.evaluation.sensitivity_n import SensitivityNMetric, sensitivity_n
from input_iba.evaluation.sets import random_sets, set_sizes
from input_iba.evaluation.similarity import edge_map
from input_iba.evaluation.single_deletion import SingleDeletionMetric, single_deletion
from input_iba.records import ImageSample, TextSample
from tests.evaluation.nets import network
from tests.evaluation.scoring import SIZE, TARGET, Features, context_of, image_case


def scored(metric: Metric, case: Any = None, **changes: Any) -> dict[str, Any]:
    row = metric.scorer(context_of(**changes))(image_case() if case is None else case)
    assert isinstance(row, dict), row
    return row


def small(case: Any, size: tuple[int, int]) -> Any:
    """Return a case whose input and map are cut to a size."""
    cut = (..., slice(size[0]), slice(size[1]))
    return replace(
        case, sample=replace(case.sample, input=case.sample.input[cut]), heat=case.heat[cut]
    )


def test_insertion_and_deletion() -> None:
    case, classify = image_case(), context_of().classify
    row = scored(InsertionDeletionMetric(sigma=1, pixel_batch_size=20))
    x, heat = case.sample.input[None], case.heat[None]
    found = insertion_deletion(classify, x, heat, [TARGET], 20, 1.0)
    areas = found.insertion_auc.item(), found.deletion_auc.item()
    assert (row["ins_auc"], row["del_auc"]) == pytest.approx(areas)
    assert row["difference"] == pytest.approx(areas[0] - areas[1])


def test_degradation_has_two_curves() -> None:
    row = scored(DegradationMetric(tile_size=3))
    assert row["difference"] == pytest.approx(row["LeRF_auc"] - row["MoRF_auc"])
    assert row["LeRF_auc"] != pytest.approx(row["MoRF_auc"])


def test_road() -> None:
    case, metric = image_case(), RoadMetric(shares=(0.2, 0.6))
    seed = zlib.crc32(b"3/a")
    x, heat = case.sample.input[None], case.heat[None]
    found = road(context_of().classify, x, heat, [TARGET], (0.2, 0.6), seeds=[seed])
    row = scored(metric)
    assert row["morf"] == pytest.approx(found.morf.mean().item())
    assert row["lerf"] == pytest.approx(found.lerf.mean().item())
    assert row["difference"] == pytest.approx(row["lerf"] - row["morf"])
    assert row["morf_curve"] == pytest.approx(found.morf[0].tolist(), abs=1e-6)
    assert row["lerf_curve"] == pytest.approx(found.lerf[0].tolist(), abs=1e-6)
    assert metric.scorer(context_of())(small(case, (1, 1))) == "fewer than two pixels"


def test_single_deletion_computes_what_is_lost_once() -> None:
    case, model, passes = image_case(), network(SIZE), list[int]()

    def classify(x: Tensor) -> Tensor:
        passes.append(len(x))
        with torch.no_grad():
            return model(x)  # type: ignore[no-any-return]

    score = SingleDeletionMetric(patches=3).scorer(context_of(classify=classify))
    row = score(case)
    found = single_deletion(model, case.sample.input[None], case.heat[None], [TARGET], 3)
    assert row == {"rank_correlation": pytest.approx(found.rank_correlation.item())}
    seen = len(passes)
    again = score(replace(case, heat=-case.heat))
    assert again == {"rank_correlation": pytest.approx(-found.rank_correlation.item())}
    assert len(passes) == seen
    score(replace(case, target=0))
    assert len(passes) > seen
    too_small = SingleDeletionMetric(patches=13).scorer(context_of())(case)
    assert too_small == "fewer than 13 pixels per side"


def test_sensitivity_n() -> None:
    case, metric = image_case(), SensitivityNMetric(log_n_max=1, log_n_ticks=0.5, num_masks=6)
    row = scored(metric)
    x, heat = case.sample.input[None], case.heat[None]
    expected = {
        str(n): sensitivity_n(
            context_of().classify, x, heat, [TARGET], random_sets(SIZE, n, 6, 3)
        ).correlation.item()
        for n in set_sizes(SIZE[0] * SIZE[1], 1, 0.5)
    }
    assert row["correlations"] == pytest.approx(expected)
    assert row["correlation"] == pytest.approx(fmean(expected.values()))
    assert metric.values(row) == {"correlation": row["correlation"], **row["correlations"]}
    assert metric.scorer(context_of())(small(case, (1, 1))) == "fewer than two pixels"


def test_a_chart_of_sensitivity_shows_the_sizes_that_all_samples_have() -> None:
    rows = [
        {"correlation": 0.5, "correlations": {"1": 0.5, "3": 0.7, "10": 0.3}},
        {"correlation": 0.5, "correlations": {"1": 0.3, "3": 0.5}},
    ]
    chart = SensitivityNMetric().chart(rows)
    [line] = chart.lines
    assert list(line.x) == [1, 3]
    assert list(line.y) == pytest.approx([0.4, 0.6])
    assert chart.log_x


def in_a_region() -> tuple[Any, Tensor]:
    """Return a case of which a part is known to decide, and that part."""
    case, region = image_case(), torch.zeros(SIZE, dtype=torch.bool)
    region[2:6, 3:9] = True
    image = torch.zeros(3, *SIZE, dtype=torch.uint8)
    sample = ImageSample("a", case.sample.input, TARGET, image=image, region=region)
    return replace(case, sample=sample), region


def test_effective_heat_ratio(tmp_path: Path) -> None:
    case, region = in_a_region()
    row = scored(EhrMetric(), case)
    heat = (case.heat / case.heat.max())[None]
    found = effective_heat_ratios(heat, region[None], 0.1, False)
    assert row["auc"] == pytest.approx(found.area.item())
    assert row["ratios"] == pytest.approx(found.ratios[0].tolist(), abs=1e-6)
    assert EhrMetric().chart([row]).lines[0].y == pytest.approx(row["ratios"])
    np.savez(tmp_path / "a.npz", mask=region.numpy().astype(np.float32))
    masked = EhrMetric(roi="masks", masks_dir=tmp_path)
    assert scored(masked, image_case())["auc"] == pytest.approx(row["auc"])
    assert masked.scorer(context_of())(image_case("b")) == "no mask of the region"
    assert EhrMetric().scorer(context_of())(image_case()) == "no boxes"


def test_localisation() -> None:
    case, region = in_a_region()
    row = scored(LocalisationMetric(), case)
    found = localise(case.heat[None], region[None])
    assert row == {key: pytest.approx(getattr(found, key).item()) for key in row}
    assert set(row) == set(LocalisationMetric.higher_is_better)
    assert LocalisationMetric().scorer(context_of())(image_case()) == "no boxes"


def words_case() -> Any:
    tokens = torch.tensor([3, 5, 2, 7, 4])
    sample = TextSample("t", tokens, 1, tokens=("a", "b", "c", "d", "e"), mask=0)
    heat = torch.tensor([0.1, 0.9, 0.2, 0.5, 0.3], dtype=torch.float64)
    return replace(image_case(), sample=sample, target=1, heat=heat)


def weighing(tokens: Tensor, keep: Tensor | None = None) -> Tensor:
    """Return logits of two classes; each token speaks for the second as much as its id."""
    kept = tokens.double() if keep is None else tokens.double() * keep
    return torch.stack([torch.zeros(len(tokens)).double(), kept.sum(1) / 10 - 1], 1)


def test_rationale() -> None:
    case = words_case()
    tokens = case.sample.input[None]
    everywhere = torch.ones_like(tokens, dtype=torch.bool)
    found = text_rationale(weighing, tokens, case.heat[None], [1], everywhere, bins=(20, 50))
    row = scored(RationaleMetric(bins=(20, 50)), case, classify=weighing)
    assert row["comprehensiveness"] == pytest.approx(found.comprehensiveness.item())
    assert row["sufficiency"] == pytest.approx(found.sufficiency.item())
    assert row["without"] == pytest.approx(found.without[0].tolist(), abs=1e-6)
    assert row["alone"] == pytest.approx(found.alone[0].tolist(), abs=1e-6)
    assert row["without"][0] > 0


def test_what_stands_for_hidden_words_is_fixed_where_the_name_says_it() -> None:
    assert RationaleMetric(replace="mask").replace == "mask"
    with pytest.raises(EvaluationError, match="replace"):
        MaskRationaleMetric(replace="zero")


def test_max_sensitivity() -> None:
    case, model = image_case(), network(SIZE)
    method = Features(model)

    def explain(x: Tensor) -> Tensor:
        return Features(model).attribute(x[None], seed=3)[0].map * 2  # type: ignore[no-any-return]

    found = relative_changes(explain, case.sample.input, 0.1, 4, zlib.crc32(b"3/a"))
    row = scored(MaxSensitivityMetric(n_draws=4), make_method=lambda name: method)
    assert row["max_sensitivity"] == pytest.approx(found.max().item())
    assert row["mean_sensitivity"] == pytest.approx(found.mean().item())
    assert row["mean_sensitivity"] < row["max_sensitivity"]
    assert method.estimates == 1


def test_seed_agreement_compares_two_seeds() -> None:
    case, model = image_case(), network(SIZE)
    method = Features(model)
    row = scored(SeedAgreementMetric(top_share=0.1), make_method=lambda name: method)
    assert method.seeds == [3, 4]
    first, second = (
        method.attribute(case.sample.input[None], seed=seed)[0].map.flatten()[None]
        for seed in (3, 4)
    )
    assert row["rank_correlation"] == pytest.approx(spearman(first, second).item())
    assert row["top_overlap"] == pytest.approx(top_overlap(first, second, 0.1).item())
    flat = SeedAgreementMetric().scorer(context_of(make_method=lambda _: Features(model, False)))
    assert flat(case) == "both maps have one value everywhere"


def test_sanity_check_of_a_method(tmp_path: Path) -> None:
    case, model = image_case(), network(SIZE)
    metric = SanityMetric(layers=("5", "0"), save_heatmaps=True)
    row = scored(metric, model=model, beside=tmp_path / "result")

    def explain(_: object) -> Tensor:
        return Features(model).attribute(case.sample.input[None], seed=3)[0].map[None]  # type: ignore[no-any-return]

    found = sanity_check(model, explain, ["5", "0"], case.heat[None], 3)
    assert row["ssim_all"] == pytest.approx(found.ssim[:, 0].tolist())
    assert row["ssim"] == pytest.approx(fmean(row["ssim_all"]))
    assert row["layers"] == ["5", "0"]
    edges = edge_map(case.sample.input[None])
    control = sanity_check(model, lambda _: edges, ["5", "0"], seed=3)
    assert row["control_ssim_all"] == pytest.approx(control.ssim[:, 0].tolist())
    assert metric.values(row) == {
        "ssim": row["ssim"],
        "5": row["ssim_all"][0],
        "0": row["ssim_all"][1],
    }
    saved = sorted((tmp_path / "result_heatmaps" / "a").iterdir())
    assert [file.name for file in saved] == ["00_5.npz", "01_0.npz"]
    np.testing.assert_allclose(np.load(saved[1])["mask"], found.maps[1, 0].float().numpy())


def test_sanity_check_of_the_edge_detector(tmp_path: Path) -> None:
    metric = SanityMetric(layers=("5",), method="edge")
    row = scored(metric, beside=tmp_path / "result")
    assert row["ssim_unchanged"] == 1
    assert row["ssim_all"] == row["control_ssim_all"] == pytest.approx([1.0])
    assert not list(tmp_path.iterdir())


def test_the_verdict_is_about_the_last_layer() -> None:
    def row(own: list[float], control: list[float], unchanged: float = 0.9) -> dict[str, Any]:
        return {
            **{"ssim_all": own, "control_ssim_all": control, "ssim_unchanged": unchanged},
            "layers": ["c", "b", "a"],
        }

    verdict = SanityMetric().verdict([row([0.9, 0.8, 0.1], [1.0, 1.0, 0.9])])
    assert verdict["passes"] is True
    assert (verdict["ssim_at_the_end"], verdict["ssim_unchanged"]) == (0.1, 0.9)
    assert verdict["control"] == {"method": "edge", "ssim_at_the_end": 0.9, "passes": False}
    assert SanityMetric().verdict([row([0.1, 0.2, 0.8], [0.4, 0.4, 0.4])])["passes"] is False
    unrepeatable = SanityMetric().verdict([row([0.1, 0.1, 0.1], [0.4] * 3, unchanged=0.2)])
    assert unrepeatable["passes"] is False


def test_charts_show_what_they_say() -> None:
    shares = RoadMetric().shares
    drawn = RoadMetric().chart(
        [{"lerf_curve": [1.0] * len(shares), "morf_curve": [0.0] * len(shares)}]
    )
    assert [max(line.y) for line in drawn.lines] == [1, 0]
    assert "higher is better" in drawn.lines[0].label
    rows = [{"max_sensitivity": 0.5, "mean_sensitivity": 0.25}] * 2
    drawn = MaxSensitivityMetric().chart(rows)
    assert [max(line.x) for line in drawn.lines] == [0.5, 0.25]
    assert "2 samples" in drawn.title


def test_class_0_is_explained_like_others() -> None:
    assert explained_class(context_of(), image_case().sample.input, 0)[0] == 0
