"""Dual encoders from folders: with a text, an image or classes, as classifiers of configs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps
from torch import Tensor, nn

from input_iba.errors import ConfigError
from input_iba.models.dual_encoder import check_dual, image_side, text_side, zero_shot
from input_iba.models.hub import from_place, load_tokenizer, transformers_package
from input_iba.models.prepared import named_folder, transform_of
from input_iba.models.transformers_source import EMBEDDING, build_transformers

ASKS = ("text", "image", "classes")
"""Keys of a classifier's config, of which one says what is asked of a dual encoder."""

TEMPLATE = "a photo of a {}"


def is_dual_encoder(place: str) -> bool:
    """Return whether a folder, or a name on the hub, holds a dual encoder of images and texts.

    Raises:
        CheckpointError: Nothing is there.
    """
    package = transformers_package()
    config = from_place(place, package.AutoConfig.from_pretrained)
    kind = package.MODEL_MAPPING.get(type(config), None)
    kinds = kind if isinstance(kind, tuple) else (kind,)
    return all(hasattr(one, f"get_{side}_features") for one in kinds for side in ("image", "text"))


def build_dual_encoder(
    type_: str, pretrained: bool | str, arguments: Mapping[str, Any]
) -> nn.Module:
    """Build a dual encoder as a classifier; see `build_classifier`.

    Of `arguments`, one of `text`, `image` (a file) and `classes` (a list, or a file with a text
    per line, put into `template`) says what is asked; `instead_of` are texts to set a text against.

    Raises:
        ConfigError: None or several of them are given.
    """
    rest = {"instead_of": (), "template": TEMPLATE, **arguments}
    asked = [key for key in ASKS if rest.get(key) is not None]
    if len(asked) != 1:
        raise ConfigError(
            f"{type_!r} is a dual encoder, which says how well an image matches a text. Give "
            "--image and --text together to see which pixels and which words match; or --image and "
            "--classes FILE, with one text a line, to see which of them fits best. In a config one "
            f"of the keys {', '.join(ASKS)} of attributor.classifier says what is asked; got "
            f"{' and '.join(asked) or 'none'}."
        )
    question = {key: rest.pop(key, None) for key in ASKS}
    instead_of, template = rest.pop("instead_of"), rest.pop("template")
    model = build_transformers(type_, pretrained, None, {**rest, "task": EMBEDDING}).eval()
    check_dual(model)
    tokenizer = load_tokenizer(type_)
    if question["text"] is not None:
        return image_side(model, tokenizer, question["text"], instead_of)
    if question["classes"] is not None:
        return zero_shot(model, tokenizer, class_texts(question["classes"]), template)
    file = Path(question["image"])
    pixels = transform_of(named_folder(type_))(_opened(file))
    return text_side(model, tokenizer, pixels, file.name, instead_of)


def load_dual_encoder(
    place: str, tokenizer: Any = None, transform: Any = None
) -> tuple[nn.Module, Any, Callable[[Image.Image], Tensor]]:
    """Load a dual encoder with its tokenizer and what prepares its images, unless they are given.

    Raises:
        CheckpointError: They are not there.
    """
    model = build_transformers(place, True, None, {"task": EMBEDDING}).eval()
    prepare = transform or transform_of(named_folder(place))
    return model, tokenizer or load_tokenizer(place), prepare


def class_texts(classes: str | Path | Sequence[str]) -> list[str]:
    """Return the classes in a list, or in a file with one a line.

    Raises:
        ConfigError: There is no such file, or there are fewer than two classes.
    """
    if isinstance(classes, str | Path):
        try:
            lines = Path(classes).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"Classes '{classes}' cannot be read ({error}). Give a text file with one class a "
                "line, such as 'dog'."
            ) from error
        classes = [line.strip() for line in lines if line.strip()]
    if len(set(classes)) < 2:
        raise ConfigError(f"Two classes or more are told apart; got {list(classes)}.")
    return list(classes)


def _opened(file: Path) -> Image.Image:
    try:
        return ImageOps.exif_transpose(Image.open(file)).convert("RGB")
    except OSError as error:
        raise ConfigError(f"Image '{file}' cannot be read ({error}). Check the path.") from error
