"""Named settings for the study: what each changes in the preset `fast`."""

from __future__ import annotations

from typing import Any

GAN, INPUT = "attributor.gan", "attribution_cfg.input_iba"
ALPHA = "attributor.input_iba.initial_alpha"
ODDS = "attributor.input_iba.prior_odds"

Keys = dict[str, Any]


def prior(type_: str, **arguments: Any) -> Keys:
    """Take another prior."""
    keys = {f"{GAN}.{key}": value for key, value in arguments.items()}
    return {GAN: {"_delete_": True, "type": type_}} | keys


def stage(**keys: Any) -> Keys:
    """Take other numbers for InputIBA."""
    return {f"{INPUT}.{key}": value for key, value in keys.items()}


CONSTANT = prior("ConstantPrior", value=0.5)
PUBLISHED = {ALPHA: 5.0, ODDS: 0.0} | stage(lr=1.0, noise="fresh", batch_size=10)

SETTINGS: dict[str, Keys] = {
    "fast": {},
    "fast, 10 steps": stage(opt_steps=10),
    "fast, 40 steps": stage(opt_steps=40),
    "fast, 10 steps of 10 draws, lr 0.5": stage(opt_steps=10, batch_size=10, lr=0.5),
    "fast, 40 steps of 5 draws, lr 0.125": stage(opt_steps=40, lr=0.125),
    "fast, fresh noise": stage(noise="fresh"),
    "fast, fixed noise": stage(noise="fixed"),
    "fast, cosine": stage(lr_schedule="cosine"),
    "fast, lr 0.5": stage(lr=0.5),
    "fast, α from 5": {ALPHA: 5.0},
    "fast, α from 7": {ALPHA: 7.0},
    "fast, odds 0": {ODDS: 0.0},
    "fast, odds 0.25": {ODDS: 0.25},
    "fast, odds 1": {ODDS: 1.0},
    "fast, β 5": stage(beta=5.0),
    "fast, constant 0.5": CONSTANT,
    "fast, saliency 0 to 0.95": {f"{GAN}.low": 0.0, f"{GAN}.high": 0.95},
    "fast, sliced Wasserstein": prior("SlicedWassersteinPrior"),
    "published stage 3, constant 0.5, 10 steps": CONSTANT | PUBLISHED | stage(opt_steps=10),
    "published stage 3, constant 0.5, 60 steps": CONSTANT | PUBLISHED | stage(opt_steps=60),
}
"""By name: dotted config keys and their values."""
