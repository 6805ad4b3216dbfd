# tools/nlp/train_classifier.py, with this config, trains the checkpoint.
_base_ = ["./_base_/imdb.py", "./_base_/fast.py"]

attributor = dict(
    type="NLPAttributor",
    layer="rnn_4",
    classifier=dict(
        source="custom",
        type="DeepLSTM",
        num_classes=1,
        pretrained="pretrained/deep_lstm.pt",
    ),
    feat_iba=dict(type="NLPFeatureIBA", sigma=0.0),
    input_iba=dict(type="NLPInputIBA", sigma=0.0),
)
attribution_cfg = dict(feat_iba=dict(beta=15), input_iba=dict(beta=30, opt_steps=30, lr=0.5))
