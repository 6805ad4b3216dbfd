"""What an explanation of several inputs found: records, their maps as one tensor, a page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Generic, TypeVar, overload

import numpy as np
import torch
from markupsafe import Markup
from torch import Tensor

from input_iba.drawing.card import questions_card
from input_iba.drawing.pages import render
from input_iba.drawing.words import Shown
from input_iba.errors import AttributionError, ConfigError
from input_iba.records import Attribution, Explanation, Failure

Kind_co = TypeVar("Kind_co", bound=Explanation, covariant=True)


class Attributions(Sequence[Kind_co | Failure], Generic[Kind_co]):
    """The records of S inputs, in order; a `Failure` where one could not be explained."""

    def __init__(self, records: Iterable[Kind_co | Failure]) -> None:
        self.records = tuple(records)

    @overload
    def __getitem__(self, index: int) -> Kind_co: ...

    @overload
    def __getitem__(self, index: slice) -> Attributions[Kind_co]: ...

    def __getitem__(self, index: int | slice) -> Kind_co | Attributions[Kind_co]:
        """Return one record, or some of them."""
        if isinstance(index, slice):
            return Attributions(self.records[index])
        return self.records[index]  # type: ignore[return-value]  # a Failure where asked for

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Kind_co]:
        return iter(self.records)  # type: ignore[arg-type]

    @property
    def maps(self) -> Tensor:
        """All maps in bits: (S, 1, H, W), as captum has them; of texts (S, T), 0 at padding.

        Of signals they are (S, 1, T), of volumes (S, 1, D, H, W). NaN where an input could
        not be explained.
        """
        explained = [r for r in self.records if isinstance(r, Explanation)]
        masks = [r.map if isinstance(r, Explanation) else None for r in self.records]
        known = [record.map for record in explained]
        if not known:
            return torch.full((len(masks), 1), torch.nan)
        shape = tuple(max(mask.shape[axis] for mask in known) for axis in range(known[0].ndim))
        found = known[0].new_zeros(len(masks), *shape)
        for row, mask in zip(found, masks, strict=True):
            if mask is None:
                row.fill_(torch.nan)
            else:
                row[tuple(slice(size) for size in mask.shape)] = mask
        return found if explained[0].of_words else found[:, None]

    @property
    def inputs(self) -> tuple[Attributions[Attribution], ...]:
        """Of several inputs masked together what was found about each; else nothing."""
        explained = [r for r in self.records if isinstance(r, Attribution)]
        count = len(explained[0].inputs) if explained else 0
        return tuple(
            Attributions(
                r.inputs[i] if isinstance(r, Attribution) else r
                for r in self.records
                if isinstance(r, Attribution | Failure)
            )
            for i in range(count)
        )

    def to_html(self, path: str | Path) -> Path:
        """Write one page with all records that opens anywhere; return where it is."""
        file = Path(path)
        page = render("cards.html.j2", title=file.stem, cards=self._repr_html_())
        file.write_text(page, encoding="utf-8")
        return file

    def _repr_html_(self) -> Markup:
        return Markup("\n").join(_card(list(group)) for _, group in groupby(self.records, _text))


def _text(record: Explanation | Failure) -> Any:
    """Return the text of a record, which those of several questions about it share."""
    if isinstance(record, Failure) or not record.words:
        return id(record)
    return [word for word, _ in record.words], list(record.gaps)


def _card(records: list[Explanation | Failure]) -> Markup:
    first = records[0]
    if isinstance(first, Failure):
        return Markup("<p><b>{}</b>: {}</p>").format(first.id, first.reason)
    if len(records) == 1:
        return first._repr_html_()
    known = [record for record in records if isinstance(record, Explanation)]
    text = Shown([word for word, _ in first.words], first.gaps)
    return questions_card(
        text,
        [
            (
                *(record.name(), record.title(), record.believed()),
                np.array([value for _, value in record.words]),
            )
            for record in known
        ],
    )


ON_ERROR = ("raise", "return")


def check_on_error(on_error: str) -> None:
    """Raise a `ConfigError` for what is not one of `ON_ERROR`."""
    if on_error not in ON_ERROR:
        raise ConfigError(f"on_error is one of {', '.join(ON_ERROR)}; got {on_error!r}.")


def raise_failed(found: Sequence[Explanation | Failure]) -> None:
    """Raise an `AttributionError` where an input could not be explained."""
    failed = [record for record in found if isinstance(record, Failure)]
    if failed:
        raise AttributionError(
            f"{len(failed)} of {len(found)} inputs could not be explained. The first, "
            f"{failed[0].id!r}: {failed[0].reason}. on_error='return' keeps the others."
        )
