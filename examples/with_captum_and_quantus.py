"""InputIBA beside captum's methods, and scored by Quantus, on one photograph.

Needs the extras: pip install 'input-iba[samples,baselines]' quantus
"""

import quantus
from captum.attr import Saliency

from input_iba.attribution import FAST, Attributor
from input_iba.attribution.adapters import CaptumAttribution, quantus_explain_func
from input_iba.attribution.methods import GradCam, MethodAttributor
from input_iba.datasets import build_dataset
from input_iba.models import build_classifier

pipeline = [
    dict(type="Resize", height=224, width=224),
    dict(type="Normalize"),
    dict(type="ToTensorV2"),
]
photographs = build_dataset(dict(type="Samples", names=["chelsea"], pipeline=pipeline))
crops = build_dataset(dict(type="SampleCrops", n=8, pipeline=pipeline))
network = build_classifier(
    dict(source="efficientnet_lite", type="efficientnet_lite0", pretrained=True)
)
cat = photographs[0].input[None]
target = network(cat).argmax(1)

attributor = Attributor(network, "_blocks.10", **FAST.stages)
attributor.estimate([crops[i].input[None] for i in range(len(crops))])

# One call for all: inputs and target in, a tensor out.
methods = {
    "captum's Saliency": Saliency(network),
    "InputIBA": CaptumAttribution(attributor),
    "Grad-CAM": CaptumAttribution(MethodAttributor(network, GradCam())),
}
for name, method in methods.items():
    print(name, tuple(method.attribute(cat.clone(), target=target).shape))

# A metric of Quantus, with our attributors as its explain_func.
sparseness = quantus.Sparseness(disable_warnings=True, display_progressbar=False)
for name, own in {"InputIBA": attributor, "Grad-CAM": methods["Grad-CAM"].attributor}.items():
    scores = sparseness(
        model=network,
        x_batch=cat.numpy(),
        y_batch=target.numpy(),
        explain_func=quantus_explain_func(own),
        channel_first=True,
    )
    print(f"{name}: Gini index {scores[0]:.2f}")
