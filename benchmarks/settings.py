"""Named settings for the study: what each changes in the preset `fast`."""

from __future__ import annotations

from typing import Any

GAN, INPUT = "attributor.gan", "attribution_cfg.input_iba"
ALPHA = "attributor.input_iba.initial_alpha"

Keys = dict[str, Any]


def prior(type_: str, **arguments: Any) -> Keys:
    """Take another prior."""
    keys = {f"{GAN}.{key}": value for key, value in arguments.items()}
    return {GAN: {"_delete_": True, "type": type_}} | keys


def stage(**keys: Any) -> Keys:
    """Take other numbers for InputIBA."""
    return {f"{INPUT}.{key}": value for key, value in keys.items()}


CONSTANT = prior("ConstantPrior", value=0.5)
PUBLISHED = {ALPHA: 5.0} | stage(lr=1.0, noise="fresh")

SETTINGS: dict[str, Keys] = {
    "fast": {},
    "fast, 5 steps": stage(opt_steps=5),
    "fast, 20 steps": stage(opt_steps=20),
    "fast, 25 steps of 4 draws": stage(opt_steps=25, batch_size=4),
    "fast, fresh noise": stage(noise="fresh"),
    "fast, fixed noise": stage(noise="fixed"),
    "fast, cosine": stage(lr_schedule="cosine"),
    "fast, lr 0.25": stage(lr=0.25),
    "fast, lr 1": stage(lr=1.0),
    "fast, lr 0.25, 20 steps": stage(lr=0.25, opt_steps=20),
    "fast, α from 2": {ALPHA: 2.0},
    "fast, α from 3.5": {ALPHA: 3.5},
    "fast, β 5": stage(beta=5.0),
    "fast, constant 0.5": CONSTANT,
    "fast, saliency 0 to 0.95": {f"{GAN}.low": 0.0, f"{GAN}.high": 0.95},
    "fast, sliced Wasserstein": prior("SlicedWassersteinPrior"),
    "published stage 3, constant 0.5, 10 steps": CONSTANT | PUBLISHED,
    "published stage 3, constant 0.5, 60 steps": CONSTANT | PUBLISHED | stage(opt_steps=60),
}
"""By name: dotted config keys and their values."""
