# ImageNet: pictures in class folders, boxes beside them.
# Without box annotations set with_bbox=False below; boxes are for evaluation, masks need none.
_data_root = "data/imagenet/"
_ind_to_cls_file = _data_root + "imagenet_class_index.json"
_pipeline = [
    dict(type="Resize", height=224, width=224, always_apply=True),
    dict(
        type="Normalize", always_apply=True, mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225]
    ),
    dict(type="ToTensorV2"),
]
data = dict(
    data_loader=dict(batch_size=1, shuffle=True, num_workers=0),
    estimation=dict(
        type="ImageNet",
        img_root=_data_root + "images/estimation/",
        annot_root=_data_root + "annotations/attribution/",
        ind_to_cls_file=_ind_to_cls_file,
        pipeline=_pipeline,
        with_bbox=False,
    ),
    attribution=dict(
        type="ImageNet",
        img_root=_data_root + "images/attribution/",
        annot_root=_data_root + "annotations/attribution/",
        ind_to_cls_file=_ind_to_cls_file,
        pipeline=_pipeline,
        with_bbox=True,
    ),
)
