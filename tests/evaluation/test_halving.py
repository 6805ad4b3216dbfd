"""The search along axes: what is compared on what, what is kept, and what time does to it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from input_iba.errors import AttributionError, ConfigError
from input_iba.evaluation.halving import (
    FEWEST,
    PRESENT,
    Axis,
    Changes,
    Halving,
    Measured,
    SearchSettings,
    in_words,
    named,
)

READINGS: list[Changes] = [PRESENT, {"reading": "b"}]
AXES = [Axis("layer", ["2", "3"]), Axis("beta", [1.0, 5.0]), Axis("prior", ["flat"])]


class Bench:
    """Knows what each candidate is worth, and notes what it was asked."""

    def __init__(self, worth: dict[str, float], refuse: str = "") -> None:
        self.worth, self.refuse = worth, refuse
        self.asked: list[tuple[str, int]] = []

    def measure(self, fit: Changes, places: Sequence[int]) -> Measured:
        self.asked += [(named(fit), place) for place in places]
        if self.refuse and self.refuse in named(fit):
            raise AttributionError("no map")
        return {
            named({**fit, **reading}): [
                {"difference": self.value({**fit, **reading}), "seconds": 1.0} for _ in places
            ]
            for reading in READINGS
        }

    def value(self, changes: Changes) -> float:
        return sum(self.worth.get(f"{key}={value}", 0.0) for key, value in changes.items())


def found_by(bench: Bench, samples: int = 16, **settings: float) -> tuple[Changes, Halving]:
    how = SearchSettings(**settings)  # type: ignore[arg-type]
    halving = Halving(bench.measure, READINGS, how, lambda _: None)
    return halving.best(AXES, samples), halving


def test_the_best_of_all_axes_is_found_together_with_its_reading() -> None:
    bench = Bench({"layer=3": 0.1, "beta=5.0": 0.2, "prior=flat": -0.1, "reading=b": 0.3})
    found, _ = found_by(bench)
    assert found == {"layer": "3", "beta": 5.0, "reading": "b"}


def test_of_candidates_that_are_level_the_one_that_changes_least_comes_first() -> None:
    found, _ = found_by(Bench({"layer=3": 1e-5}))
    assert found == PRESENT


def test_later_rounds_see_more_samples_and_fewer_fits() -> None:
    bench = Bench({"layer=3": 0.1})
    found_by(bench, samples=16, keep=1)
    of_layer = [place for fit, place in bench.asked if fit == named({"layer": "2"})]
    of_prior = [p for fit, p in bench.asked if fit == named({"layer": "3", "prior": "flat"})]
    assert of_layer == list(range(8))
    assert of_prior == list(range(16))
    assert not any('"2"' in fit and "prior" in fit for fit, _ in bench.asked)


def test_a_candidate_that_cannot_be_tried_is_left_out() -> None:
    found, halving = found_by(Bench({"layer=3": 0.5, "beta=1.0": 0.1}, refuse='"layer": "3"'))
    assert found == {"beta": 1.0}
    assert not any('"layer": "3"' in name for name in halving.tried)


def test_the_present_setting_must_work() -> None:
    with pytest.raises(AttributionError, match="no map"):
        found_by(Bench({}, refuse="{"))


def test_without_time_the_first_axis_is_tried_on_as_few_samples_as_may_be() -> None:
    bench = Bench({"layer=2": 0.1, "beta=5.0": 0.2})
    found, _ = found_by(bench, minutes=1e-9)
    assert found == {"layer": "2"}
    assert {place for _, place in bench.asked} == set(range(FEWEST))


def test_places_count_where_they_are_known() -> None:
    settings = SearchSettings(place_weight=0.25)
    assert settings.value({"difference": 0.4, "placed": 0.8}) == pytest.approx(0.5)
    assert settings.value({"difference": 0.4}) == 0.4


@pytest.mark.parametrize("wrong", [{"minutes": 0}, {"held_out": 3}, {"place_weight": 2}])
def test_wrong_settings_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong)).replace("_", "-")):
        SearchSettings(**wrong)  # type: ignore[arg-type]


def test_changes_read_as_in_a_config() -> None:
    assert in_words(PRESENT) == "as it is"
    assert in_words({"attribution_cfg.map.contrast": 2.0}) == "map.contrast 2"
