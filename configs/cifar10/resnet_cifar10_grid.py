# The grid pointing game: mosaics of 2×2 images of four classes, whose boxes are the targets' cells.
_base_ = ["resnet_cifar10_test.py"]

data = dict(
    attribution=dict(
        _delete_=True,
        type="GridMosaic",
        dataset=dict(
            type="ImageFolder",
            img_root="data/cifar10/test/",
            pipeline=[dict(type="Resize", height=32, width=32)],
            valid_formats=("png", "jpg"),
        ),
        pipeline=[
            dict(type="Normalize", mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225]),
            dict(type="ToTensorV2"),
        ],
        n=100,
    )
)
