"""Whether a classifier and a data set of text speak of the same words."""

from __future__ import annotations

from torch import nn

from input_iba.datasets import SampleDataset
from input_iba.datasets.imdb import IMDBDataset
from input_iba.errors import ConfigError


def check_vocabulary(classifier: nn.Module, dataset: SampleDataset) -> None:
    """Refuse a classifier whose embedding has another size than the data set's vocabulary.

    Classifiers without a module `embedding`, and data sets without a vocabulary, pass.

    Raises:
        ConfigError: Says both sizes and what to set.
    """
    embedding = getattr(classifier, "embedding", None)
    if not isinstance(embedding, nn.Embedding) or not isinstance(dataset, IMDBDataset):
        return
    size, words = embedding.num_embeddings, len(dataset.vocabulary)
    if size != words:
        raise ConfigError(
            f"The vocabulary of '{dataset.folder}' has {words} words, and the classifier's "
            f"embedding {size}: its words would be mistaken for others. Set "
            f"attributor.classifier.vocab_size={words} and train it on these reviews, or use the "
            f"reviews and `max_words` (here {dataset.max_words}) that it was trained with."
        )
