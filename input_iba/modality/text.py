"""Text: token ids (S, T), embeddings (S, T, E), features (S, T, D), maps (S, T)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from input_iba.core.arguments import NO_ARGUMENTS, Arguments
from input_iba.core.explainable import bare
from input_iba.core.hooks import Wrapping, find_layer
from input_iba.core.modes import frozen, padding_known, plain_attention
from input_iba.core.padding import PAD_INDEX, lengths_of
from input_iba.core.recurrent import RecurrentWrapping
from input_iba.core.targets import Facts, Spelling, numbers
from input_iba.core.tokens import ANSWER, Behind, Tokens
from input_iba.core.watched import Tap
from input_iba.errors import AttributionError, ConfigError
from input_iba.modality.base import Layout, Modality
from input_iba.modality.critics import TextCritic
from input_iba.modality.layer_choice import choose_text_layer
from input_iba.modality.tap_choice import text_taps
from input_iba.modality.text_ids import (
    check_embedded,
    checked_ids,
    length_argument,
    most_positions,
    shuffled,
    told_of,
    with_padding,
)
from input_iba.modality.text_places import Places, TextWrapping
from input_iba.modality.text_survey import Surveys, embeddings_replaced, word_embedding


class TextModality(Modality):
    """Texts of any length, padded on the right to one length.

    What is masked is what the embedding layer puts out. Padding is never seen by statistics,
    capacities, maps or critics; special tokens are neither masked nor scored.

    Args:
        pad: Id of the padding.
        special: Ids of special tokens.
        embedding: Name of the embedding layer; None for that of `get_input_embeddings()`, or the
            only `nn.Embedding`.
        spelled: Returns the text of some tokens.
    """

    kind: ClassVar[str] = "texts"
    channels: ClassVar[int] = 2
    movable: ClassVar[bool] = False

    def __init__(
        self,
        pad: int = PAD_INDEX,
        special: Sequence[int] = (),
        embedding: str | None = None,
        spelled: Spelling = numbers,
    ) -> None:
        self.pad = pad
        self.special = tuple(special)
        self.embedding = embedding
        self.spelled = spelled
        self._surveys = Surveys(embedding, self._call)

    def enter(self, model: nn.Module, inputs: Tensor) -> tuple[Tensor, Tokens]:
        """Embed token ids (S, T) to (S, T, E).

        Raises:
            AttributionError: A text is empty, an id has no embedding, or the classifier cannot
                tell padding from text.
        """
        if not bool(self._tokens(inputs).scored.any(1).all()):
            raise AttributionError("A text has no token to score: it is empty, or all padding.")
        return self.read(model, inputs)

    def read(self, model: nn.Module, inputs: Tensor) -> tuple[Tensor, Tokens]:
        """Embed token ids, also of texts that hold nothing but special tokens or padding."""
        model, tokens = bare(model), self._tokens(inputs)
        ids = tokens.ids
        if tokens.padded and length_argument(model) is None:
            raise AttributionError(
                f"The forward method of {type(model).__name__} takes neither 'lengths' nor "
                "'attention_mask', so it would read the padding of a shorter text as text. "
                "Explain texts of one length together, or give it one of these arguments."
            )
        check_embedded(ids, word_embedding(model, self.embedding).num_embeddings)
        reader = self._surveys.of(model, tokens).readers[0]
        with torch.no_grad():
            embeddings: Tensor = reader(ids)
        return embeddings, tokens

    def _tokens(self, inputs: Tensor) -> Tokens:
        return Tokens.of(checked_ids(inputs), self.pad, self.special)

    def padded(self, model: nn.Module, inputs: Tensor) -> tuple[Tensor, Tensor] | None:
        """Return token ids (1, T) without some in the middle, and with padding in their place."""
        if length_argument(bare(model)) is None:
            return None
        return with_padding(inputs, self.pad)

    def facts(
        self, values: Tensor, tokens: Behind, class_names: Sequence[str], use_softmax: bool
    ) -> list[Facts]:
        """Return what targets are told of each text: its length, and the answer at its end."""
        assert isinstance(tokens, Tokens)
        known = Facts(class_names, use_softmax, spelled=self.spelled)
        each = zip(tokens.lengths.tolist(), tokens.answers, strict=True)
        return [replace(known, length=length, answer=answer) for length, answer in each]

    def variations(self, inputs: Tensor, count: int) -> Iterator[Tensor]:
        """Yield texts of a half to all of the words of a text, in another order, no answers."""
        for i in range(count):
            ids = inputs[i % len(inputs)]
            text = Tokens.of(ids[ids < ANSWER][None], self.pad, self.special).trimmed()
            yield shuffled(text, seed=i)

    def one_by_one(self, inputs: Tensor) -> list[Tensor]:
        """Return token ids (S, T) as S texts (1, T_s)."""
        lengths = lengths_of(inputs, self.pad).tolist()
        return [text[None, :length] for text, length in zip(inputs, lengths, strict=True)]

    def run(self, model: nn.Module, inputs: Tensor, tokens: Behind) -> Any:
        """Run the classifier with `inputs` in place of what its embedding layer puts out."""
        assert isinstance(tokens, Tokens)  # enter() returns some
        model = bare(model)
        with embeddings_replaced(self._surveys.of(model, tokens).readers, tokens, inputs):
            return self._call(model, tokens)

    def choose_layer(
        self, model: nn.Module, example: Tensor, beside: Arguments = NO_ARGUMENTS
    ) -> str:
        """Return the name of a block of a transformer, found on token ids (1, T)."""
        model, tokens = bare(model), self._tokens(example).given(beside)
        return choose_text_layer(self, model, example, self._keeping(model, tokens))

    def taps(
        self, model: nn.Module, example: Tensor, tokens: Behind, *_: object
    ) -> tuple[Tap, ...]:
        """Return blocks that are equally far apart; see `text_taps`."""
        assert isinstance(tokens, Tokens)
        model, keeping = bare(model), self._keeping(bare(model), tokens)
        return text_taps(model, example, lambda x: self.run(model, x, tokens), keeping)

    def _keeping(self, model: nn.Module, tokens: Tokens) -> set[str]:
        """Return names of layers that put out one vector per token."""
        places = self._surveys.of(model, tokens).places
        return {name for name, module in model.named_modules() if (module, "output") in places}

    def most_tokens(self, model: nn.Module) -> int | None:
        """Return how long a text may be, as far as the classifier's positions say; None for any."""
        model, kept = bare(model), {self.pad, *self.special}
        ordinary = next(id_ for id_ in range(len(kept) + 1) if id_ not in kept)
        place = next((weight.device for weight in model.parameters()), None)
        tokens = Tokens.of(torch.full((1, 5), ordinary, device=place), self.pad)
        with torch.no_grad(), frozen(model):
            return most_positions(5, lambda: self._call(model, tokens))

    def _call(self, model: nn.Module, tokens: Tokens) -> Any:
        """Give token ids to the classifier, and tell it where texts end."""
        with plain_attention(), padding_known(model, self.pad):
            return model(tokens.ids, **told_of(model, tokens))

    def wrapping(
        self, model: nn.Module, layer: str, side: str, layout: Layout | None = None
    ) -> Wrapping:
        """Recurrent layers put out a sequence and a final state; others a tensor, or a tuple.

        Raises:
            ConfigError: A layout is given; where tokens stand is found out.
        """
        if layout is not None:
            raise ConfigError(f"layout={layout!r} has no meaning for texts. Leave it out.")
        module, network = find_layer(model, layer), bare(model)
        if isinstance(module, nn.RNNBase):
            return RecurrentWrapping(module, side)

        def places() -> Places | None:
            return self._surveys.last(network).places.get((module, side))

        return TextWrapping(places)

    def observations(self, features: Tensor, tokens: Behind) -> Tensor:
        """Take every scored token as one observation, (tokens, D).

        Raises:
            AttributionError: The features are not one vector per token.
        """
        assert isinstance(tokens, Tokens)
        if features.shape[:2] != tokens.scored.shape:
            got = f"{features.shape[1]} vectors for {tokens.scored.shape[1]} tokens"
            raise AttributionError(f"The layer puts out {got}; expected one each. Choose another.")
        return features[tokens.scored]

    def check_features(self, features: Tensor, inputs: Tensor, layer: str) -> None:
        """Refuse features that are not a sequence."""
        if features.ndim != 3:
            raise AttributionError(
                f"Layer {layer!r} puts out features of shape {tuple(features.shape[1:])}; expected "
                "(tokens, channels). Choose a layer that keeps one vector per token: "
                "'input-iba layers CONFIG' lists layers with their shapes."
            )

    def smooth(self, mask: Tensor, sigma: float) -> Tensor:
        """Leave the mask as it is: neighbouring words may differ."""
        return mask

    def position_bits(self, capacity: Tensor) -> Tensor:
        """Sum over hidden dimensions."""
        return capacity.sum(2) / math.log(2)

    def saliency(self, capacity: Tensor, inputs: Tensor) -> Tensor:
        """Sum over hidden dimensions: bits per token, (S, T); docs/METHOD.md, sections 2 and 7."""
        return self.position_bits(capacity)

    def spread(self, values: Tensor, inputs: Tensor) -> Tensor:
        """Return the values of the tokens, (S, T, 1) to (S, T)."""
        return values[..., 0]

    def expand(self, saliency: Tensor, inputs: Tensor) -> Tensor:
        """Give every embedding dimension the same map."""
        return saliency[:, :, None].expand_as(inputs).contiguous()

    def to_map(self, mask: Tensor) -> Tensor:
        """Average over embedding dimensions."""
        return mask.mean(2)

    def noise_shape(self, inputs: Tensor) -> tuple[int, ...]:
        """One value per embedding dimension."""
        return (1, inputs.shape[2])

    def critic(self, features: Tensor) -> nn.Module:
        """Build a recurrent critic."""
        return TextCritic(features.shape[2])

    def window(
        self, inputs: Tensor, side: float, stride: float
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return one token, whatever the shares are."""
        return (1, inputs.shape[2]), (1, inputs.shape[2])

    def segments(self, inputs: Tensor, tokens: Behind, kind: str, tiles: int) -> Tensor:
        """Return every token as a segment; special ones join the word before, or the first."""
        assert isinstance(tokens, Tokens)  # blanking special tokens changes nothing
        return (tokens.scored[0].long().cumsum(0) - 1).clamp(min=0)
