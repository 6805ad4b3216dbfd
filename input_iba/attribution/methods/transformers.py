"""Methods that read the attention of transformers, of images and of texts."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from input_iba.attribution.methods.base import ScoringMethod
from input_iba.attribution.methods.task import MethodTask
from input_iba.core.attention import Attention, Call, bypassed, recorded_attention
from input_iba.errors import AttributionError
from input_iba.registry import BASELINES


@dataclass(frozen=True)
class Pass:
    """A pass of S samples of N tokens through a network whose L layers attend.

    Attributes:
        scores: Of the targets, (S,).
        attentions: Of the layers, in their order.
        blocks: The call of each layer's block.
    """

    scores: Tensor
    attentions: tuple[Attention, ...]
    blocks: tuple[Call, ...]

    def weights(self, layer: int) -> Tensor:
        """Return what each token attends to at a layer, (S, heads, N, N)."""
        attention = self.attentions[layer]
        return attention.by_heads(attention.weights.detach(), len(self.scores))

    def gradients(self, layers: slice = slice(None)) -> list[Tensor]:
        """Return the scores' gradients with respect to these, one per layer, 0 without any."""
        chosen = self.attentions[layers]
        weights = [attention.weights for attention in chosen]
        found = torch.autograd.grad(
            self.scores.sum(), weights, retain_graph=True, allow_unused=True, materialize_grads=True
        )
        pairs = zip(chosen, found, strict=True)
        return [attention.by_heads(values, len(self.scores)) for attention, values in pairs]


@dataclass(frozen=True)
class AttentionMethod(ScoringMethod):
    """The methods' common steps: a pass, a value per token, and where the tokens lie.

    Of a network that reads one token in the end, the class token say, what that token got from the
    others counts; of one that reads several, the mean over these. They are known by the gradient
    with respect to the last layer's weights.
    """

    uses_captum: ClassVar[bool] = False

    def maps(self, task: MethodTask) -> Tensor:
        """Return the maps of a few samples, (s, H, W) or (s, T)."""
        found = attend(task, self.name, self.score)
        name = name_of(task, found.blocks[0].module)
        values = self.values(task, found).to(task.inputs.dtype)[..., None]
        lying = task.tapped(name).arranged(values, task.inputs, task.tokens)
        return task.modality.spread(lying, task.inputs)

    @abstractmethod
    def values(self, task: MethodTask, found: Pass) -> Tensor:
        """Return a value of each token of a few samples, (s, N)."""


def attend(task: MethodTask, method: str, score: str) -> Pass:
    """Run a network on a few samples for a method that explains a kind of score.

    Raises:
        AttributionError: It does not attend, or not from all tokens to all in every layer.
    """
    with recorded_attention(task.model) as attentions:
        scores = task.scorer(score)(task.leaf())
    if not attentions:
        raise AttributionError(
            f"Method {method!r} reads attention, and {type(task.model).__name__} computes none "
            "that is known: F.scaled_dot_product_attention, nn.MultiheadAttention, or a softmax "
            "over tokens. Use another method, such as 'int_grad'."
        )
    blocks = [_block(task, method, attention, attentions[0]) for attention in attentions]
    return Pass(scores, tuple(attentions), tuple(blocks))


def _block(task: MethodTask, method: str, attention: Attention, first: Attention) -> Call:
    samples, shape = len(task.ids), attention.weights.shape
    alike = shape[-2:] == first.weights.shape[-2:]
    whole = shape[-1] == shape[-2] and shape[0] % samples == 0
    one_each = len(shape) == 3 or shape[0] == samples
    decodes = getattr(getattr(task.model, "config", None), "is_encoder_decoder", False)
    block = attention.block(samples)
    if alike and whole and one_each and block is not None and not decodes:
        return block
    inner = attention.within[-1].module if attention.within else task.model
    raise AttributionError(
        f"Method {method!r} follows tokens from layer to layer, each of which must attend from "
        f"all tokens to all of them; {name_of(task, inner) or type(inner).__name__!r} has weights "
        f"of shape {tuple(shape)} for {samples} samples, the first layer "
        f"{tuple(first.weights.shape)}. Windows, pooling and decoders that read an encoder do not "
        "fit. Use another method, such as 'int_grad'."
    )


