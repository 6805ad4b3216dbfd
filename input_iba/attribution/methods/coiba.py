"""One mask for the bottlenecks of several layers at once."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from input_iba.attribution.methods.base import Method, Needs
from input_iba.attribution.methods.task import MethodTask
from input_iba.attribution.methods.transformers import attend, name_of
from input_iba.core.bottleneck import Bottleneck, BottleneckSettings
from input_iba.core.hooks import find_layer, hooked
from input_iba.core.information import feature_capacity
from input_iba.core.optimise import fit_mask
from input_iba.core.tokens import Behind
from input_iba.errors import ConfigError
from input_iba.registry import BASELINES
from input_iba.settings import setting


@dataclass(frozen=True)
class LayerFeatures:
    """What flows at L layers of one shape, and what stands for noise there.

    Attributes:
        names: Of the layers, in their order.
        features: Of the unchanged inputs, (S, L, C, h, w).
        mean: Over the estimation set, (L, C, h, w).
        std: Its deviation, likewise.
    """

    names: tuple[str, ...]
    features: Tensor
    mean: Tensor
    std: Tensor


@BASELINES.register_module(name="coiba")
@dataclass(frozen=True)
class CoIBA(Method):
    """The mask of several layers' bottlenecks at once, in bits per pixel.

    At every layer λR + (1 − λ)ε takes the place of the features R, which earlier layers have made
    noisy; λ is the same at all of them. The loss is that of the target + β times the capacity,
    mean over layers and elements. Capacities are those of the clean features, in closed form: not
    the tighter bound of the paper, of which only the summary was at hand.

    References:
        After Hong et al. 2025 (arXiv 2507.04388); Schulz et al. 2020 (arXiv 2001.00396).
    """

    name: ClassVar[str] = "coiba"
    explains: ClassVar[frozenset[str]] = frozenset({"images"})
    needs: ClassVar[Needs] = "background"
    uses_captum: ClassVar[bool] = False
    counted_by: ClassVar[str] = "batch_size"

    layers: tuple[str, ...] = setting(
        (),
        "layers of one shape; empty for the first layer norm of each of a transformer's blocks, "
        "without the first third of them",
    )
    beta: float = setting(20.0, "weight of the mean capacity")
    opt_steps: int = setting(10, "steps of Adam", at_least=1)
    lr: float = setting(1.0, "its learning rate", above=0)
    batch_size: int = setting(10, "noise draws per sample and step", at_least=1)
    sigma: float = setting(1.0, "deviation of the mask's smoothing, in its positions; 0 for none")
    n_background: int = setting(100, "inputs of the estimation set for the noise", at_least=2)
    min_std: float = setting(0.01, "floor of the noise deviation", above=0)

    def maps(self, task: MethodTask) -> Tensor:
        """Return the maps of a few samples, (s, H, W); NaN where the loss was not finite."""
        at = self.at_layers(task)
        settings = BottleneckSettings(
            **{name: getattr(self, name) for name in ("beta", "opt_steps", "lr", "batch_size")}
        )
        fitted = fit_mask(
            self.bottleneck(task, at),
            task.losses,
            task.noise(self.name),
            settings,
            stage=self.name,
            internal_batch_size=task.internal_batch_size,
        )
        saliency = task.modality.saliency(fitted.capacity.mean(1), task.inputs)
        saliency[torch.tensor([reason is not None for reason in fitted.failures])] = torch.nan
        return saliency

    @torch.no_grad()
    def at_layers(self, task: MethodTask) -> LayerFeatures:
        """Return features and noise of all layers.

        Raises:
            ConfigError: The layers put out features of different shapes.
        """
        names = self.layers or self._chosen(task)
        background = task.references(self.name, at_least=2)
        parts = torch.split(background, task.internal_batch_size)
        own, others = list[Tensor](), list[Tensor]()
        for name in names:
            tapped = task.tapped(name)
            own.append(tapped.features(task.inputs))
            task.modality.check_features(own[-1], task.inputs, name)
            others.append(torch.cat([tapped.features(part) for part in parts]))
        shapes = {name: tuple(x.shape[1:]) for name, x in zip(names, own, strict=True)}
        if len(set(shapes.values())) > 1:
            told = ", ".join(f"{name!r} {shape}" for name, shape in shapes.items())
            raise ConfigError(f"Method {self.name!r} needs layers of one shape; got {told}.")
        noise = torch.stack(others, 1)
        std = noise.std(0).clamp_min(self.min_std)
        return LayerFeatures(tuple(names), torch.stack(own, 1), noise.mean(0), std)

    def _chosen(self, task: MethodTask) -> Sequence[str]:
        """Return what a transformer's blocks normalise first, but for the first third of them.

        A block without layer norm stands for itself.
        """
        with torch.enable_grad():
            blocks = attend(task.select([0]), self.name, "logit").blocks
        chosen = [block.module for block in blocks[len(blocks) // 3 :]]
        norms = [[m for m in block.modules() if isinstance(m, nn.LayerNorm)] for block in chosen]
        return [name_of(task, m[0] if m else b) for b, m in zip(chosen, norms, strict=True)]

    def bottleneck(self, task: MethodTask, at: LayerFeatures) -> Bottleneck:
        """Return the bottleneck, whose masks (S, L, C, h, w) are the same for all layers."""

        def shared(alpha: Tensor) -> Tensor:
            # All layers get the same gradient, so that their logits stay alike.
            mask = task.modality.smooth(alpha.mean(1, keepdim=True).sigmoid(), self.sigma)
            return mask.expand_as(alpha)

        def noisy(lambda_: Tensor, samples: slice, eps: Tensor) -> Tensor:
            """Return λ and, of every layer, (1 − λ)ε: (s, k, 1 + L, C, h, w)."""
            noise = (1 - lambda_) * (at.mean + at.std * eps)
            return torch.cat([lambda_[:, :, :1].expand_as(noise[:, :, :1]), noise], 2)

        def logits(samples: slice, mixed: Tensor) -> Tensor:
            rows = task.inputs[samples].repeat_interleave(mixed.shape[1], 0)
            tokens = task.tokens.select(samples).repeat(mixed.shape[1])
            found = self._run(task, at.names, rows, tokens, mixed.flatten(0, 1))
            return found.reshape(*mixed.shape[:2], -1)

        return Bottleneck(
            signal=at.features,
            mask=shared,
            noisy=noisy,
            logits=logits,
            capacity=lambda lambda_: feature_capacity(at.features, lambda_, at.mean, at.std),
        )

    def _run(
        self, task: MethodTask, names: Sequence[str], rows: Tensor, tokens: Behind, mixed: Tensor
    ) -> Tensor:
        """Run the classifier with noise at all layers; returns logits (s·k, classes)."""

        def rewrite(name: str, noise: Tensor, value: Any) -> Any:
            wrapping = task.wrappings[name, "output"]
            features = wrapping.unwrap(value, rows)
            mixture = mixed[:, 0] * features + noise
            return wrapping.rewrap(value, mixture.to(features.dtype), rows)

        with ExitStack() as stack:
            for name, noise in zip(names, mixed[:, 1:].unbind(1), strict=True):
                layer = find_layer(task.model, name)
                stack.enter_context(hooked(layer, partial(rewrite, name, noise)))
            return task.classifier.logits(rows, tokens)
