"""Which versions made a result."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

REQUIRED = ("mediapipe", "numpy", "scipy", "numba", "opencv-python", "av", "vispy", "safetensors", "torch")
OPTIONAL = ("openvino", "torch-tensorrt", "pyvirtualcam", "usd-core", "rerun-sdk")
ABSENT = "absent"


def package_version(name: str) -> str:
    """Version of an installed package, or `absent`."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ABSENT


def software_versions() -> dict[str, str]:
    """Of Mien, its libraries (those of optional parts may be `absent`), Python and the operating system."""
    packages = {name: package_version(name) for name in ("mien", *REQUIRED, *OPTIONAL)}
    return packages | {"python": platform.python_version(), "system": platform.platform()}
