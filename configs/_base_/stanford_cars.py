# Stanford Cars as folders of pictures: data/stanford_cars/{train,val,test}/<class>/<name>.jpg (or .png).
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
        type="ImageFolder",
        img_root="data/stanford_cars/train/",
        pipeline=_pipeline,
        valid_formats=("png", "jpg"),
    ),
    attribution=dict(
        type="ImageFolder",
        img_root="data/stanford_cars/test/",
        pipeline=_pipeline,
        valid_formats=("png", "jpg"),
    ),
)
