"""What one pass shows about a classifier of text: who embeds the text, and where it then stands."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from input_iba.core.hooks import find_layer, unwrap
from input_iba.core.modes import frozen, replaced_forward
from input_iba.core.tokens import Tokens
from input_iba.errors import AttributionError
from input_iba.modality.text_places import Places, find_places

LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class Survey:
    """Who embeds the text, and where it stands at every layer.

    Attributes:
        readers: Modules of one weight that embed the text: an encoder has its own, and a decoder
            that reads the same text another.
        places: Where the tokens stand at a side, 'input' or 'output', of a module. Those that are
            not (B, T, D) or (T, B, D), or hold other tokens, are missing.
    """

    readers: tuple[nn.Embedding, ...]
    places: Mapping[tuple[nn.Module, str], Places]


def survey(
    model: nn.Module, named: nn.Embedding, tokens: Tokens, run: Callable[[], object]
) -> Survey:
    """Watch a classifier read a text that is repeated, (B, T), where B is not T.

    `named` is the embedding that it, or the user, says is the one of words.

    Raises:
        AttributionError: The embedding is not given the text; names those that are.
    """
    (texts, tokens_each), longest = tokens.ids.shape, int(tokens.lengths.max())
    embedded: dict[nn.Embedding, None] = {}
    at_layers: dict[tuple[nn.Module, str], Places] = {}
    # Where the texts stood for the embedding that was called last, in ids of which length.
    places, length = Places(), tokens_each

    def embed(module: nn.Embedding, args: Any, kwargs: Any) -> None:
        nonlocal places, length
        if module.num_embeddings != named.num_embeddings:
            return  # of positions, which may be given the text for its shape alone
        given = _ids_in(args, kwargs)
        found = find_places(given, tokens.ids, longest)
        if found is not None:
            embedded[module] = None
            places, length = found, found.length(given) if given.ndim == 2 else tokens_each

    def note(module: nn.Module, side: str, value: Any) -> None:
        with suppress(AttributionError):
            shape = unwrap(value).shape
            turned = shape[:2] == (length, texts)
            if len(shape) == 3 and (turned or shape[:2] == (texts, length)):
                at_layers.setdefault((module, side), Places(places.shift, turned))

    with ExitStack() as stack:
        for module in model.modules():
            if isinstance(module, nn.Embedding):
                stack.enter_context(module.register_forward_pre_hook(embed, with_kwargs=True))
            if module is not model:
                for hook in (
                    module.register_forward_pre_hook(lambda m, args: note(m, "input", args)),
                    module.register_forward_hook(lambda m, _args, out: note(m, "output", out)),
                ):
                    stack.enter_context(hook)
        run()
    return Survey(_readers(model, named, list(embedded)), at_layers)


@contextmanager
def embeddings_replaced(
    readers: tuple[nn.Embedding, ...], tokens: Tokens, embeddings: Tensor
) -> Iterator[None]:
    """Make modules put out given embeddings (B, T, E) wherever they are given the tokens."""
    longest = int(tokens.lengths.max())

    def instead(own: Callable[..., Tensor]) -> Callable[..., Tensor]:
        def forward(*args: Any, **kwargs: Any) -> Tensor:
            given = _ids_in(args, kwargs)
            places = find_places(given, tokens.ids, longest)
            if places is None:
                return own(*args, **kwargs)
            return places.put(embeddings, lambda: own(*args, **kwargs), given)

        return forward

    with ExitStack() as stack:
        for module in readers:
            stack.enter_context(replaced_forward(module, instead(module.forward)))
        yield


def _ids_in(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Tensor:
    ids: Tensor = args[0] if args else next(iter(kwargs.values()))
    return ids


def _readers(
    model: nn.Module, named: nn.Embedding, called: list[nn.Embedding]
) -> tuple[nn.Embedding, ...]:
    """Choose the modules that share the weight of the named embedding and are given the text."""
    names = {module: name for name, module in model.named_modules()}
    alike = tuple(module for module in called if module.weight is named.weight)
    others = ", ".join(f"'{names[module]}'" for module in called if module not in alike)
    if not alike:
        raise AttributionError(
            f"The embedding '{names.get(named, type(named).__name__)}' of {type(model).__name__} "
            "is not given the texts' ids in the forward pass, so its output cannot be replaced; "
            f"expected a module that is called with all of them at once. "
            f"{f'They are given to {others}. ' if others else ''}"
            "Name the right nn.Embedding: TextModality(embedding='...')."
        )
    if others:
        LOGGER.warning(
            "%s of %s embeds the texts, too, with weights of its own, and goes on reading every "
            "word: the maps are about '%s' alone.",
            others,
            type(model).__name__,
            names[alike[0]],
        )
    return alike


def word_embedding(model: nn.Module, name: str | None = None) -> nn.Embedding:
    """Return the embedding layer that the user, or else the classifier, names.

    Raises:
        AttributionError: There is none, or several and no name.
    """
    found: Any = None
    getter: Any = getattr(model, "get_input_embeddings", None)
    if name is not None:
        found = find_layer(model, name)
    elif getter is not None:
        with suppress(NotImplementedError):  # of `transformers` that embed no words
            found = getter()
    else:
        layers = [module for module in model.modules() if isinstance(module, nn.Embedding)]
        found = layers[0] if len(layers) == 1 else None
    if not isinstance(found, nn.Embedding):
        raise AttributionError(
            f"No embedding layer of {type(model).__name__} is known. Give the name of an "
            "nn.Embedding: TextModality(embedding='...')."
        )
    return found


class Surveys:
    """What one pass has shown about each classifier, kept as long as the classifier is.

    Args:
        embedding: Name of the embedding layer; None for the one that the classifier says.
        call: Gives texts to a classifier.
    """

    def __init__(self, embedding: str | None, call: Callable[[nn.Module, Tokens], object]) -> None:
        self._embedding, self._call = embedding, call
        self._known: WeakKeyDictionary[nn.Module, tuple[nn.Embedding, Survey]] = WeakKeyDictionary()

    def of(self, model: nn.Module, tokens: Tokens) -> Survey:
        """Return what a pass of the first text shows, or showed for the same embedding."""
        named = word_embedding(model, self._embedding)
        known = self._known.get(model)
        if known is not None and known[0] is named:
            return known[1]
        first = tokens.select([0]).repeat(3 if tokens.ids.shape[1] == 2 else 2)
        with torch.no_grad(), frozen(model):
            found = survey(model, named, first, lambda: self._call(model, first))
        self._known[model] = (named, found)
        return found

    def last(self, model: nn.Module) -> Survey:
        """Return what the last pass showed."""
        return self._known[model][1]
