"""The checks, one function each. Every import that may fail or is slow happens inside its check."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from app.health.check import Check, Level
from app.health.networks import check_coarse_network, check_detail_network
from app.machine import has_display

LINUX, MAC, WINDOWS = (sys.platform.startswith("linux"), sys.platform == "darwin", sys.platform == "win32")
WINDOW_LIBRARIES = ("xcb-cursor", "xkbcommon-x11", "xcb-icccm", "xcb-keysyms", "xcb-shape")
_LEAST_FREE_BYTES = 1_000_000_000


def check_platform() -> Check:
    """Python and the processor family; which systems MediaPipe has no package for."""
    machine = platform.machine().lower()
    found = f"{platform.system()} on {machine}, Python {platform.python_version()}"
    if MAC and machine == "x86_64":
        return Check(
            "platform", Level.BROKEN, found, "MediaPipe 0.10.31 has no package for Intel Macs: use another machine."
        )
    if LINUX and machine in ("aarch64", "arm64", "armv7l"):
        return Check(
            "platform", Level.BROKEN, found, "MediaPipe 0.10.31 has no package for ARM Linux: use another machine."
        )
    return Check("platform", Level.OK, found)


def check_model_files() -> Check:
    """The shipped model files are there and unaltered."""
    from models.face_model import ModelFileError, load_face_model
    from tracking.landmarks import load_model_file

    try:
        size = len(load_model_file())
        model = load_face_model()
    except ModelFileError as error:
        return Check("model files", Level.BROKEN, str(error), "Install Mien again.")
    return Check("model files", Level.OK, f"Face Landmarker ({size / 1e6:.1f} MB, hash as expected), {model.name}")


def check_landmarks() -> Check:
    """MediaPipe starts and answers."""
    import numpy as np

    try:
        from tracking.landmarks import LandmarkDetector

        with LandmarkDetector("image") as detector:
            detector.detect(np.full((64, 64, 3), 128, np.uint8))
    except Exception as error:
        hint = "apt install libgl1 libegl1" if LINUX else "Install Mien again."
        return Check("face detection", Level.BROKEN, f"MediaPipe does not start: {_short(error)}", hint)
    return Check("face detection", Level.OK, "MediaPipe starts and answers")


def check_graphics() -> Check:
    """Off-screen OpenGL, and a display for windows."""
    display = "a display for windows" if has_display() else "no display: commands work, windows do not"
    try:
        from models.face_model import load_face_model
        from rendering import OffscreenRenderer

        with OffscreenRenderer(load_face_model()) as renderer:
            return Check("graphics", Level.OK, f"OpenGL through {renderer.device}; {display}")
    except Exception as error:
        remedy = "apt install libegl1 libgl1" if LINUX else "Update the graphics driver."
        return Check("graphics", Level.BROKEN, f"nothing can be drawn: {_short(error)}", remedy)


def check_window() -> Check:
    """What windows need besides OpenGL: a display, and Qt's libraries for it."""
    from ctypes.util import find_library

    try:
        import PySide6.QtWidgets  # noqa: F401
    except ImportError as error:
        remedy = "apt install libegl1 libgl1 libxkbcommon0 libfontconfig1" if LINUX else "Install Mien again."
        return Check("window", Level.MISSING, f"Qt cannot be loaded: {_short(error)}", remedy)
    missing = [f"lib{name}" for name in WINDOW_LIBRARIES if find_library(name) is None] if LINUX else []
    if missing:
        remedy = "apt install libxcb-cursor0 libxkbcommon-x11-0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0"
        return Check("window", Level.MISSING, f"missing on X11: {', '.join(missing)}", remedy)
    if not has_display():
        return Check("window", Level.MISSING, "Qt is there, but no display", "Use the commands, or xvfb-run.")
    return Check("window", Level.OK, "Qt and a display")


def check_cameras() -> Check:
    """Cameras by name, and whether their devices may be opened."""
    from tracking.sources import list_cameras

    cameras = list_cameras()
    if cameras:
        return Check("cameras", Level.OK, ", ".join(f"{camera.index}: {camera.name}" for camera in cameras))
    devices = sorted(Path("/dev").glob("video*")) if LINUX else []
    if devices and not any(os.access(device, os.R_OK | os.W_OK) for device in devices):
        remedy = "Add yourself to the group video (`sudo usermod -aG video $USER`) and log in again."
        return Check("cameras", Level.MISSING, f"{devices[0]} may not be opened", remedy)
    remedy = "Plug one in; clips and pictures work without."
    if MAC:
        remedy += " Camera access must be allowed in System Settings > Privacy."
    return Check("cameras", Level.MISSING, "none", remedy)


