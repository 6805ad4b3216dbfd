"""Say which packages there are: two lie at the top of the repository and are installed inside.

Everything else is in pyproject.toml, which cannot add packages to those that setuptools finds.
"""

from setuptools import find_namespace_packages, find_packages, setup

CONFIGS = "input_iba.configs"
RESOURCES = "input_iba.resources"

setup(
    packages=[
        *find_packages(include=["input_iba*"]),
        *(CONFIGS, *(f"{CONFIGS}.{folder}" for folder in find_namespace_packages("configs"))),
        RESOURCES,
    ],
    package_dir={CONFIGS: "configs", RESOURCES: "resources"},
)
