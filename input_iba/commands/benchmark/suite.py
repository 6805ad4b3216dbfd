"""A suite: which networks, explained by which methods, scored by which metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from input_iba.commands.evaluate.context import check_kind
from input_iba.config.assembly import read_file, reading_once
from input_iba.config.load import RunConfig, load_config
from input_iba.config.other_method import with_baseline
from input_iba.config.presets import PRESETS
from input_iba.config.shipped import find_suite
from input_iba.errors import ConfigError, EvaluationError, closest
from input_iba.evaluation import METRICS, Metric
from input_iba.registry import BASELINES, check_keys, lookup
from input_iba.results import safe_name
from input_iba.settings import REQUIRED, Settings, declarations, read, setting

READINGS = {"input_iba": "", "input_mask": "input_masks", "iba": "feat_masks"}
"""Folders of maps in the work directory of our own method, which is run once for all of them: its
answer, the mask of its input bottleneck, and that of its feature bottleneck."""


@dataclass(frozen=True, kw_only=True)
class NetworkKeys(Settings):
    """What a suite says of one network; a method or metric is a name, or a dict with its `type`."""

    name: str = setting(REQUIRED, "name in the tables")
    config: str = setting(REQUIRED, "config that says classifier, samples and settings of ours")
    cfg_options: Mapping[str, Any] = setting({}, "overrides of its keys, by dotted key")
    preset: str | None = setting(None, "parameters of our own method", choices=PRESETS)
    subset_file: Path | None = setting(None, "file of the samples' ids")
    num_samples: int = setting(0, "samples drawn at random; 0 for all", at_least=0)
    scores_threshold: float = setting(0.6, "samples whose target is less probable do not count")
    examples: int = setting(4, "samples of which the page shows the maps", at_least=0)
    methods: tuple[Any, ...] = setting(REQUIRED, "what explains; at least one of ours")
    also: tuple[Any, ...] = setting((), "further methods, beside those of the suite")
    metrics: tuple[Any, ...] = setting(REQUIRED, "what scores the maps")


@dataclass(frozen=True)
class Explaining:
    """One set of maps.

    Attributes:
        name: In the tables.
        run: Name of the work directory; several readings of our own method share one.
        reading: Folder of the maps in it, empty for the work directory's own answer.
        config: What explains.
    """

    name: str
    run: str
    reading: str
    config: RunConfig

    @property
    def ours(self) -> bool:
        """Whether it is our own method."""
        return self.config.baseline is None


@dataclass(frozen=True)
class Measure:
    """A metric, and which of its keys are shown; None for all."""

    metric: Metric
    keys: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Network:
    """One network of a suite, checked.

    Attributes:
        ours: Name of the method that the others are compared with: the first of ours.
    """

    keys: NetworkKeys
    methods: Sequence[Explaining]
    measures: Sequence[Measure]
    ours: str

    @property
    def name(self) -> str:
        """Name in the tables."""
        return self.keys.name


@dataclass(frozen=True)
class Suite:
    """Networks under a title."""

    name: str
    title: str
    networks: Sequence[Network]


def load_suite(given: Path | str) -> Suite:
    """Load a suite, its own file or one that comes with the package, and check all that it names.

    Raises:
        InputIBAError: A network, method, metric or setting is wrong; nothing has been computed.
    """
    file = find_suite(given)
    raw = _read(file)
    with reading_once():
        networks = [_network(values, file) for values in _networks(raw, file)]
    _refuse_twice([safe_name(network.name) for network in networks], f"networks of '{file}'")
    return Suite(file.stem, str(raw.get("title", file.stem)), networks)


def _read(file: Path) -> dict[str, Any]:
    """Return what a suite's file holds, without what it keeps for itself under names with '_'."""
    return {key: v for key, v in dict(read_file(file).values).items() if not key.startswith("_")}


def _networks(raw: Mapping[str, Any], file: Path) -> Iterator[Mapping[str, Any]]:
    """Yield the networks of a suite, those of suites that it names first.

    Methods and metrics of the suite are those of networks that do not say any.
    """
    shared = {key: raw[key] for key in ("methods", "metrics") if key in raw}
    check_keys(raw, {"title", "suites", "networks", "methods", "metrics"}, f"suite '{file}'")
    for name in raw.get("suites", []):
        other = find_suite(name)
        yield from _networks(_read(other), other)
    yield from ({**shared, **network} for network in raw.get("networks", []))


