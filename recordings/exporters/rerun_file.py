"""Rerun: everything of a session on one timeline, for looking at it."""

from __future__ import annotations

import numpy as np

from models.channels import ARKIT_CHANNELS
from recordings.exporters.base import ExportError, Job, part_file
from recordings.exporters.parts import HeadParts
from recordings.exporters.poses import camera_of, posed_frames

__all__ = ["export_rrd"]

MISSING = "Rerun files need the extra `rerun`: pip install 'mien[rerun]'."


def export_rrd(job: Job) -> None:
    """An `.rrd` for the Rerun viewer: the 52 channels and confidence as curves, the head as a moving mesh under
    `world` (metres, +y up), the camera. Timeline `media_time`. Frames without a face clear the head.

    Raises:
        ExportError: rerun-sdk is not installed, or nothing can be exported.
    """
    try:
        import rerun as rr
    except ImportError as error:
        raise ExportError(MISSING) from error
    track = job.track()
    filled = job.filled(track)
    model = job.model()
    parts = HeadParts(model).parts
    with part_file(job.out) as part:
        recording = rr.RecordingStream("mien", recording_id=job.session.name)
        recording.save(str(part))
        recording.log("world", rr.ViewCoordinates.RIGHT_HAND_Y_UP, static=True)
        camera = camera_of(track)
        recording.log(
            "world/camera",
            rr.Pinhole(
                focal_length=camera.focal,
                width=camera.width,
                height=camera.height,
                camera_xyz=rr.ViewCoordinates.RUB,
                image_plane_distance=0.1,
            ),
            static=True,
        )
        times = rr.TimeColumn("media_time", duration=track.time_s)
        for k, name in enumerate(ARKIT_CHANNELS):
            recording.send_columns(
                f"channels/{name}", indexes=[times], columns=rr.Scalars.columns(scalars=track.expression[:, k])
            )
        recording.send_columns("confidence", indexes=[times], columns=rr.Scalars.columns(scalars=track.confidence))
        for frame in posed_frames(job, filled, model):
            recording.set_time("media_time", duration=float(track.time_s[frame.row]))
            if not track.valid[frame.row]:
                recording.log("world/head", rr.Clear(recursive=True))
                continue
            recording.log("world/head", rr.Transform3D(translation=frame.place, mat3x3=frame.rotation))
            for piece in parts:
                points = piece.points(frame.posed.vertices)
                colour = np.broadcast_to(np.median(piece.texture.reshape(-1, 3), axis=0).astype(np.uint8), points.shape)
                recording.log(
                    f"world/head/{piece.name}",
                    rr.Mesh3D(
                        vertex_positions=points,
                        triangle_indices=piece.faces,
                        vertex_normals=piece.points(frame.posed.normals),
                        vertex_colors=colour,
                    ),
                )
        recording.flush()
        recording.disconnect()
