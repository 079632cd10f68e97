"""Errors that a person can do something about: shown as one sentence, never as a traceback."""

from __future__ import annotations


class CommandError(Exception):
    """A command cannot do what was asked for. The message is one sentence: what was wrong and what to do."""


EXPECTED = frozenset(
    {
        "app.errors.CommandError",
        "app.settings.SettingsError",
        "models.avatars.errors.AvatarFileError",
        "models.engines.base.EngineError",
        "models.face_model.schema.ModelFileError",
        "models.losses.mrf.FeatureFileError",
        "models.networks.stored.WeightsError",
        "models.training.checkpoint.TrainingError",
        "models.training.data.labels.LabelFileError",
        "models.training.data.public_sets.DataSetError",
        "recordings.audio.AudioError",
        "recordings.exporters.base.ExportError",
        "recordings.manifest.SessionFileError",
        "recordings.video.VideoWriterError",
        "rendering.offscreen.RenderingUnavailableError",
        "rendering.scene_picture.PictureFileError",
        "rendering.scene_settings.SceneFileError",
        "rendering.virtual_camera.settings.VirtualCameraError",
        "tracking.calibration.CalibrationError",
        "tracking.calibration_store.CalibrationFileError",
        "tracking.person_capture.CaptureError",
        "tracking.retarget.settings.RetargetFileError",
        "tracking.sources.base.SourceError",
        "tracking.streams.base.StreamError",
    }
)
"""Full names of the errors whose message is written for the user. Names, because importing them all would load every
library there is only to print one sentence."""


def sentence_for(error: BaseException) -> str | None:
    """What to tell the user of an error, None for one that nobody expected."""
    if any(f"{kind.__module__}.{kind.__qualname__}" in EXPECTED for kind in type(error).__mro__):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        place = f" ({error.filename})" if error.filename else ""
        return f"The operating system refused: {error.strerror}{place}."
    if isinstance(error, MemoryError):
        return "There is not enough memory: close other programs or take a smaller input."
    return None
