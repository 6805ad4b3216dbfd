_base_ = ["./_base_/imdb.py"]

texts = dict(chunks="word")
explainer = dict(k=5)
