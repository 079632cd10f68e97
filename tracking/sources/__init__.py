"""Sources of pictures: cameras, video files, pictures and folders of pictures.

`open_source` takes whatever a person types and gives the source that reads it.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from models.late_names import late_names
from tracking.sources.base import Pacer, Source, SourceError
from tracking.sources.camera import CameraFormat, CameraInfo, CameraSource, find_camera, list_cameras
from tracking.sources.images import IMAGE_SUFFIXES, ImageSource, list_images, load_image

if TYPE_CHECKING:
    from tracking.sources.video import VideoSource

__all__ = [
    "IMAGE_SUFFIXES",
    "CameraFormat",
    "CameraInfo",
    "CameraSource",
    "ImageSource",
    "Pacer",
    "Source",
    "SourceError",
    "VideoSource",
    "find_camera",
    "list_cameras",
    "list_images",
    "load_image",
    "make_source",
    "open_source",
]

__getattr__ = late_names(__name__, {"VideoSource": "video"})  # PyAV is large, and cameras do not need it


def open_source(
    spec: str | int | Path,
    *,
    paced: bool = False,
    loop: bool = False,
    mirrored: bool = False,
    camera: CameraFormat | None = None,
) -> Source:
    """The source for what a person asked for, opened.

    Args:
        spec: a camera's number (`0`, `"0"`, `"camera:0"`) or name (`"camera:Integrated Webcam"`, a part of it is
            enough), a video file, a picture, or a folder of pictures.
        paced: files keep their own pace instead of coming as fast as they are read.
        loop: files start over at the end.
        mirrored: the pictures are mirrored and get un-mirrored.
        camera: what to ask a camera for.

    Raises:
        SourceError: nothing fits, or it cannot be opened.
    """
    source = make_source(spec, paced=paced, loop=loop, mirrored=mirrored, camera=camera)
    source.open()
    return source


def make_source(
    spec: str | int | Path,
    *,
    paced: bool = False,
    loop: bool = False,
    mirrored: bool = False,
    camera: CameraFormat | None = None,
) -> Source:
    """As `open_source`, but not opened yet: for a pipeline, whose own thread opens it.

    Raises:
        SourceError: nothing fits.
    """
    request = camera or CameraFormat()
    wanted = str(spec).strip()
    if isinstance(spec, int) or wanted.isdecimal():
        return _camera(wanted, mirrored, request)
    if isinstance(spec, str) and wanted.lower().startswith("camera:"):
        return _camera(wanted[len("camera:") :].strip(), mirrored, request)
    if not wanted or wanted == ".":
        raise SourceError("No source is named: give a camera's number, a video, a picture or a folder of pictures.")
    if "://" in wanted:
        raise SourceError(f"{wanted} is a network address, which cannot be read: give a camera's number or a file.")
    path = Path(wanted).expanduser()
    if path.is_dir() or path.suffix.lower() in IMAGE_SUFFIXES:
        return ImageSource(path, paced=paced, loop=loop, mirrored=mirrored)
    if not path.exists():
        raise SourceError(f"There is no camera, file or folder {wanted}: check the name.")
    from tracking.sources.video import VideoSource

    return VideoSource(path, paced=paced, loop=loop, mirrored=mirrored)


def _camera(wanted: str, mirrored: bool, request: CameraFormat) -> CameraSource:
    request = dataclasses.replace(request, mirrored=request.mirrored or mirrored)
    if not wanted:
        raise SourceError("No camera is named: give its number or name after camera:, for example camera:0.")
    if wanted.removeprefix("-").isdecimal():
        return CameraSource(int(wanted), request)
    found = find_camera(wanted, list_cameras())
    return CameraSource(found.index, request, name=f"Camera {found.name}")
