"""OpenVINO without its telemetry.

OpenVINO's and NNCF's conversion tools report their use through the package `openvino_telemetry` as soon as they are
imported. This program watches a person's face: nothing of it may call home. Both tools go on with a stub of their own
where that package is missing, so it is made missing before the first import.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

_PACKAGE = "openvino_telemetry"


def import_openvino() -> ModuleType:
    """The `openvino` package, with telemetry off.

    Raises:
        ImportError: it is not installed.
        RuntimeError: it was imported before by somebody else, telemetry and all.
    """
    switch_telemetry_off()
    return importlib.import_module("openvino")


def switch_telemetry_off() -> None:
    """Makes the telemetry package impossible to import in this process; must run before OpenVINO or NNCF come in.

    Raises:
        RuntimeError: too late.
    """
    if sys.modules.get(_PACKAGE) is not None:
        raise RuntimeError("openvino_telemetry was imported before it could be switched off")
    sys.modules[_PACKAGE] = None  # type: ignore[assignment]  # what the import system takes as `does not exist`
