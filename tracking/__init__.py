"""From pictures to animated faces: sources, landmarks, fit, smoothing, calibration and the threaded pipeline.

Frame by frame, for research and scripts:

    from tracking import FaceTracker, open_source

    with open_source("clip.mp4") as source, FaceTracker() as tracker:
        for frame in source:
            face = tracker.process(frame)
            if face.valid:
                face.observation.landmarks          # (478, 3) MediaPipe's points, pixels
                face.parameters.expression          # (52,) ARKit channels, smoothed
                face.raw.uncertainty.expression     # (52,) one standard deviation each
                face.vertices                       # (V, 3) mesh, metres, head frame
                landmarks_68(tracker.model, face)   # (68, 2) pixels of the projected mesh

What is named here is imported when it is first used.
"""

from typing import TYPE_CHECKING

from models.late_names import late_names

if TYPE_CHECKING:
    from tracking.fit import FitSession, FitSettings
    from tracking.pipeline import FrameTracker, Pipeline, PipelineStatus, track_frames
    from tracking.points import landmarks_68, landmarks_478
    from tracking.settings import TrackerSettings
    from tracking.sources import open_source
    from tracking.sources.base import Source, SourceError
    from tracking.still import StillTracker
    from tracking.tracker import FaceTracker
    from tracking.types import FaceObservation, FaceParameters, Frame, TrackedFace, TrackingState

__all__ = [
    "FaceObservation",
    "FaceParameters",
    "FaceTracker",
    "FitSession",
    "FitSettings",
    "Frame",
    "FrameTracker",
    "Pipeline",
    "PipelineStatus",
    "Source",
    "SourceError",
    "StillTracker",
    "TrackedFace",
    "TrackerSettings",
    "TrackingState",
    "landmarks_68",
    "landmarks_478",
    "open_source",
    "track_frames",
]

__getattr__ = late_names(
    __name__,
    {
        "FitSession": "fit.session",
        "FitSettings": "fit.settings",
        **dict.fromkeys(("FrameTracker", "Pipeline", "PipelineStatus", "track_frames"), "pipeline"),
        **dict.fromkeys(("landmarks_68", "landmarks_478"), "points"),
        **dict.fromkeys(("Source", "SourceError"), "sources.base"),
        "open_source": "sources",
        "StillTracker": "still",
        "FaceTracker": "tracker",
        "TrackerSettings": "settings",
        **dict.fromkeys(("FaceObservation", "FaceParameters", "Frame", "TrackedFace", "TrackingState"), "types"),
    },
)
