# Movie reviews: the official archive, or what it holds, in data/imdb/; it is downloaded when absent.
# vector_cache is a folder of word vectors, such as glove.6B.100d.txt, with which training begins.
_reviews = dict(
    type="IMDBDataset",
    root="data/imdb/",
    vector_cache="data/vector_cache/",
    split="train",
    select_cls="pos",
)
data = dict(
    data_loader=dict(batch_size=8, shuffle=True, num_workers=0),
    estimation=_reviews,
    attribution=_reviews,
)
