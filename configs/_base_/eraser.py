# Movie reviews with human evidence, the data set 'movies' of ERASER (https://www.eraserbenchmark.com),
# in data/eraser_movies/: train.jsonl, val.jsonl, docs/. People marked single phrases of long reviews:
# what is read are the 100 words in a row that hold the most of what they marked.
_reviews = dict(type="EraserMovies", root="data/eraser_movies/", window=100)
data = dict(
    data_loader=dict(batch_size=8, shuffle=True, num_workers=0),
    estimation=dict(_reviews, split="train"),
    attribution=dict(_reviews, split="val"),
)