def check_accelerator() -> Check:
    """A GPU that torch can use, for the learned parts."""
    try:
        import torch
    except Exception as error:
        remedy = "pip install torch; tracking by model fit works without."
        return Check("GPU", Level.MISSING, f"torch cannot be loaded: {_short(error)}", remedy)
    if torch.cuda.is_available():
        return Check(
            "GPU", Level.OK, f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}, torch {torch.__version__}"
        )
    remedy = ""
    if shutil.which("nvidia-smi"):
        remedy = "There is an NVIDIA driver, but this torch is the CPU build: `make setup TORCH=cuda`."
    return Check("GPU", Level.MISSING, f"torch {torch.__version__} computes on the CPU", remedy)


def check_virtual_camera() -> Check:
    """The driver that other programs see as a camera, and the package that writes to it."""
    from importlib.util import find_spec

    package = find_spec("pyvirtualcam") is not None
    get_package = "" if package else "`pip install 'mien[virtual-camera]'` (GPL-2, see NOTICE). "
    driver, get_driver = _virtual_camera_driver()
    if package and driver:
        return Check("virtual camera", Level.OK, driver)
    found = f"driver: {driver or 'none'}; pyvirtualcam: {'there' if package else 'not installed'}"
    return Check("virtual camera", Level.MISSING, found, f"{get_package}{'' if driver else get_driver}".strip())


def _virtual_camera_driver() -> tuple[str, str]:
    """What driver is there ('' for none), and how to get one."""
    if LINUX:
        names = [p.read_text().strip() for p in Path("/sys/devices/virtual/video4linux").glob("*/name")]
        get = "`sudo apt install v4l2loopback-dkms && sudo modprobe v4l2loopback devices=1 exclusive_caps=1`."
        return (f"v4l2loopback ({names[0]})" if names else ""), get
    if MAC:
        there = Path("/Applications/OBS.app").exists()
        return ("OBS" if there else ""), "Install OBS 30 or newer and start its virtual camera once by hand."
    there = (Path(os.environ.get("PROGRAMFILES", r"C:\Program Files")) / "obs-studio").exists()
    return ("OBS" if there else ""), "Install OBS (its virtual camera comes with it) or Unity Capture."


def check_audio() -> Check:
    """Microphones, for recordings with sound."""
    try:
        import sounddevice
    except Exception as error:  # OSError where the PortAudio library is missing
        remedy = "apt install libportaudio2" if LINUX else "pip install --force-reinstall sounddevice"
        return Check("audio", Level.MISSING, f"PortAudio cannot be loaded: {_short(error)}", remedy)
    try:
        inputs = [str(d["name"]) for d in sounddevice.query_devices() if d["max_input_channels"] > 0]
    except Exception as error:
        return Check("audio", Level.MISSING, f"no audio system answers: {_short(error)}", "Check the sound settings.")
    if not inputs:
        return Check("audio", Level.MISSING, "no microphone", "Plug one in to record sound; the rest works without.")
    return Check("audio", Level.OK, ", ".join(inputs[:4]))


def check_settings() -> Check:
    """The settings file can be read."""
    from app.settings import load_settings, settings_file

    problems: list[str] = []
    load_settings(warn=problems.append)
    path = settings_file()
    if problems:
        return Check("settings", Level.MISSING, problems[0], "The defaults are used; change them again.")
    return Check("settings", Level.OK, str(path) if path.exists() else f"defaults ({path} does not exist)")


def check_folders() -> Check:
    """Settings, calibrations, caches and temporary files can be written."""
    from platformdirs import user_cache_path, user_data_path

    from app.settings import settings_file

    folders = [
        settings_file().parent,
        user_data_path("mien", appauthor=False),
        user_cache_path("mien", appauthor=False),
        Path(tempfile.gettempdir()),
    ]
    refused = [str(folder) for folder in folders if not _writable(folder)]
    if refused:
        return Check("folders", Level.MISSING, f"not writable: {', '.join(refused)}", "Check their permissions.")
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if free < _LEAST_FREE_BYTES:
        return Check("folders", Level.MISSING, f"only {free / 1e9:.1f} GB free", "Free some space before recording.")
    return Check("folders", Level.OK, f"settings, data, cache and temporary files; {free / 1e9:.0f} GB free")


def _writable(folder: Path) -> bool:
    """Whether files can be made in a folder, or the folder itself where it does not exist yet."""
    while not folder.exists():
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


def _short(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 160 else f"{text[:157]}..."


ALL_CHECKS: tuple[Callable[[], Check], ...] = (
    check_platform,
    check_model_files,
    check_landmarks,
    check_coarse_network,
    check_detail_network,
    check_graphics,
    check_window,
    check_cameras,
    check_accelerator,
    check_virtual_camera,
    check_audio,
    check_settings,
    check_folders,
)


def run_checks(checks: tuple[Callable[[], Check], ...] = ALL_CHECKS) -> list[Check]:
    """All results, in order; a check that fails itself counts as something missing."""
    results = []
    for check in checks:
        try:
            results.append(check())
        except Exception as error:
            name = check.__name__.removeprefix("check_").replace("_", " ")
            results.append(Check(name, Level.MISSING, f"the check itself failed: {_short(error)}", "Please report it."))
    return results
