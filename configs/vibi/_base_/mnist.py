# MNIST with a black box of two convolutions and dense layers, explainer and approximator small.
data = dict(dataset="MNIST", root="data")
black_box = dict(
    classifier=dict(source="custom", type="ConvNet", width=16), epochs=3, lr=0.05, hidden_chunks=0.5
)
explainer = dict(size="small")
approximator = dict(size="small")
# The loss of the paper; --loss rationale, the default without a config, explains better.
training = dict(epochs=3, loss="published")
