"""What metrics declare: settings that commands read without torch, and all public names."""

from __future__ import annotations

import subprocess
import sys

import pytest

from input_iba import evaluation
from input_iba.errors import EvaluationError
from input_iba.evaluation import METRICS
from input_iba.evaluation.insertion_deletion import InsertionDeletionMetric
from input_iba.evaluation.word_insertion import (
    MaskInsertionDeletionMetric,
    NLPInsertionDeletionMetric,
)

CODE = """
import sys
from input_iba.cli.main import main
try:
    main(["evaluate", sys.argv[1], "--help"])
except SystemExit:
    print({"torch", "scipy", "matplotlib"} & sys.modules.keys(), file=sys.stderr)
"""


@pytest.mark.parametrize("name", ["ehr", "nlp_sensitivity_n", "sanity_check"])
def test_help_does_not_wait_for_torch(name: str) -> None:
    command = [sys.executable, "-c", CODE, name]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert METRICS[name].description.split()[0] in run.stdout
    assert run.stderr.strip() == "set()"


RESULTS = ["Degradations", "HeatRatios", "InsertionDeletion", "Localisation", "SanityScores"]


def test_every_public_name_is_found_and_is_not_a_module() -> None:
    assert {*RESULTS, "SensitivityN", "TextClassifier"} <= set(evaluation.__all__)
    for name in evaluation.__all__:
        assert type(getattr(evaluation, name)).__name__ != "module", name
    with pytest.raises(AttributeError, match="nothing"):
        _ = evaluation.nothing


def test_settings_without_effect_decide_no_row() -> None:
    words = NLPInsertionDeletionMetric(sigma=1.0)
    assert words.settings() == {"pixel_batch_size": 2, "max_fraction": 1.0, "replace": "zero"}
    found = InsertionDeletionMetric(sigma=1)
    assert found.settings() == {"sigma": 1.0, "pixel_batch_size": 10, "blur_radius": None}
    with pytest.raises(EvaluationError, match="--blur-radius"):
        InsertionDeletionMetric(blur_radius=-1)


def test_measures_that_stand_beside_each_other_hide_words_in_one_way() -> None:
    assert NLPInsertionDeletionMetric(replace="remove").replace == "remove"
    assert MaskInsertionDeletionMetric().replace == "mask"
    with pytest.raises(EvaluationError, match="replace"):
        MaskInsertionDeletionMetric(replace="zero")
