"""The only place where kinds of input differ."""

from input_iba.modality.base import Layout, Modality
from input_iba.modality.text import TextModality
from input_iba.modality.vision import VisionModality

__all__ = ["Layout", "Modality", "TextModality", "VisionModality"]
