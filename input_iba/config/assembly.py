"""From a config file, its bases, a preset and options to one dict of plain, checked data."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any, NamedTuple

from mmengine.config import Config

from input_iba.config import literal, presets, schema
from input_iba.config.sections import WITHOUT_EFFECT, Plain
from input_iba.errors import ConfigError

FORMER, PRESENT = "/engine/presets/", "/config/presets/"
"""Where in the package presets were, and are; configs inherit them by their paths."""


class PlainConfig(NamedTuple):
    """What a config holds, the preset that it inherits, if any, and what the user should change."""

    values: dict[str, Any]
    preset: str | None
    warnings: tuple[str, ...] = ()


ONCE: ContextVar[dict[Path, PlainConfig] | None] = ContextVar("ONCE", default=None)
"""What was read of each file so far, where each is read once."""


@contextmanager
def reading_once() -> Iterator[None]:
    """Read, while the block runs, each config file once: suites name one for every method."""
    token = ONCE.set({})
    try:
        yield
    finally:
        ONCE.reset(token)


def read_file(path: Path) -> PlainConfig:
    """Read a file and its bases by mmengine, unchecked, without the preset that it names.

    Raises:
        ConfigError: The file is not a config, or not a literal one where only such are read.
    """
    known = ONCE.get()
    try:
        if known is None:
            return _read(path)
        found = known[path] if path in known else known.setdefault(path, _read(path))
        return found._replace(values=deepcopy(found.values))
    except ConfigError:
        raise
    except SyntaxError as error:
        # Where a text is parsed, it has no name: it is the file's, or that of a base.
        named = error.filename is not None and Path(error.filename).is_file()
        file = f"'{error.filename}'" if named else f"'{path}', or a _base_ of it,"
        raise ConfigError(
            f"Config file {file} is not valid Python, line {error.lineno}: {error.msg}."
        ) from error
    except FileNotFoundError as error:
        raise ConfigError(f"A _base_ of config file '{path}' is missing: {error}.") from error
    # A config is code of the user's own: anything can come out of it.
    except Exception as error:
        raise ConfigError(
            f"Config file '{path}' cannot be read: {type(error).__name__}: {error}."
        ) from error


def _read(path: Path) -> PlainConfig:
    if literal.ONLY.get():
        literal.check(path)
    try:
        return _from_file(path)
    except FileNotFoundError as error:
        if FORMER not in str(error):
            raise
    with TemporaryDirectory() as folder:
        found = _from_file(_with_present_bases(path, folder))
    warning = f"'{path}' inherits a preset from input_iba{FORMER}: it is in input_iba{PRESENT} now."
    return found._replace(warnings=(warning,))


def _from_file(path: Path) -> PlainConfig:
    values = dict(Config.fromfile(str(path)))
    return PlainConfig(values, values.pop(presets.KEY, None))


def _with_present_bases(path: Path, folder: str) -> Path:
    """Write a copy of a config, and of its bases, that inherits presets from where they are now."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)
    for statement in ast.parse(text).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "_base_":
            several = isinstance(statement.value, ast.List | ast.Tuple)
            bases = [
                _present_base(base, path, folder)
                for base in (statement.value.elts if several else [statement.value])  # type: ignore[attr-defined]
            ]
            lines[statement.lineno - 1 : statement.end_lineno] = [
                f"_base_ = [{', '.join(bases)}]\n"
            ]
            break
    copy = Path(mkdtemp(dir=folder)) / path.name
    copy.write_text("".join(lines), encoding="utf-8")
    return copy


def _present_base(base: ast.expr, path: Path, folder: str) -> str:
    """Return the source of one base of a copied config."""
    source = ast.unparse(base)
    if FORMER in source:
        return source.replace(FORMER, PRESENT)
    if isinstance(base, ast.Constant):
        return repr(str(_with_present_bases(path.parent / str(base.value), folder)))
    return source


def assemble(
    file: Path, overrides: Plain, preset: str | None, content: Plain | None = None
) -> PlainConfig:
    """Read a config file, put a preset beneath and options on top, and check what comes of them.

    See `load_config`. Values are under present names, with known keys and types only.
    """
    options = {_present_name(key): value for key, value in overrides.items()}
    read = read_file(file) if content is None else PlainConfig(dict(content), None)
    raw, warnings = _plain(schema.without_own_names(read.values))
    warnings = read.warnings + warnings
    name = preset or (None if read.preset is None else read.preset.removesuffix(presets.TEXT))
    if name is not None:
        values = presets.preset_values(name + presets.TEXT if _of_text(raw, read) else name)
        prior = options.get(presets.PRIOR_TYPE, presets.lookup(raw, presets.PRIOR_TYPE))
        if prior not in (None, presets.lookup(values, presets.PRIOR_TYPE)):
            values = presets.without_prior(values)
        raw = presets.put_beneath(values, raw)
        if preset is not None:
            warnings += tuple(_replaced(preset, values, raw))
    schema.imply_types(raw)
    schema.validate(raw, f"'{file}'")
    if options:
        raw, more = _overridden(raw, options, file)
        warnings += more
    return PlainConfig(raw, name, warnings)


def _present_name(dotted: str) -> str:
    return ".".join(schema.RENAMED.get(key, key) for key in dotted.split("."))


def _of_text(raw: Plain, read: PlainConfig) -> bool:
    """Return whether a config is for texts, by its own type or the preset that it inherits."""
    own = presets.lookup(raw, "attributor.type")
    if own is None:
        return (read.preset or "").endswith(presets.TEXT)
    return str(own).startswith("NLP")


def _plain(config: Plain) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return a config as plain data under present names, and a warning for each old one."""
    raw: dict[str, Any] = {key: schema.plain(value, key) for key, value in config.items()}
    return raw, tuple(schema.rename(raw))


def _replaced(preset: str, values: Plain, raw: dict[str, Any]) -> Iterator[str]:
    """Warn of values of a preset without effect; drop, in place, what its prior does not take."""
    if own := presets.without_effect(values, raw, WITHOUT_EFFECT):
        yield f"--preset {preset}: the config's own values count for {', '.join(own)}."
    type_ = presets.lookup(raw, presets.PRIOR_TYPE)
    for section in schema.PRIOR_SECTIONS:
        keys = presets.lookup(raw, section)
        for key in schema.of_other_priors(keys, section, type_):
            del keys[key]
            yield (
                f"--preset {preset}: '{section}.{key}' of the config has no effect, because "
                f"{type_} takes no such key."
            )


def _overridden(
    raw: dict[str, Any], options: Plain, path: Path
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Apply overrides, and check what comes of them."""
    named = f"--cfg-options {' '.join(options)}"
    config = Config(raw)
    try:
        config.merge_from_dict(dict(options))
    except (KeyError, TypeError, ValueError, IndexError, AssertionError) as error:
        raise ConfigError(f"{named} does not fit '{path}': {error}") from error
    raw, warnings = _plain(config)
    schema.imply_types(raw)
    schema.validate(raw, f"'{path}' with {named}")
    return raw, warnings


def as_python(values: Plain) -> str:
    """Return plain data as a Python file that loads to it."""
    try:
        text: str = Config(dict(values)).pretty_text
    except SyntaxError as error:
        # mmengine takes whatever comes while it formats, a request to end too, for a wrong config.
        if isinstance(error.__context__, KeyboardInterrupt):
            raise error.__context__ from None
        raise
    return f"{text}\n"
