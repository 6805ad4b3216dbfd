"""Texts without a config: what a sequence classifier needs, and what is printed of its answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup
from matplotlib.figure import Figure

from input_iba import models
from input_iba.commands.explain.given import (
    Given,
    class_lines,
    name_of_all,
    overlay_path,
    refuse_absent,
)
from input_iba.commands.explain.options import TextOptions
from input_iba.config.load import RunConfig
from input_iba.core.hooks import find_layer
from input_iba.core.targets import GenerationTarget
from input_iba.datasets import build_dataset
from input_iba.datasets.class_index import Classes
from input_iba.datasets.given_texts import name_of
from input_iba.datasets.tokens import cleaned
from input_iba.drawing.card import draw_words, questions_card
from input_iba.drawing.pages import render
from input_iba.drawing.words import as_it_stands, word_heats
from input_iba.errors import ConfigError
from input_iba.modality.kinds import KINDS
from input_iba.results import (
    RecordLog,
    SampleRecord,
    StoredFiles,
    read_text_mask,
    write_text,
    written_whole,
)

MAX_WORDS = 20
"""Words that are printed, at most, the strongest first."""

BAR = 20
"""Letters of the longest bar."""


@dataclass(frozen=True, kw_only=True)
class GivenTexts(TextOptions, Given):
    """Texts, and a folder or hub name of a sequence classifier of `transformers`."""

    @property
    def name(self) -> Path:
        """Return a name of the texts' first words.

        >>> GivenTexts(texts=("A fine film.", "Dull."), model="bert").name
        PosixPath('A_fine_film_and_1_more.txt')
        """
        return name_of_all(Path(f"{name_of(cleaned(self.texts[0]))}.txt"), len(self.texts))

    def content(self) -> dict[str, Any]:
        """Return data and attributor as a config has them."""
        if self.model is None:
            raise ConfigError(
                "--text needs --model: a folder with a sequence classifier of `transformers` and "
                "its tokenizer, as `save_pretrained` writes them, or a name on the hub. No "
                "classifier of text comes with the package; the MiniLM of the extra 'minilm' is an "
                "encoder, which tells no classes apart before a head is trained "
                "(configs/minilm_imdb.py)."
            )
        _refuse_files(self.texts)
        classifier_cfg = self.classifier_config(self.model)
        classifier = models.build_classifier(classifier_cfg).eval()
        question = self.question(classifier)
        known: Any = classifier.config
        count, classes = known.num_labels, None
        if count > 1 and question is None:  # one logit tells two classes apart, without names
            classes = [str(known.id2label.get(i, f"class {i}")) for i in range(count)]
        texts = [cleaned(text) for text in self.texts]
        named = {} if self.ids is None else {"names": self.ids}
        data = self.data(
            {"type": "TextVariations", "texts": texts},
            {"type": "GivenTexts", "texts": texts, "classes": classes, **named},
        )
        kind = KINDS["NLP"]
        dataset = kind.readable(classifier, build_dataset(data["attribution"]), question)
        if question is None:
            refuse_absent([dataset.target(i) for i in range(len(dataset))], max(count, 2))
        first, *_ = [dataset[i] for i in range(len(dataset))]  # all of them, so that none is bad
        layer = self.layer or kind.modality(classifier).choose_layer(classifier, first.input[None])
        find_layer(classifier, layer)
        attributor = {"type": "NLPAttributor", "layer": layer, "classifier": classifier_cfg}
        asked = self.asked(None if classes is None else Classes(classes))
        if question is not None:
            asked = {"attribution_cfg": {"target": {"type": question.type, **asdict(question)}}}
        return {"data": data, "attributor": attributor, **asked}

    @property
    def ids(self) -> list[str] | None:
        """Return what the texts are called; None for their first words."""
        return None

    def classifier_config(self, model: str) -> dict[str, Any]:
        """Return the config of a sequence classifier."""
        return {"source": "transformers", "type": model, "pretrained": True}

    def question(self, classifier: Any) -> GenerationTarget | None:
        """Return what is asked of a language model, its own answer by default; else None.

        Raises:
            ConfigError: Options do not fit each other, or the classifier.
        """
        given = {
            "--continuation": self.continuation is not None,
            "--generate": self.generate is not None,
            "--each-token": self.each_token,
        }
        flags = [flag for flag, is_given in given.items() if is_given]
        generates = getattr(classifier, "can_generate", None)
        if generates is None or not generates():
            if flags:
                raise ConfigError(
                    f"{' and '.join(flags)} ask about the answer of a causal language model, and "
                    f"'{self.model}' holds a {type(classifier).__name__}. Leave them out."
                )
            return None
        if given["--continuation"] and given["--generate"]:
            raise ConfigError(
                "--continuation gives the answer and --generate lets the model answer: leave one "
                "of them out."
            )
        if self.targets or self.instead_of is not None:
            raise ConfigError(
                f"--target and --instead-of are about classes, and '{self.model}' holds a language "
                "model, which answers. Ask with --continuation or --generate."
            )
        length = {} if self.generate is None else {"max_tokens": self.generate}
        return GenerationTarget(self.continuation, each_token=self.each_token, **length)

    def told(self, config: RunConfig, root: Path) -> str:
        """Return what is printed of the samples; of answers, write a page to choose words in."""
        said = super().told(config, root)
        if not isinstance(config.question, GenerationTarget):
            return said
        page = _answers_page(self.name.stem, RecordLog(root / "records.jsonl").load(), root)
        write_text(root / "answers.html", page)
        return f"{said}\n\nAnswers, to choose words in: {root / 'answers.html'}"

    def shown(self, config: RunConfig, root: Path, record: SampleRecord) -> Iterator[str]:
        """Draw a text with its words coloured, and yield it, its classes and strongest words."""
        _, mask, shown = read_text_mask(StoredFiles(root).at(record.map_file))
        yield as_it_stands("".join(shown.parts))
        yield from class_lines(record)
        values = mask.tolist()
        order = sorted(range(len(values)), key=lambda place: -values[place])
        width = max(len(shown.words[place]) for place in order[:MAX_WORDS])
        heats = word_heats(mask)
        for place in order[:MAX_WORDS]:
            bar = "█" * round(BAR * float(heats[place]))
            word = as_it_stands(shown.words[place]).ljust(width)
            yield f"  {word}  {values[place]:.3f}  {bar}".rstrip()
        if len(order) > MAX_WORDS:
            yield f"  … and {len(order) - MAX_WORDS} more"
        path = overlay_path(root, record)
        figure = Figure(layout="constrained")
        draw_words(figure, list(zip(shown.words, values, strict=True)), shown.gaps)
        with written_whole(path) as aside:
            figure.savefig(aside, format="png", dpi=110)
        yield f"  Overlay: {path}"
        yield f"  Coloured words: {StoredFiles(root).at(record.files['highlights'])}"


def _refuse_files(texts: Sequence[str]) -> None:
    """Refuse the names of files, which would be explained as if they were the texts."""
    for text in texts:
        try:
            is_file = bool(Path(text).suffix) and Path(text).is_file()
        except (OSError, ValueError):  # too long for a name
            is_file = False
        if is_file:
            raise ConfigError(
                f"--text {text!r} is the name of a file. Give what is in it: "
                f"--text \"$(cat '{text}')\"; for many files a config with type='TextFolder'."
            )


def _answers_page(title: str, records: Mapping[str, SampleRecord], root: Path) -> str:
    """Return one page with a card for every prompt, coloured for what is chosen of its answer."""
    by_prompt: dict[str, list[SampleRecord]] = {}
    for record in records.values():
        if record.status == "done":
            by_prompt.setdefault(record.path, []).append(record)
    cards = []
    for found in by_prompt.values():
        found.sort(key=lambda record: (len(record.id), record.id))  # all of it, token 1, 2, … 10
        masks = [read_text_mask(StoredFiles(root).at(record.map_file)) for record in found]
        rows = [
            (
                *(record.class_name, " · ".join(line.strip() for line in class_lines(record))),
                *(record.believed, mask),
            )
            for record, (_, mask, _) in zip(found, masks, strict=True)
        ]
        cards.append(questions_card(masks[0][2], rows))
    return render("cards.html.j2", title=title, cards=Markup("\n").join(cards))
