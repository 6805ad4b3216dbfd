# Movie reviews in which people marked what tells the verdict (ERASER, validation split), read by the
# networks of the suite reviews.
_base_ = ["./_base_/evidence.py"]
title = "Movie reviews with human evidence"
networks = [
    dict(name="LSTM, ERASER", config="lstm_eraser"),
    dict(
        name="MiniLM, ERASER",
        config="minilm_eraser",
        also=["attention_rollout", "gradient_attention", "legrad"],
    ),
]
