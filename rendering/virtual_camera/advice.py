"""What a back end's message means for the user: what to do, on this system."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass

from rendering.virtual_camera.outputs import PACKAGES
from rendering.virtual_camera.settings import SYSTEMS

INSTALL = (
    "The virtual camera needs the package pyvirtualcam, which is not installed: run "
    "`pip install mien[virtual-camera]` and start again."
)
_LINE = re.compile(r"^'(?P<backend>[^']*)' backend: (?P<said>.*)$")
_SECURE_BOOT = "if that fails, its package (v4l2loopback-dkms) has to be installed first, and signed for Secure Boot"


@dataclass(frozen=True, slots=True)
class Advice:
    """One back end's failure.

    Attributes:
        backend: its name.
        said: its own words.
        remedy: what was wrong and what to do, in one sentence.
    """

    backend: str
    said: str
    remedy: str


def advise(text: str, platform: str = sys.platform) -> tuple[Advice, ...]:
    """The remedies for what the camera's process reported: one line a back end, in the order of trying.

    Args:
        text: lines of `'NAME' backend: message`; a message may go on in further lines.
        platform: as `sys.platform`.
    """
    found: list[tuple[str, str]] = []
    for line in text.splitlines():
        match = _LINE.match(line.strip())
        if match is not None:
            found.append((match["backend"], match["said"]))
        elif found and line.strip():
            found[-1] = found[-1][0], f"{found[-1][1]} {line.strip()}"
    if not found:
        found = [("", text.strip() or "nothing")]
    return tuple(Advice(backend, said, remedy(backend, said, platform)) for backend, said in found)


def remedy(backend: str, said: str, platform: str = sys.platform) -> str:
    """What to do about one message of one back end, in one sentence."""
    words = said.lower()
    if "not on this system" in words:
        names = ", ".join(SYSTEMS.get(platform, ())) or "none"
        return f"The back end {backend} does not exist on this system: choose auto, or one of {names}."
    if "import:" in words or "no module named" in words:
        return _missing(backend)
    for needle, sentence in _KNOWN.get(backend, ()) + _ANYWHERE:
        if needle in words:
            return sentence
    return (
        f"The virtual camera cannot be started ({said.rstrip('.')}): restart the program that uses it, or choose "
        "another back end."
    )


def _missing(backend: str) -> str:
    package = PACKAGES.get(backend)
    if package is None:
        return INSTALL
    return f"{backend.capitalize()} needs the package {package}, which is not installed: run `pip install {package}`."


_Table = tuple[tuple[str, str], ...]
_KNOWN: dict[str, _Table] = {
    "v4l2loopback": (
        (
            "no v4l2 loopback device found",
            "There is no loopback camera yet: run `sudo modprobe v4l2loopback devices=1 exclusive_caps=1`; "
            f"{_SECURE_BOOT}.",
        ),
        (
            "missing permissions",
            "This user may not write to video devices: run `sudo usermod -a -G video $USER`, log out and in again.",
        ),
        (
            "is not a video output device",
            "The device is a real camera or is being captured: choose a loopback device, made by `sudo modprobe "
            "v4l2loopback devices=1 exclusive_caps=1`.",
        ),
        (
            "is not a v4l2",
            "The device is no video device: choose one that `v4l2-ctl --list-devices` lists as v4l2 loopback.",
        ),
        ("capabilities of", "The device does not tell what it is: choose another one, or reload v4l2loopback."),
        (
            "already in use",
            "The loopback camera is in use by this or another program: close that, or run `sudo modprobe -r "
            "v4l2loopback && sudo modprobe v4l2loopback devices=2 exclusive_caps=1` for a second one.",
        ),
        (
            "busy",
            "The loopback camera is in use by another program: close the programs that write to it or read it, and "
            "start again.",
        ),
        (
            "could not be configured",
            "The loopback camera does not take this size: close the programs that read it, and start again, or "
            "choose 1280 x 720.",
        ),
        ("could not be opened", "The device cannot be opened: check its name, and that it exists."),
        ("unsupported image format", "This version of pyvirtualcam does not know RGB: update it by pip."),
    ),
    "obs": (
        (
            "did you install obs",
            "OBS is not installed: install OBS Studio (26 or newer) from obsproject.com; it need not run.",
        ),
        (
            "30.0 or later",
            "OBS's camera is not active: start OBS (30 or newer), press Start Virtual Camera once, allow its system "
            "extension in System Settings, restart the Mac, and quit OBS.",
        ),
        (
            "not installed in your system",
            "OBS's camera is not installed: start OBS (30 or newer), press Start Virtual Camera once, allow what the "
            "system asks, and quit OBS.",
        ),
        (
            "could not be started",
            "OBS's camera is in use: stop the virtual camera in OBS and in other programs, and start again.",
        ),
        ("supports only the", "OBS has one camera, `OBS Virtual Camera`: leave the device empty."),
        ("unsupported image format", "This version of pyvirtualcam does not know RGB: update it by pip."),
    ),
    "unitycapture": (
        (
            "with this name",
            "No Unity Video Capture camera has this name: leave the device empty, or take its name at installation.",
        ),
        (
            "no camera registered",
            "Unity Capture is not installed: download it from github.com/schellingb/UnityCapture, run Install.bat as "
            "administrator, and start again.",
        ),
        ("already in use", "The Unity Video Capture camera is in use by another program: close that, and start again."),
    ),
    "spout": (
        ("not taken", "Spout did not take the picture: update the graphics driver, and start again."),
        ("opengl", "Spout needs a graphics card with OpenGL: update its driver, and start again."),
    ),
    "syphon": (("metal", "Syphon needs a Mac with Metal: choose OBS instead."),),
    "ndi": (("initialize", "NDI's library could not start on this processor: choose a virtual camera instead."),),
}
_ANYWHERE: _Table = (
    ("permission", "The system does not let Mien use the camera device: check the device's permissions."),
    ("already in use", "The virtual camera is in use by another program: close that, and start again."),
    ("no such file", "There is no such device: check its name, or leave it empty for the first free one."),
)
