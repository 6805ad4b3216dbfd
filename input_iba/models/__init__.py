"""Classifiers to be explained: networks of our own, other libraries' networks, checkpoints."""

from input_iba.models.build import SOURCES, build_classifier, classes_of_checkpoint
from input_iba.models.checkpoints import load_checkpoint, read_state_dict
from input_iba.models.deep_lstm import DeepLSTM
from input_iba.models.hub import load_tokenizer
from input_iba.models.image_networks import CifarResNet, ConvNet, SmallVGG
from input_iba.models.sentence_classifier import MiniLMClassifier

__all__ = [
    "SOURCES",
    "CifarResNet",
    "ConvNet",
    "DeepLSTM",
    "MiniLMClassifier",
    "SmallVGG",
    "build_classifier",
    "classes_of_checkpoint",
    "load_checkpoint",
    "load_tokenizer",
    "read_state_dict",
]
