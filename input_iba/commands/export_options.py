"""What the command line says of an export."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from input_iba.settings import setting


@dataclass(frozen=True)
class ExportOptions:
    """What the command line says, beside explainer and classifier."""

    format: Literal["onnx", "torch"] = setting(
        "onnx", "kind of file: ONNX, or what torch.export.load reads"
    )
    out: Path = setting(
        None, "file to write (default: beside the explainer, as .onnx or .pt2)", metavar="FILE"
    )
    any_class: bool = setting(
        False,
        "give the graph a second input 'label' (B,), int64: the class to explain, -1 for the "
        "predicted one",
    )
