"""What the page offers, where it is served, and how much it takes."""

from __future__ import annotations

from dataclasses import dataclass

from input_iba.settings import Settings, setting

DEFAULT_MODELS = ("efficientnet_lite0", "efficientnet_lite2")
"""Those whose weights come in packages."""

FOR_ALL = ("gradient", "input_x_gradient", "int_grad", "smooth_grad", "occlusion", "random")
METHODS = {
    "images": (*FOR_ALL, "grad_cam", "layer_cam", "guided_bp", "gradient_attention", "legrad"),
    "texts": (*FOR_ALL, "gradient_attention", "legrad"),
}
"""Other methods that answer within seconds, by what they explain."""


@dataclass(frozen=True, kw_only=True)
class AppOptions(Settings):
    """Options of `input-iba app`."""

    PLACE = "--"

    model: tuple[str, ...] = setting(
        DEFAULT_MODELS, "networks to choose from, as 'attribute --model' takes them", metavar="NAME"
    )
    allow_any_model: bool = setting(
        False, "let whoever opens the page name any other network, which may be downloaded"
    )
    host: str = setting(
        "127.0.0.1",
        "address at which the page is served; with another one, others on the network can use it",
        metavar="ADDRESS",
    )
    port: int = setting(7860, "port at which it is served", at_least=0, at_most=65535)
    max_megabytes: float = setting(10.0, "largest file that is taken", above=0)
    max_megapixels: float = setting(24.0, "largest image that is decoded", above=0)
    max_characters: int = setting(5000, "longest text that is taken", at_least=1)
    max_waiting: int = setting(20, "questions that may wait at once", at_least=1)
    minutes: float = setting(10.0, "how long an answer can be looked at and saved", above=0)
