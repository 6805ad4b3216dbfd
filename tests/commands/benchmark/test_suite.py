"""A suite is checked before anything is computed, and its methods share what they can."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from input_iba.cli.main import main
from input_iba.cli.run import USAGE
from input_iba.commands.benchmark.suite import Suite, chosen, load_suite
from input_iba.config.shipped import shipped_suites
from input_iba.errors import InputIBAError

NETWORK: dict[str, Any] = {
    "name": "Lite",
    "config": "samples",
    "methods": ["input_iba", "random"],
    "metrics": ["insertion_deletion"],
}


def suite(tmp_path: Path, *networks: dict[str, Any], **keys: Any) -> Suite:
    """Write and load a suite."""
    path = tmp_path / "mine.py"
    path.write_text("".join(f"{k} = {v!r}\n" for k, v in {"networks": networks, **keys}.items()))
    return load_suite(path)


@pytest.mark.parametrize("name", shipped_suites())
def test_those_of_the_package_load(name: str) -> None:
    found = load_suite(name)
    assert found.networks and found.title
    assert all(network.ours == "input_iba" for network in found.networks)


def test_all_has_the_networks_of_the_other_suites() -> None:
    names = [network.name for network in load_suite("all").networks]
    apart = ("all", "amortised", "presets", "samples", "stability")
    others = [name for name in shipped_suites() if name not in apart]
    assert sorted(names) == sorted(n.name for name in others for n in load_suite(name).networks)


def test_readings_of_our_method_share_a_run_and_settings_part_them(tmp_path: Path) -> None:
    beta = {"attribution_cfg.input_iba.beta": 5}
    methods = ["iba", "input_iba", "input_mask", {"type": "input_iba", "name": "b5", **beta}]
    [network] = suite(tmp_path, {**NETWORK, "methods": [*methods, "random"]}).networks
    assert [(m.run, m.reading) for m in network.methods] == [
        ("input_iba", "feat_masks"),
        ("input_iba", ""),
        ("input_iba", "input_masks"),
        ("b5", ""),
        ("random", ""),
    ]
    assert network.ours == "iba"
    assert network.methods[3].config.input_iba.beta == 5
    assert network.methods[0].config.input_iba.beta != 5


def test_settings_of_methods_and_metrics_count(tmp_path: Path) -> None:
    method = {"type": "int_grad", "name": "ig7", "n_steps": 7}
    metrics = [
        {"type": "insertion_deletion", "pixel_batch_size": 99, "keys": ["difference"]},
        {"type": "insertion_deletion", "name": "blurred", "sigma": 2.0},
    ]
    given = {**NETWORK, "methods": ["input_iba", method], "metrics": metrics}
    [network] = suite(tmp_path, given).networks
    assert network.methods[1].config.baseline.n_steps == 7  # type: ignore[union-attr]
    first, second = network.measures
    assert (first.metric.settings()["pixel_batch_size"], first.keys) == (99, ("difference",))
    assert (second.metric.name, second.metric.settings()["sigma"]) == ("blurred", 2.0)
    assert second.keys is None


def test_methods_and_metrics_of_the_suite_are_those_of_networks_without(tmp_path: Path) -> None:
    bare = {"name": "Bare", "config": "samples", "also": ["random"]}
    shared = {"methods": ["input_mask"], "metrics": ["degradation"], "_unused": 1}
    found = suite(tmp_path, bare, NETWORK, **shared)
    assert [[m.name for m in network.methods] for network in found.networks] == [
        ["input_mask", "random"],
        ["input_iba", "random"],
    ]
    assert [network.ours for network in found.networks] == ["input_mask", "input_iba"]


def test_some_of_a_suite_can_be_chosen(tmp_path: Path) -> None:
    other = {**NETWORK, "name": "Other", "methods": ["input_mask", "iba", "input_iba"]}
    found = suite(tmp_path, NETWORK, other)
    kept, asked = chosen(found, ["Lite"], ["iba", "input_iba"])
    assert [[m.name for m in network.methods] for network in kept.networks] == [
        ["input_iba"],
        ["iba", "input_iba"],
    ]
    assert [network.name for network in asked] == ["Lite"]
    assert [network.ours for network in kept.networks] == ["input_iba", "iba"]
    assert chosen(found) == (found, list(found.networks))
    with pytest.raises(InputIBAError, match=r"no network 'lite'\. Closest: 'Lite'"):
        chosen(found, ["lite"])
    with pytest.raises(InputIBAError, match=r"no metric 'deletion'\. Closest: 'insertion_del"):
        chosen(found, metrics=["deletion"])
    with pytest.raises(InputIBAError, match=r"leaves out ours of Lite: add 'input_iba'"):
        chosen(found, methods=["random"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"methods": ["input_iba", "int_gard"]}, "Unknown method 'int_gard'. Closest: 'int_grad'"),
        ({"metrics": ["insertion"]}, "Unknown metric 'insertion'. Closest: 'insertion_deletion'"),
        ({"methods": ["input_iba", {"type": "int_grad", "steps": 3}]}, "Closest: 'n_steps'"),
        ({"metrics": [{"type": "insertion_deletion", "sigmas": 3}]}, "Closest: 'sigma'"),
        ({"metrics": [{"type": "insertion_deletion", "keys": ["diference"]}]}, "'difference'"),
        ({"metrics": [{"type": "insertion_deletion", "sigma": -1}]}, "sigma"),
        ({"metrics": ["nlp_insertion_deletion"]}, "is about texts"),
        ({"methods": ["random"]}, "one of input_iba, input_mask, iba among its methods"),
        ({"methods": ["input_iba", "random", "random"]}, "random stands there more than once"),
        ({"methods": ["input_iba", 3]}, "are names, or dicts with a 'type'; got 3"),
        ({"config": "sample"}, "Closest: 'samples'"),
        ({"num_sample": 3}, "Closest: 'num_samples'"),
        ({"cfg_options": {"attributor.lyer": "x"}}, "Closest: 'layer'"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_computed(
    change: dict[str, Any], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputIBAError) as caught:
        suite(tmp_path, {**NETWORK, **change})
    assert said in str(caught.value)
    out = tmp_path / "out"
    assert main(["benchmark", str(tmp_path / "mine.py"), "--out", str(out)]) == USAGE
    assert said in capsys.readouterr().err
    assert not out.exists()


def test_a_suite_that_is_not_there_names_the_closest() -> None:
    with pytest.raises(InputIBAError, match=r"Suite 'cifar' does not exist\. Closest: 'cifar10'"):
        load_suite("cifar")
