"""Data sets: images that dependencies bring, ImageNet, folders, mosaics, known answers; texts."""

from input_iba.datasets.answered import AnsweredDataset
from input_iba.datasets.base import Relabelled, SampleDataset, build_dataset
from input_iba.datasets.eraser_movies import EraserMovies
from input_iba.datasets.given_texts import GivenTexts, TextVariations
from input_iba.datasets.ids import select_ids
from input_iba.datasets.image_files import ImageFolder, ImageNet, PictureFiles
from input_iba.datasets.images import ImageDataset
from input_iba.datasets.imdb import IMDBDataset
from input_iba.datasets.mosaic import GridMosaic
from input_iba.datasets.noise import NaturalNoise
from input_iba.datasets.on_disk import HuggingFaceImages, HuggingFaceTexts
from input_iba.datasets.pieces import PieceDataset
from input_iba.datasets.pipeline import Pipeline
from input_iba.datasets.planted import Planted
from input_iba.datasets.planted_words import PlantedWords
from input_iba.datasets.samples import SampleCrops, Samples
from input_iba.datasets.shards import ImageShards, TextShards
from input_iba.datasets.tetrominoes import Tetrominoes
from input_iba.datasets.text_dataset import TextDataset
from input_iba.datasets.text_folder import TextFolder
from input_iba.datasets.text_table import TextTable
from input_iba.datasets.torchvision_sets import CIFAR10, MNIST, FashionMNIST, TorchvisionSet

__all__ = [
    "CIFAR10",
    "MNIST",
    "AnsweredDataset",
    "EraserMovies",
    "FashionMNIST",
    "GivenTexts",
    "GridMosaic",
    "HuggingFaceImages",
    "HuggingFaceTexts",
    "IMDBDataset",
    "ImageDataset",
    "ImageFolder",
    "ImageNet",
    "ImageShards",
    "NaturalNoise",
    "PictureFiles",
    "PieceDataset",
    "Pipeline",
    "Planted",
    "PlantedWords",
    "Relabelled",
    "SampleCrops",
    "SampleDataset",
    "Samples",
    "Tetrominoes",
    "TextDataset",
    "TextFolder",
    "TextShards",
    "TextTable",
    "TextVariations",
    "TorchvisionSet",
    "build_dataset",
    "select_ids",
]