def name_of(task: MethodTask, module: nn.Module) -> str:
    """Return the name of a module of the network."""
    names: dict[nn.Module, str] = {m: name for name, m in task.model.named_modules()}
    return names[module]


def read_rows(gradient: Tensor) -> Tensor:
    """Return the share of each token in what the score reads behind the last layer, (S, N).

    `gradient` is that of the scores with respect to the last layer's weights, (S, heads, N, N).
    """
    read = gradient.ne(0).flatten(3).any(3).any(1).to(gradient.dtype)
    return read / read.sum(1, keepdim=True).clamp_min(1)


@BASELINES.register_module(name="attention_rollout")
@dataclass(frozen=True)
class AttentionRollout(AttentionMethod):
    """How much of each token attention alone hands on, half of it past every layer.

    The product over layers of (A + I) / 2, with A the mean over heads. Whatever is explained, the
    map is the same.

    References:
        Abnar and Zuidema 2020 (arXiv 2005.00928), equation 1.
    """

    name: ClassVar[str] = "attention_rollout"

    def values(self, task: MethodTask, found: Pass) -> Tensor:
        """Return a value of each token of a few samples, (s, N)."""
        row = read_rows(found.gradients(slice(-1, None))[0])[:, None]
        for layer in reversed(range(len(found.blocks))):
            row = (row + row @ found.weights(layer).mean(1).to(row.dtype)) / 2
        return row[:, 0]


@BASELINES.register_module(name="gradient_attention")
@dataclass(frozen=True)
class GradientAttention(AttentionMethod):
    """Attention that speaks for the target, rolled up over the layers.

    With Ā the mean over heads of the positive part of A times its gradient, R = I at first and
    R ← R + Ā R at every layer. What R is at first is taken off the map in the end: it is 0 where
    one token is read, but for that token.

    References:
        Chefer et al. 2021 (arXiv 2103.15679), equations 5 and 6.
    """

    name: ClassVar[str] = "gradient_attention"

    def values(self, task: MethodTask, found: Pass) -> Tensor:
        """Return a value of each token of a few samples, (s, N)."""
        gradients = found.gradients()
        read = read_rows(gradients[-1])[:, None]
        gained = torch.zeros_like(read)  # apart from R's beginning, beside which it may be tiny
        for layer in reversed(range(len(found.blocks))):
            positive = (found.weights(layer) * gradients[layer]).relu().mean(1)
            gained = gained + (read + gained) @ positive
        return gained[:, 0]


@BASELINES.register_module(name="legrad")
@dataclass(frozen=True)
class LeGrad(AttentionMethod):
    """How much more attention to a token would speak for the target, at every layer by itself.

    The target's score is read behind each layer in turn, as if that were the last one. The
    positive part of its gradient with respect to that layer's weights is averaged over heads, over
    the tokens that attend, and over the layers.

    References:
        Bousselham et al. 2024 (arXiv 2404.03214), section 3.
    """

    name: ClassVar[str] = "legrad"

    def values(self, task: MethodTask, found: Pass) -> Tensor:
        """Return a value of each token of a few samples, (s, N)."""
        [total] = found.gradients(slice(-1, None))
        total = total.relu().mean(1).sum(1)
        for layer in range(len(found.blocks) - 1):
            with bypassed(found.blocks[layer + 1 :]):
                short = attend(task, self.name, self.score)
            [gradient] = short.gradients(slice(layer, layer + 1))
            total = total + gradient.relu().mean(1).sum(1)
        lengths = task.tokens.lengths
        count = total.shape[1] if lengths is None else lengths.to(total)[:, None]
        return total / count / len(found.blocks)
