"""What is sent to processes of Ray, and what becomes of what they send back; Ray is played."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from input_iba.commands.explain import on_ray
from input_iba.commands.explain.on_ray import SampleWork
from input_iba.commands.explain.run import run_attribution
from input_iba.config.load import RunConfig
from input_iba.errors import ConfigError
from input_iba.models.hub import REMOTE_CODE, Trust
from input_iba.results import RecordLog
from input_iba.run.on_ray import Done
from input_iba.run.options import RunOptions
from tests.cli.test_train_script import files

Spread = Callable[..., Iterator[Done[Any]]]


def played(*, given_up: int | None = None, sent: list[SampleWork] | None = None) -> Spread:
    """Return what does all work here, the last first, as another process would receive it."""

    def spread(make: SampleWork, count: int, options: RunOptions) -> Iterator[Done[Any]]:
        if sent is not None:
            sent.append(make)
        do = pickle.loads(pickle.dumps(make))()
        for index in reversed(range(count)):
            value = None if index == given_up else pickle.loads(pickle.dumps(do(index)))
            yield Done(index, value)

    return spread


@pytest.fixture
def by_ray(options: RunOptions) -> RunOptions:
    assert options.work_dir is not None
    return replace(options, launcher="ray", work_dir=options.work_dir.with_name("ray"))


def test_batches_in_any_order_by_what_was_sent_make_the_same_files(
    config: RunConfig, options: RunOptions, by_ray: RunOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert options.work_dir is not None
    assert by_ray.work_dir is not None
    monkeypatch.setattr(on_ray, "spread", played())
    first, second = run_attribution(config, options), run_attribution(config, by_ray)
    assert (first.done, first.failed) == (second.done, second.failed) == (5, 0)
    assert files(by_ray.work_dir) == files(options.work_dir)


def test_what_was_given_up_is_recorded_and_tried_again_by_resume(
    config: RunConfig, by_ray: RunOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert by_ray.work_dir is not None
    monkeypatch.setattr(on_ray, "spread", played(given_up=1))
    found = run_attribution(config, by_ray)
    assert (found.done, found.failed) == (3, 2)
    records = RecordLog(by_ray.work_dir / "records.jsonl").load().values()
    [reason] = {record.reason for record in records if record.status == "failed"}
    assert "3 processes ended while they explained the 2 samples of its batch" in reason
    sent = list[SampleWork]()
    monkeypatch.setattr(on_ray, "spread", played(sent=sent))
    found = run_attribution(config, replace(by_ray, resume=True))
    assert (found.done, found.failed) == (5, 0)
    [work] = sent
    assert len(work.batches) == 1
    assert not work.finished  # of its batch none was


def test_a_process_that_sees_other_weights_refuses(
    config: RunConfig, by_ray: RunOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = list[SampleWork]()
    monkeypatch.setattr(on_ray, "spread", played(sent=sent))
    run_attribution(config, by_ray)
    [work] = sent
    unlike = replace(work, identity=replace(work.identity, classifier="other"))
    with pytest.raises(ConfigError, match=r"(?s)It would not make the masks.*weights of the class"):
        unlike()


def test_trust_is_taken_along() -> None:
    token = REMOTE_CODE.set(True)
    trust = Trust.now()
    REMOTE_CODE.reset(token)
    assert not REMOTE_CODE.get()
    token = REMOTE_CODE.set(False)
    trust.take()
    assert REMOTE_CODE.get()
    REMOTE_CODE.reset(token)
