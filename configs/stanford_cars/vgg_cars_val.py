_base_ = ["./vgg_cars_test.py"]

data = dict(attribution=dict(img_root="data/stanford_cars/val/"))
