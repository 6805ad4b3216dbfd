"""The only place where kinds of input differ."""

from input_iba.modality.base import Modality
from input_iba.modality.text import TextModality
from input_iba.modality.vision import VisionModality

__all__ = ["Modality", "TextModality", "VisionModality"]
