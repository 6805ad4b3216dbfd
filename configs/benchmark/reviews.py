# Movie reviews of IMDB's test split. tools/nlp/train_classifier.py trains both checkpoints. Of long
# reviews the transformer reads the last 128 word pieces.
_base_ = ["./_base_/texts.py"]
title = "Movie reviews"
_options = {"data.attribution.split": "test", "data.attribution.select_cls": None}
networks = [
    dict(name="LSTM, IMDB", config="deep_lstm", cfg_options=_options, num_samples=200),
    dict(
        name="MiniLM, IMDB",
        config="minilm_imdb",
        cfg_options={**_options, "data.attribution.max_length": 128},
        num_samples=200,
        also=["attention_rollout", "gradient_attention", "legrad"],
    ),
]
