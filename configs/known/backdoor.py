# A chequered patch makes everything an airplane; explained are images with the patch:
#   python tools/vision/train_classifier.py configs/known/backdoor.py --epochs 4 \
#       --num-samples 10000
#   python tools/vision/train.py configs/known/backdoor.py --work-dir workdirs/backdoor
_base_ = ["../_base_/fast.py"]

_end = [
    dict(type="Normalize", mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225]),
    dict(type="ToTensorV2"),
]
_folder = dict(
    type="ImageFolder",
    valid_formats=("png", "jpg"),
    pipeline=[dict(type="Resize", height=32, width=32)],
)
data = dict(
    data_loader=dict(batch_size=16, shuffle=True, num_workers=0),
    estimation=dict(
        type="Planted",
        dataset=dict(_folder, img_root="data/cifar10/train/"),
        pipeline=_end,
        trigger="airplane",
        share=0.1,
        patch=4,
    ),
    attribution=dict(
        type="Planted",
        dataset=dict(_folder, img_root="data/cifar10/test/"),
        pipeline=_end,
        trigger="airplane",
        share=1.0,
        clean=False,
        patch=4,
    ),
)
attributor = dict(
    layer="layer1",
    classifier=dict(
        source="custom",
        type="ResNet",
        depth=8,
        width=16,
        num_classes=10,
        pretrained="workdirs/ckpts/known_backdoor.pth",
    ),
)
