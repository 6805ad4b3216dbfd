# CIFAR-10 with a small black box, explainer and approximator small.
data = dict(dataset="CIFAR10", root="data", mean=[0.491, 0.482, 0.447], std=[0.247, 0.243, 0.262])
black_box = dict(
    classifier=dict(source="custom", type="ConvNet", width=32),
    epochs=4,
    lr=0.05,
    padding=2,
    flip=True,
    hidden_chunks=0.5,
)
explainer = dict(size="small", width=32)
approximator = dict(size="small", width=32)
training = dict(epochs=4, loss="published")
