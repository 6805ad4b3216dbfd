_base_ = ["./_base_/imdb.py"]

texts = dict(chunks="five_words")
explainer = dict(k=1)
