"""A recommendation from config to config: search, measure on samples held out, write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from input_iba.attribution import Attributor, Preset
from input_iba.attribution.recommend.candidates import PRIOR, Present
from input_iba.attribution.recommend.recommendation import layers_to_try, search
from input_iba.attribution.recommend.trials import Trials
from input_iba.commands.evaluate.context import build_context
from input_iba.commands.recommend.options import RecommendOptions
from input_iba.commands.recommend.report import write_report
from input_iba.config.build import build_own_method
from input_iba.config.load import RunConfig, load_config
from input_iba.core.explainable import working_values
from input_iba.core.precision import precision_name
from input_iba.datasets import SampleDataset
from input_iba.datasets.ids import drawn_order
from input_iba.datasets.loading import read_batches
from input_iba.errors import InputIBAError
from input_iba.evaluation import EvaluationContext, ScoredSample
from input_iba.evaluation.asking import case_of
from input_iba.evaluation.halving import Changes
from input_iba.records import Failure
from input_iba.registry import PRIORS, build
from input_iba.results import Entry, RowLog, write_text
from input_iba.run.shell import LOGGER, Run, continued_by, opened

PRIOR_CALL = "attribution_cfg.gan"
"""Section of a config with the other keys of a prior."""

CONFIG, LOG, ROWS = "recommended.py", "recommend.log", "recommend.rows.jsonl"


@dataclass(frozen=True)
class RecommendResult:
    """What was found, for a terminal, the config that was written, and the page."""

    text: str
    config: Path
    page: Path


def run_recommend(config: RunConfig, options: RecommendOptions) -> RecommendResult:
    """Search for a setting of a config, and write it as a config.

    Rows of what was explained and scored lie in `recommend.rows.jsonl`; the same command goes on
    with them.

    Raises:
        InputIBAError: Nothing could be started, another run writes there, or too few samples can be
            explained.
    """
    root = options.work_dir_for(config.path)
    goes_on = continued_by(resume=True)
    with opened(
        root / LOG, options, seed=options.seed, warnings=config.warnings, resume=goes_on
    ) as run:
        return _run(config, options, root, run)


def _run(config: RunConfig, options: RecommendOptions, root: Path, run: Run) -> RecommendResult:
    context, dataset = build_context(config, run, root / "recommend")
    prior = build(PRIORS, config.prior)
    parts = (config.feature_iba, prior, config.input_iba)
    present = Present(config.layer, Preset(*parts, reading=config.reading))
    log = RowLog(root / ROWS)
    known = log.begin(_identity(config, options, context), resume=True)
    cases = _cases(context, dataset, options)
    trials = Trials(
        context,
        config.kind.name,
        cases,
        present,
        partial(_stages, config, context),
        options,
        {id_: entry.row for id_, entry in known.items() if entry.status == "scored"},
        lambda key, row: log.append(Entry(key, "scored", row)),
    )
    found = search(trials, present, _layers(config, context, cases), options, LOGGER.info)
    text = recommended(config, options, found.changes)
    write_text(root / CONFIG, text)
    page = write_report(root, config, found, trials, options.examples)
    return RecommendResult(str(found), root / CONFIG, page)


def _identity(
    config: RunConfig, options: RecommendOptions, context: EvaluationContext
) -> Mapping[str, Any]:
    """Return what decides a row, as plain data."""
    return {
        "config_hash": config.digest(),
        **context.fingerprints,
        "seed": options.seed,
        "n_estimation": options.n_estimation,
        "precision": precision_name(context.autocast),
    }


def _cases(
    context: EvaluationContext, dataset: SampleDataset, options: RecommendOptions
) -> list[ScoredSample]:
    """Return as many samples as are asked for that are sure enough, drawn by the seed."""
    wanted, cases = options.tried_samples + options.held_out, list[ScoredSample]()
    batches = [[place] for place in drawn_order(len(dataset), options.seed)]
    for [item] in read_batches(dataset, batches):
        try:
            case = None if isinstance(item, Failure) else case_of(context, item)
        except InputIBAError as error:
            LOGGER.warning("sample %s is left out: %s", item.id, error)
            continue
        if case is not None and case.probability >= options.least_probable:
            cases.append(case)
        if len(cases) == wanted:
            break
    return cases


def _layers(config: RunConfig, context: EvaluationContext, cases: list[ScoredSample]) -> list[str]:
    """Return the layers that are tried beside the config's own, found on a sample."""
    if not cases:
        return []
    modality = config.kind.modality(context.classifier)
    values, tokens = modality.enter(context.classifier, cases[0].sample.input[None])
    entered = (working_values(values, context.classifier), tokens)
    return layers_to_try(modality, context.classifier, config.layer, entered)


def _stages(config: RunConfig, context: EvaluationContext, setting: Present) -> Attributor:
    """Return the three stages of a setting."""
    stages = {key: part for key, part in setting.preset.stages.items() if key != "prior"}
    changed = replace(config, layer=setting.layer, **stages)
    attributor = build_own_method(changed, context.classifier, context.device, context.autocast)
    attributor.prior = setting.preset.prior
    return attributor


def recommended(config: RunConfig, options: RecommendOptions, changes: Changes) -> str:
    """Return the config with a candidate's changes, as the text of a file without code."""
    values = dict(changes)
    if PRIOR in values:  # without the keys of the present one
        values |= {PRIOR: {"_delete_": True, **values[PRIOR]}, PRIOR_CALL: {"_delete_": True}}
    overrides = {**options.cfg_options, **values}
    return load_config(config.path, overrides, options.preset).text()
