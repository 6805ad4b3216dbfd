"""A caller's model, with what reads inputs for it and builds what explains it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, nn

from input_iba.attribution.attributor import Attributor
from input_iba.attribution.loaded import load_model
from input_iba.attribution.methods import Method, MethodAttributor
from input_iba.attribution.presets import Preset, preset_of
from input_iba.attribution.recommend.candidates import Present
from input_iba.attribution.start import Start
from input_iba.core.arguments import Arguments
from input_iba.core.explainable import check_explainable, device_of
from input_iba.core.outputs import Output
from input_iba.core.precision import choose_precision
from input_iba.errors import AttributionError
from input_iba.modality import Layout, Modality
from input_iba.modality.inputs import Inputs
from input_iba.modality.several_inputs import reader_of
from input_iba.records import FeatureStatistics

AS_THEY_ARE = (Tensor, str, Sequence, np.ndarray)
"""Data that are looked at without being used up."""


class BorrowedModel:
    """A model, how its inputs are read, and how it is explained; see `InputIBA`."""

    def __init__(
        self,
        model: nn.Module | str | Path,
        layer: str | None = None,
        *,
        preset: str | Preset = "fast",
        start: Start | None = None,
        tokenizer: Any = None,
        transform: Any = None,
        class_names: Sequence[str] | None = None,
        use_softmax: bool = True,
        modality: Modality | None = None,
        precision: str = "auto",
        layout: Layout | None = None,
        output: Output | None = None,
        internal_batch_size: int | None = None,
    ) -> None:
        if not isinstance(model, nn.Module | str | Path):
            raise AttributionError(
                f"Expected a model, an nn.Module or the name of one; got {type(model).__name__}. "
                "Weights alone (a state dict) are no model: build the network, and load them with "
                "model.load_state_dict(...)."
            )
        if not isinstance(model, nn.Module):
            loaded = load_model(str(model))
            tokenizer, transform = tokenizer or loaded.tokenizer, transform or loaded.transform
            class_names = class_names or loaded.class_names
            model = loaded.model
        check_explainable(model)
        preset_of(preset)  # now, rather than with the first input
        self.model = model
        self.layer = layer
        self.preset = preset
        self.statistics: FeatureStatistics | None = None
        self._how: dict[str, Any] = {
            "class_names": class_names,
            "use_softmax": use_softmax,
            "layout": layout,
            "output": output,
            "internal_batch_size": internal_batch_size,
            "start": start,
        }
        self._reading = (tokenizer, transform, modality)
        self._precision = precision
        self._inputs: Inputs | None = None
        self._attributor: Attributor | None = None

    @property
    def attributor(self) -> Attributor:
        """The stages themselves, once inputs have been seen.

        Raises:
            AttributionError: None have.
        """
        if self._attributor is None:
            raise AttributionError("No inputs were seen yet: call fit(data) or attribute(inputs).")
        return self._attributor

    @property
    def layout(self) -> Layout | None:
        """How features lie, where the caller said so."""
        found: Layout | None = self._how["layout"]
        return found

    @property
    def output(self) -> Output | None:
        """Which part of what the model returns its logits are, where the caller said so."""
        found: Output | None = self._how["output"]
        return found

    def reader_for(self, data: Any) -> tuple[Inputs, Any]:
        """Return what reads the caller's kind of input, and the data, whole again."""
        if self._inputs is None:
            first = data
            if isinstance(data, Iterable) and not isinstance(data, AS_THEY_ARE):
                items = iter(data)
                first = next(items, None)
                data = chain([] if first is None else [first], items)
            self._inputs = reader_of(self.model, data, first, *self._reading)
        return self._inputs, data

    def attributor_for(self, inputs: Inputs, example: Tensor, beside: Any) -> Attributor:
        """Return the stages, with a layer that an example (1, …) chooses where none was given."""
        if self._attributor is None:
            device = device_of(self.model)
            if self.layer is None:
                first = Arguments.of(beside, device).select(slice(1))
                self.layer = inputs.modality.choose_layer(self.model, example.to(device), first)
            preset = preset_of(self.preset, inputs.modality.kind)
            self._attributor = self.built(inputs.modality, Present(self.layer, preset))
        return self._attributor

    def built(self, modality: Modality, setting: Present) -> Attributor:
        """Return the stages of a setting."""
        device = device_of(self.model)
        how = {**self._how, **setting.preset.stages, "modality": modality, "device": device}
        autocast = choose_precision(self._precision, device)
        return Attributor(self.model, setting.layer, autocast=autocast, **how)

    def other(self, method: Method) -> MethodAttributor:
        """Return what explains the inputs that were last read by another method."""
        assert self._inputs is not None  # what was read says what kind they are
        how = {key: value for key, value in self._how.items() if key != "start"}
        device = device_of(self.model)
        autocast = choose_precision(self._precision, device)
        how |= {"modality": self._inputs.modality, "device": device, "autocast": autocast}
        return MethodAttributor(self.model, method, **how)
