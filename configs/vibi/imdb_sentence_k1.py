_base_ = ["./_base_/imdb.py"]

texts = dict(chunks="sentence")
explainer = dict(k=1)
