# Photographs: EfficientNet-Lite0, whose weights come in a package (extra `samples`), chooses half
# of 14×14 chunks. Of 600 photographs little can be learned: what chooses reads the features
# of the black box as they are, and the approximator starts as its copy.
data = dict(dataset="ImageNet", root="data/imagenet", size=224, mean=[127 / 255], std=[128 / 255])
black_box = dict(
    classifier=dict(source="efficientnet_lite", type="efficientnet_lite0", pretrained=True)
)
# Hidden chunks are mid-grey, which these weights read as 0: in black ones they see things.
explainer = dict(
    type="ResNet_8x", chunk_size=16, k=98, start="features", layer="_blocks.10", fill=127 / 255
)
approximator = dict(start="black_box")
training = dict(epochs=4, batch_size=16, lr=3e-3, copied_lr=1e-4, top_k_weight=0.0)
