# tools/nlp/train_classifier.py, with this config, trains the checkpoint.
_base_ = ["./_base_/imdb.py", "./_base_/fast_text.py"]

attributor = dict(
    layer="rnn_4",
    classifier=dict(
        source="custom", type="DeepLSTM", num_classes=1, pretrained="pretrained/deep_lstm.pt"
    ),
)
