# The classifier of minilm_imdb.py, which has read other reviews, on reviews with human evidence.
_base_ = ["./_base_/eraser.py", "./_base_/fast_text.py"]

attributor = dict(
    layer="encoder.encoder.layer.3",
    classifier=dict(
        source="custom",
        type="MiniLMClassifier",
        num_classes=2,
        pretrained="pretrained/minilm_imdb.pt",
    ),
)
# A pass costs more than an LSTM's: noise is drawn four times a step instead of ten.
attribution_cfg = dict(feat_iba=dict(batch_size=4), input_iba=dict(batch_size=4))
