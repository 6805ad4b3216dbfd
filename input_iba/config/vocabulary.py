"""Whether a classifier and a data set of text speak of the same words."""

from __future__ import annotations

from torch import nn

from input_iba.datasets import SampleDataset, TextDataset
from input_iba.errors import ConfigError


def check_vocabulary(classifier: nn.Module, dataset: SampleDataset) -> None:
    """Refuse a classifier whose embedding has another size than the data set's vocabulary.

    Classifiers without a module `embedding`, and data sets of other things than text, pass.

    Raises:
        ConfigError: Says both sizes and what to set; or the texts have no vocabulary.
    """
    if not isinstance(dataset, TextDataset):
        return
    words, embedding = len(dataset.vocabulary), getattr(classifier, "embedding", None)
    size = embedding.num_embeddings if isinstance(embedding, nn.Embedding) else words
    if size != words:
        raise ConfigError(
            f"The vocabulary of '{dataset.place}' has {words} words, and the classifier's "
            f"embedding {size}: its words would be mistaken for others. Set "
            f"attributor.classifier.vocab_size={words} and train it on these texts, or use the "
            f"texts and `max_words` (here {dataset.max_words}) that it was trained with."
        )
