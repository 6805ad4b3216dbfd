# Tetrominoes on correlated noise: nothing is stored, the seed draws all images.
_base_ = ["./fast.py"]

_images = dict(
    type="Tetrominoes",
    n=2000,
    size=64,
    cell=4,
    alpha=0.3,
    smoothing=3.0,
    pipeline=[dict(type="Normalize", mean=[0.5] * 3, std=[0.5] * 3), dict(type="ToTensorV2")],
)
data = dict(
    data_loader=dict(batch_size=16, shuffle=True, num_workers=0),
    estimation=dict(_images, seed=0),
    attribution=dict(_images, seed=1, n=200),
)
