# One word among random others is the class, or that there is none:
#   python tools/nlp/train_classifier.py configs/known/planted_words.py --epochs 5
#   python tools/nlp/train_nlp.py configs/known/planted_words.py --work-dir workdirs/planted_words
_base_ = ["../_base_/fast_text.py"]

data = dict(
    data_loader=dict(batch_size=16, shuffle=True, num_workers=0),
    estimation=dict(type="PlantedWords", n=4000, seed=0),
    attribution=dict(type="PlantedWords", n=200, seed=1),
)
attributor = dict(
    layer="rnn_4",
    classifier=dict(
        source="custom",
        type="DeepLSTM",
        num_classes=3,
        vocab_size=204,
        embedding_dim=32,
        hidden_size=32,
        dropout=0.1,
        pretrained="workdirs/ckpts/known_planted_words.pth",
    ),
)
