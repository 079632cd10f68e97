"""Our pictures as a camera for other programs.

The camera runs in a process of its own, which takes the pictures from shared memory and holds the rate by sending the
newest again. pyvirtualcam (GPL-2) is loaded there alone. `compose.compose` makes the pictures. What is named here is
imported when it is first used, so that the process loads no more than it needs.
"""

from typing import TYPE_CHECKING

from models.late_names import late_names

if TYPE_CHECKING:
    from rendering.virtual_camera.camera import CameraState, VirtualCamera, VirtualCameraStatus
    from rendering.virtual_camera.settings import (
        BACKENDS,
        RATES,
        SIZES,
        VirtualCameraError,
        VirtualCameraSettings,
        read_settings,
    )

__all__ = [
    "BACKENDS",
    "RATES",
    "SIZES",
    "CameraState",
    "VirtualCamera",
    "VirtualCameraError",
    "VirtualCameraSettings",
    "VirtualCameraStatus",
    "read_settings",
]

__getattr__ = late_names(
    __name__,
    {
        **dict.fromkeys(__all__, "settings"),
        **dict.fromkeys(("CameraState", "VirtualCamera", "VirtualCameraStatus"), "camera"),
    },
)
