"""Rendered pictures of a session: a video with its sound, or PNG files with transparency."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from recordings.exporters.base import ExportError, Job, part_file, part_folder
from recordings.exporters.poses import USUAL_SIZE, camera_of, posed_frames, tracked_face
from recordings.exporters.sound import add_sound, has_sound
from recordings.track import Track
from recordings.video import Codec, VideoWriter, VideoWriterError
from tracking.sources import SourceError, VideoSource
from tracking.types import Frame, Image

__all__ = ["export_mp4", "export_png", "export_webm"]

NEEDS_PICTURES = ("overlay", "input")
LARGEST_SIDE = 4096

Pictures = NDArray[np.uint8]


def export_mp4(job: Job) -> None:
    """H.264 in MP4, with the session's sound as AAC."""
    _export_video(job, "h264")


def export_webm(job: Job) -> None:
    """VP9 in WebM, with the session's sound as Opus."""
    _export_video(job, "vp9")


def export_png(job: Job) -> None:
    """A folder with `frame_000000.png` and so on; transparent around the head unless the options say otherwise."""
    track, _ = job.even_track()
    with part_folder(job.out) as folder:
        for row, picture in enumerate(_pictures(job, track, transparent=job.options.transparent)):
            order = cv2.COLOR_RGBA2BGRA if picture.shape[2] == 4 else cv2.COLOR_RGB2BGR
            done, data = cv2.imencode(".png", cv2.cvtColor(picture, order), [cv2.IMWRITE_PNG_COMPRESSION, 3])
            assert done
            (folder / f"frame_{row:06d}.png").write_bytes(data.tobytes())


def _export_video(job: Job, codec: Codec) -> None:
    track = job.track()
    fps = job.options.fps or job.session.fps
    sound = job.session.audio_path() if job.options.audio else None
    heard = sound is not None and has_sound(sound)
    first, last = float(track.time_s[0]), float(track.time_s[-1])
    with part_file(job.out) as part:
        silent = part.with_name(f"{part.stem}.silent{part.suffix}") if heard else part
        try:
            width, height = _size(job, track)
            with VideoWriter(silent, width, height, fps, codec) as writer:
                for row, picture in enumerate(_pictures(job, track, transparent=False)):
                    writer.add(picture, float(track.time_s[row]))
            if heard and sound is not None:
                add_sound(silent, sound, part, first, last - first + 1 / fps)
        except VideoWriterError as error:
            raise ExportError(str(error)) from error
        finally:
            if heard:
                silent.unlink(missing_ok=True)


def _size(job: Job, track: Track) -> tuple[int, int]:
    width, height = job.options.size or (track.image_size if min(track.image_size) > 0 else USUAL_SIZE)
    if not (16 <= width <= LARGEST_SIDE and 16 <= height <= LARGEST_SIDE):
        raise ExportError(f"Pictures of {width} x {height} cannot be made: each side must have 16 to {LARGEST_SIDE}.")
    return width - width % 2, height - height % 2


def _pictures(job: Job, track: Track, *, transparent: bool) -> Iterator[Pictures]:
    """Every row's picture: (H, W, 3), or (H, W, 4) if transparent."""
    size = _size(job, track)
    view = job.options.view
    with ExitStack() as open_things:
        camera_picture: Callable[[float], Image] | None = None
        if view in NEEDS_PICTURES:
            camera_picture = _camera_pictures(job, open_things)
        if view == "input":
            assert camera_picture is not None
            for row in range(len(track)):
                yield _fitted(camera_picture(float(track.time_s[row])), size)
                job.progress(row + 1, len(track))
            return
        from rendering import Background, OffscreenRenderer, RenderingUnavailableError, Scene, View

        model = job.model()
        chosen = View(view)
        clear = transparent and chosen is not View.OVERLAY
        scene = Scene(view=chosen, background=Background(alpha=0.0) if clear else Background())
        try:
            renderer = open_things.enter_context(OffscreenRenderer(model, scene))
        except RenderingUnavailableError as error:
            raise ExportError(str(error)) from error
        filled = job.filled(track)
        camera = camera_of(track)
        blank = np.zeros((camera.height, camera.width, 3), np.uint8)
        wrinkled = replace(job, options=replace(job.options, wrinkles=True))
        for posed in posed_frames(wrinkled, filled, model):
            image = blank if camera_picture is None else camera_picture(float(track.time_s[posed.row]))
            face = tracked_face(filled, posed.row, posed.posed, camera, image)
            picture = renderer.render(replace(face, displacement=posed.displacement), chosen, size, alpha=clear)
            yield _straight(picture) if clear else picture


def _camera_pictures(job: Job, open_things: ExitStack) -> Callable[[float], Image]:
    """The recorded picture that was there at a time; times ascend.

    Raises:
        ExportError: there is none.
    """
    path = job.session.video_path()
    if path is None:
        raise ExportError(
            f"{job.session.name} has no pictures (recorded without, or the tracked file is gone): choose a --view "
            "that needs none, such as textured."
        )
    # The copy in the folder was un-mirrored when it was recorded; the tracked file is as it came.
    mirrored = job.session.manifest.source.mirrored and not job.session.manifest.media.present
    try:
        source = open_things.enter_context(VideoSource(Path(path), mirrored=mirrored))
    except SourceError as error:
        raise ExportError(str(error)) from error
    held: Frame | None = source.read()
    following: Frame | None = source.read()
    if held is None:
        raise ExportError(f"The video {path} holds no picture: choose a --view that needs none, such as textured.")
    now: Frame = held

    def at(time_s: float) -> Image:
        nonlocal now, following
        while following is not None and following.time_s <= time_s + 1e-4:
            now, following = following, source.read()
        return now.image

    return at


def _straight(picture: Pictures) -> Pictures:
    """(H, W, 4) with colours divided by alpha, as PNG has them; the renderer's are multiplied by it."""
    alpha = picture[..., 3:].astype(np.float32) / 255
    colour = np.divide(picture[..., :3], alpha, out=np.zeros(picture.shape[:2] + (3,), np.float32), where=alpha > 0)
    return np.concatenate([np.clip(colour + 0.5, 0, 255).astype(np.uint8), picture[..., 3:]], axis=2)


def _fitted(image: Image, size: tuple[int, int]) -> Pictures:
    """Scaled into (width, height), with black bars where the shape differs."""
    width, height = size
    scale = min(width / image.shape[1], height / image.shape[0])
    inner = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    canvas = np.zeros((height, width, 3), np.uint8)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    canvas[top : top + inner[1], left : left + inner[0]] = cv2.resize(image, inner, interpolation=cv2.INTER_AREA)
    return canvas
