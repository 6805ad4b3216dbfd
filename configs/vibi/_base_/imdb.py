# Movie reviews and the LSTM of configs/deep_lstm.py, which tools/nlp/train_classifier.py trains.
data = dict(dataset="IMDB", root="data/imdb/", num_train=4000, num_test=2000)
texts = dict(max_length=400)
black_box = dict(
    classifier=dict(
        source="custom", type="DeepLSTM", num_classes=1, pretrained="pretrained/deep_lstm.pt"
    )
)
# Of few reviews an explainer that begins with nothing does not learn what the black box has learned.
explainer = dict(start="features")
# Of hundreds of words a soft sample shows a little of each, so that the few that are chosen do not
# matter; hard samples train better here, unlike with pictures.
training = dict(
    loss="rationale",
    epochs=4,
    batch_size=64,
    lr=2e-3,
    beta=1e-3,
    straight_through=True,
    top_k_weight=0.0,
)