def _network(values: Mapping[str, Any], file: Path) -> Network:
    where = f"a network of suite '{file}'"
    check_keys(values, set(declarations(NetworkKeys)), where)
    keys = read(NetworkKeys, values, "networks", f"'{file}'")
    methods = [_explaining(keys, *_parts(given, where)) for given in (*keys.methods, *keys.also)]
    measures = [_measure(*_parts(given, where)) for given in keys.metrics]
    place = f"network {keys.name!r} of '{file}'"
    _refuse_twice([safe_name(method.name) for method in methods], f"methods of {place}")
    _refuse_twice([measure.metric.name for measure in measures], f"metrics of {place}")
    ours = [method for method in methods if method.ours]
    if not ours or not measures:
        raise ConfigError(
            f"{place} needs a metric, and one of {', '.join(READINGS)} among its methods."
        )
    check_kind([measure.metric for measure in measures], ours[0].config)
    return Network(keys, methods, measures, ours[0].name)


def _parts(given: Any, where: str) -> tuple[str, str, dict[str, Any]]:
    """Return type, name and settings of a method or metric."""
    if isinstance(given, str):
        return given, given, {}
    if not isinstance(given, Mapping) or not isinstance(given.get("type"), str):
        raise ConfigError(
            f"Methods and metrics of {where} are names, or dicts with a 'type'; got {given!r}."
        )
    settings = {key: value for key, value in given.items() if key not in ("type", "name")}
    return given["type"], str(given.get("name", given["type"])), settings


def _explaining(keys: NetworkKeys, type_: str, name: str, settings: dict[str, Any]) -> Explaining:
    """Return one method; the settings of ours are overrides of the config."""
    if type_ in READINGS:
        preset = settings.pop("preset", keys.preset)
        config = load_config(keys.config, {**keys.cfg_options, **settings}, preset)
        shared = not settings and preset == keys.preset
        run = "input_iba" if shared else safe_name(name)
        return Explaining(name, run, READINGS[type_], config)
    if type_ not in BASELINES.module_dict:
        known = [*READINGS, *BASELINES.module_dict]
        raise ConfigError(
            f"Unknown method {type_!r}.{closest(type_, known)} Known: {', '.join(sorted(known))}."
        )
    check_keys(settings, set(declarations(lookup(BASELINES, type_))), f"method {name!r}")  # type: ignore[arg-type]
    own = {"baseline.type": type_, **{f"baseline.{key}": v for key, v in settings.items()}}
    config = load_config(keys.config, {**keys.cfg_options, **own}, keys.preset)
    return Explaining(name, safe_name(name), "", with_baseline(config, type_, overrides=own))


def _measure(type_: str, name: str, settings: dict[str, Any]) -> Measure:
    """Return one metric under its name in the suite, by which its rows are kept."""
    if type_ not in METRICS:
        raise EvaluationError(
            f"Unknown metric {type_!r}.{closest(type_, METRICS)} Known: {', '.join(METRICS)}."
        )
    kind, keys = METRICS[type_], settings.pop("keys", None)
    check_keys(settings, set(declarations(kind)), f"metric {name!r}")
    if keys is not None:
        check_keys(dict.fromkeys(keys), set(kind.higher_is_better), f"'keys' of metric {name!r}")
    named = type(kind.__name__, (kind,), {"name": name})
    return Measure(named(**settings), None if keys is None else tuple(keys))


def _refuse_twice(names: Sequence[str], what: str) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ConfigError(
            f"{what}: {', '.join(twice)} stands there more than once. Give each a 'name' of its "
            "own."
        )


def chosen(
    suite: Suite,
    networks: Sequence[str] = (),
    methods: Sequence[str] = (),
    metrics: Sequence[str] = (),
) -> tuple[Suite, list[Network]]:
    """Return a suite with some of its methods and metrics, and some of its networks.

    Of what no name is given, all are taken.

    Raises:
        ConfigError: There is nothing of that name, or a network would be left without our method.
    """
    whole = suite.networks
    known = {
        "network": (networks, [network.name for network in whole]),
        "method": (methods, [method.name for network in whole for method in network.methods]),
        "metric": (metrics, [m.metric.name for network in whole for m in network.measures]),
    }
    for what, (given, names) in known.items():
        for name in given:
            if name not in names:
                raise ConfigError(
                    f"Suite '{suite.name}' has no {what} {name!r}.{closest(name, names)} "
                    f"Known: {', '.join(dict.fromkeys(names))}."
                )
    kept = [_with_only(network, methods, metrics) for network in whole]
    return (
        replace(suite, networks=kept),
        [network for network in kept if not networks or network.name in networks],
    )


def _with_only(network: Network, methods: Sequence[str], metrics: Sequence[str]) -> Network:
    """Return a network with some of its methods and metrics."""
    found = [method for method in network.methods if not methods or method.name in methods]
    measures = [m for m in network.measures if not metrics or m.metric.name in metrics]
    ours = [method.name for method in found if method.ours]
    if not ours:
        raise ConfigError(f"--methods leaves out ours of {network.name}: add '{network.ours}'.")
    return replace(network, methods=found, measures=measures, ours=ours[0])
