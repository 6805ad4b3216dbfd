# The photographs that statistics come from, explained: settings are chosen on these.
_base_ = ["./efficientnet_lite0_imagenet.py"]

data = dict(attribution=dict(img_root="data/imagenet/images/estimation/", with_bbox=False))
