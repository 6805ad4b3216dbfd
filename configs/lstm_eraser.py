# The classifier of deep_lstm.py, which has read other reviews, on reviews with human evidence. It reads
# them with the vocabulary that it was trained with.
_base_ = ["./_base_/eraser.py", "./_base_/fast_text.py"]

_vocabulary = dict(type="IMDBDataset", root="data/imdb/", split="train")
data = dict(estimation=dict(vocabulary=_vocabulary), attribution=dict(vocabulary=_vocabulary))
attributor = dict(
    layer="rnn_4",
    classifier=dict(
        source="custom", type="DeepLSTM", num_classes=1, pretrained="pretrained/deep_lstm.pt"
    ),
)
