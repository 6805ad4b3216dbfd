"""DeepLSTM: four stacked LSTMs that read a text word by word."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from input_iba.core.padding import PAD_INDEX, lengths_of
from input_iba.errors import ConfigError
from input_iba.registry import CLASSIFIERS

VOCABULARY_SIZE = 25_002
MAX_MEMORY = 100
"""Tokens that an untrained LSTM remembers at most."""


@CLASSIFIERS.register_module()
class DeepLSTM(nn.Module):
    """Embedding, four one-layer LSTMs (`rnn_1` to `rnn_4`), and a linear layer on the last state.

    Everything behind `embedding` is a function of its output and of the lengths alone. Padding
    stands at the end, where no state of a token can depend on it, and the state of the last token
    is what is classified: a text has the same logits alone and in a batch.

    With `num_classes` 1, two classes are told apart by the sign of one logit. `vocab_size` includes
    `<unk>` and `<pad>`; `dropout` is the share that training drops before each LSTM and `fc`.

    References:
        Zhang et al. 2021 (arXiv 2110.01471), section 4: the network that is explained on IMDB.

    >>> model = DeepLSTM(vocab_size=10).eval()
    >>> model(torch.tensor([[4, 5, 6], [7, 1, 1]])).shape
    torch.Size([2, 1])
    """

    def __init__(
        self,
        num_classes: int = 1,
        vocab_size: int = VOCABULARY_SIZE,
        embedding_dim: int = 100,
        hidden_size: int = 256,
        dropout: float = 0.5,
        pad_index: int = PAD_INDEX,
    ) -> None:
        super().__init__()
        if not 0 <= pad_index < vocab_size:
            raise ConfigError(
                f"DeepLSTM: `pad_index` {pad_index} is not an index of {vocab_size} words."
            )
        self.pad_index = pad_index
        self.embedding = nn.Embedding(vocab_size, embedding_dim, padding_idx=pad_index)
        self.rnn_1 = nn.LSTM(embedding_dim, hidden_size, batch_first=True)
        self.rnn_2 = nn.LSTM(hidden_size, hidden_size, batch_first=True)
        self.rnn_3 = nn.LSTM(hidden_size, hidden_size, batch_first=True)
        self.rnn_4 = nn.LSTM(hidden_size, hidden_size, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(hidden_size, num_classes)
        for rnn in (self.rnn_1, self.rnn_2, self.rnn_3, self.rnn_4):
            _initialise(rnn)

    def forward(self, ids: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return logits (B, classes) of token ids (B, T), int64, padded at the end.

        `lengths` (B,) are the tokens of each text; None counts up to the last that is not padding.
        """
        lengths = lengths_of(ids, self.pad_index) if lengths is None else lengths
        return self.forward_embedded(self.embedding(ids), lengths)

    def forward_embedded(self, embedded: Tensor, lengths: Tensor) -> Tensor:
        """Return logits (B, classes) of word vectors (B, T, embedding_dim)."""
        states = self.states(embedded)[-1]
        last = states[torch.arange(len(states), device=states.device), lengths - 1]
        logits: Tensor = self.fc(self.dropout(last))
        return logits

    def step_logits(self, ids: Tensor) -> Tensor:
        """Return logits (4, B, T, classes) of the state of every LSTM after every token (B, T).

        The last are the logits that each text would have if it ended at each of its tokens.
        """
        states = torch.stack(self.states(self.embedding(ids)))
        # One draw for all tokens of a text: drawing for each would take a quarter of a step.
        kept = self.dropout(states.new_ones(len(ids), 1, states.shape[-1]))
        logits: Tensor = self.fc(states * kept)
        return logits

    def states(self, embedded: Tensor) -> list[Tensor]:
        """Return the states of the four LSTMs after each token, each (B, T, hidden_size)."""
        found = [embedded]
        for rnn in (self.rnn_1, self.rnn_2, self.rnn_3, self.rnn_4):
            found.append(rnn(self.dropout(found[-1]))[0])
        return found[1:]


@torch.no_grad()
def _initialise(rnn: nn.LSTM) -> None:
    """Make an untrained LSTM remember for 1 to `MAX_MEMORY` tokens, and put out what it is given.

    With torch's own weights the signal shrinks from layer to layer, and a word is forgotten after
    a few others.

    References:
        Tallec and Ollivier 2018 (arXiv 1804.11188), equation 16, on the biases of the gates; Saxe
        et al. 2014 (arXiv 1312.6120) on orthogonal weights.
    """
    width = rnn.hidden_size
    for name in ("weight_ih_l0", "weight_hh_l0"):
        for gate in torch.split(rnn.get_parameter(name), width):
            nn.init.orthogonal_(gate)
    for name in ("bias_ih_l0", "bias_hh_l0"):
        rnn.get_parameter(name).zero_()
    # Gates in torch's order: input, forget, cell, output.
    remember = torch.empty(width).uniform_(1, MAX_MEMORY).log()
    rnn.get_parameter("bias_ih_l0")[:width] = -remember
    rnn.get_parameter("bias_ih_l0")[width : 2 * width] = remember
