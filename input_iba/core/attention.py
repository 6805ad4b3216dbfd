"""The attention that a network computes, in whatever way: its weights, within the graph.

Fused attention keeps its weights to itself. For the time of a pass it is therefore computed step
by step; the network's modules are not touched.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from input_iba.core.hooks import rewrap, unwrap
from input_iba.core.modes import replaced_forward
from input_iba.errors import AttributionError

SOFTMAXES = frozenset({F.softmax, torch.softmax, Tensor.softmax, torch.special.softmax})
"""Of networks that compute attention step by step themselves."""


@dataclass(eq=False)
class Call:
    """One call of a module.

    Attributes:
        module: Which.
        number: Which of the module's calls it is, from 0.
        attentions: How often attention is computed within it.
        given: The first tensor that it is given, if any.
        output: What it puts out.
    """

    module: nn.Module
    number: int
    attentions: int = 0
    given: Tensor | None = None
    output: Any = None


@dataclass(frozen=True)
class Attention:
    """Attention that was computed once.

    Attributes:
        weights: As computed, (S, heads, N, N) or (S·heads, N, N).
        within: The calls that it was computed in, from the outermost.
    """

    weights: Tensor
    within: tuple[Call, ...]

    def by_heads(self, values: Tensor, samples: int) -> Tensor:
        """Return values of the shape of the weights as (S, heads, N, N)."""
        return values.reshape(samples, -1, *values.shape[-2:])

    def block(self, samples: int) -> Call | None:
        """Return the largest call with no other attention that maps tokens (S, N, D) to such."""
        tokens = (samples, self.weights.shape[-1])
        for call in self.within:
            if call.attentions != 1 or call.given is None:
                continue
            try:
                shape = unwrap(call.output).shape
            except AttributionError:
                continue
            if len(shape) == 3 and shape == call.given.shape and shape[:2] == tokens:
                return call
        return None


@contextmanager
def recorded_attention(model: nn.Module) -> Iterator[list[Attention]]:
    """Lend a list to which every attention that the model computes is added, in order.

    Nothing is dropped out of the weights.
    """
    found: list[Attention] = []
    running: list[Call] = []
    calls: dict[nn.Module, int] = {}

    def begin(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        number = calls[module] = calls.get(module, -1) + 1
        running.append(Call(module, number, given=first_tensor(args, kwargs)))

    def end(_module: nn.Module, _args: object, output: Any) -> None:
        running.pop().output = output

    def note(weights: Tensor) -> None:
        for call in running:
            call.attentions += 1
        found.append(Attention(weights, tuple(running)))

    with ExitStack() as stack:
        for module in model.modules():
            stack.enter_context(module.register_forward_pre_hook(begin, with_kwargs=True))
            stack.enter_context(module.register_forward_hook(end, always_call=True))
        with _StepByStep(note):
            yield found


@contextmanager
def bypassed(calls: Sequence[Call]) -> Iterator[None]:
    """Make calls put out what they are given, without computing anything."""
    by_module: dict[nn.Module, dict[int, Call]] = {}
    for call in calls:
        by_module.setdefault(call.module, {})[call.number] = call

    def around(own: Callable[..., Any], skipped: dict[int, Call]) -> Callable[..., Any]:
        number = -1

        def forward(*args: Any, **kwargs: Any) -> Any:
            nonlocal number
            number += 1
            if number not in skipped:
                return own(*args, **kwargs)
            given = first_tensor(args, kwargs)
            assert given is not None  # as when the call was recorded
            return rewrap(skipped[number].output, given)

        return forward

    with ExitStack() as stack:
        for module, skipped in by_module.items():
            stack.enter_context(replaced_forward(module, around(module.forward, skipped)))
        yield


def first_tensor(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor | None:
    """Return the first tensor among a module's arguments; None without one."""
    values = (*args, *kwargs.values())
    return next((value for value in values if isinstance(value, Tensor)), None)


class _StepByStep(TorchFunctionMode):
    """Computes attention so that its weights are seen, and tells `note` about them."""

    def __init__(self, note: Callable[[Tensor], None]) -> None:
        super().__init__()
        self.note = note
        self.last: Tensor | None = None

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if func is F.scaled_dot_product_attention:
            return self._attend(*args, **kwargs)
        if func is F.multi_head_attention_forward:
            return self._multi_head(*args, **kwargs)
        result = func(*args, **kwargs)
        if func in SOFTMAXES and result.ndim in (3, 4) and result.shape[-1] == result.shape[-2]:
            self.note(result)
        return result

    def _attend(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attn_mask: Tensor | None = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,
        scale: float | None = None,
        enable_gqa: bool = False,
    ) -> Tensor:
        """Compute what `F.scaled_dot_product_attention` does, by its definition."""
        if enable_gqa:
            groups = query.shape[-3] // key.shape[-3]
            key, value = (part.repeat_interleave(groups, -3) for part in (key, value))
        scores = query @ key.mT * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)
        if is_causal:
            attn_mask = torch.ones_like(scores[(0,) * (scores.ndim - 2)], dtype=torch.bool).tril()
        if attn_mask is None:
            weights = scores.softmax(-1)
        elif attn_mask.dtype == torch.bool:
            lowest = torch.finfo(scores.dtype).min
            # Times the mask: a row in which nothing may be attended to is 0.
            weights = scores.masked_fill(~attn_mask, lowest).softmax(-1) * attn_mask
        else:
            weights = (scores + attn_mask).softmax(-1)
        self.last = weights
        self.note(weights)
        return weights.to(value.dtype) @ value

    def _multi_head(self, *args: Any, need_weights: bool = True, **kwargs: Any) -> Any:
        """Compute what `F.multi_head_attention_forward` does, by our own attention."""
        average = kwargs.pop("average_attn_weights", True)
        output, _ = _multi_head_with(self._attend)(*args, need_weights=False, **kwargs)
        if not need_weights or self.last is None:
            return output, None
        weights = self.last.mean(1) if average else self.last
        return output, weights if output.ndim == 3 else weights[0]


def _multi_head_with(attend: Callable[..., Tensor]) -> Callable[..., tuple[Tensor, Tensor | None]]:
    """Return torch's multi-head attention with another attention at its heart.

    It is a copy of the function whose names are looked up elsewhere, so that nothing of torch
    itself changes, for other threads neither.
    """
    own: Any = F.multi_head_attention_forward
    names = {**own.__globals__, "scaled_dot_product_attention": attend}
    copy = FunctionType(own.__code__, names, own.__name__, own.__defaults__, own.__closure__)
    copy.__kwdefaults__ = own.__kwdefaults__
    return copy
