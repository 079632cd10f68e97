"""Between tracked faces and the records that keep them."""

from __future__ import annotations

import zlib
from math import isfinite, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.channels import ARKIT_CHANNELS
from models.geometry.camera import Camera
from models.geometry.rotations import HEAD_TO_CAMERA, from_quaternion, to_quaternion
from recordings.records import CameraCalibration, DetailMap, FaceState, FrameTransform, RecordTimes
from tracking.types import DetailState, FaceParameters, Frame, StageTime, TrackedFace, TrackingState

__all__ = [
    "BadRecordError",
    "calibration_record",
    "detail_map",
    "detail_record",
    "face_of_record",
    "face_record",
    "transform_record",
]

ENCODING = "uint16-delta-zlib"
_ZERO, _PER_MM, _LIMIT_MM = 32768, 1000.0, 10.0
_MAX_SIDE = 2048
_NO_PICTURE = np.zeros((0, 0, 3), np.uint8)
_NO_IDENTITY = np.zeros(0, np.float32)
_MAX_STAGES = 32


class BadRecordError(Exception):
    """A record holds what no recorder writes."""


def face_record(face: TrackedFace, index: int, times: RecordTimes) -> Any:
    """`mien.FaceState` of a frame.

    Args:
        index: of its picture, counted from the session's first.
    """
    record = times.fill(FaceState())
    record.index = index
    record.valid = face.valid
    record.state = face.state.value
    record.confidence = face.confidence
    record.detail = face.detail.value
    if face.raw is not None:
        _fill_values(record.raw, face.raw)
    parameters = face.parameters
    if parameters is not None:
        _fill_values(record.smoothed, parameters)
        camera = parameters.camera
        intrinsics = record.camera
        intrinsics.width, intrinsics.height = camera.width, camera.height
        intrinsics.focal, intrinsics.projection = camera.focal, camera.projection
    for stage in face.stages:
        record.stages.add(name=stage.name, ms=stage.ms)
    return record


def face_of_record(record: Any) -> TrackedFace:
    """The frame that a `mien.FaceState` keeps, without its picture, mesh and relief; its time is the session's.

    Raises:
        BadRecordError: a number is not finite, a rotation none, a name unknown.
    """
    try:
        state = TrackingState(record.state)
        detail = DetailState(record.detail or "none")
    except ValueError as error:
        raise BadRecordError("an unknown state") from error
    if record.valid != (state is TrackingState.TRACKING) or not 0.0 <= record.confidence <= 1.0:
        raise BadRecordError("a state that contradicts itself")
    if len(record.stages) > _MAX_STAGES or not all(isfinite(stage.ms) for stage in record.stages):
        raise BadRecordError("durations that are none")
    camera = _camera(record.camera) if record.HasField("camera") else None
    raw = _values(record.raw, camera) if record.HasField("raw") and camera is not None else None
    smoothed = _values(record.smoothed, camera) if record.HasField("smoothed") and camera is not None else None
    if record.valid and smoothed is None:
        raise BadRecordError("a face without values")
    return TrackedFace(
        frame=Frame(record.index, record.time_ns / 1e9, record.capture_ns, _NO_PICTURE),
        state=state,
        confidence=record.confidence,
        observation=None,
        raw=raw,
        parameters=smoothed,
        vertices=None,
        normals=None,
        displacement=None,
        stages=tuple(StageTime(stage.name, stage.ms) for stage in record.stages),
        detail=detail,
    )


def transform_record(parameters: FaceParameters, times: RecordTimes) -> Any:
    """`foxglove.FrameTransform` of the head's frame in the camera's."""
    record = FrameTransform(parent_frame_id="camera", child_frame_id="head")
    record.timestamp.FromNanoseconds(times.wall_ns)
    w, x, y, z = to_quaternion(HEAD_TO_CAMERA @ parameters.rotation).tolist()
    record.rotation.w, record.rotation.x, record.rotation.y, record.rotation.z = w, x, y, z
    x, y, z = parameters.translation.tolist()
    record.translation.x, record.translation.y, record.translation.z = x, y, z
    return record


def calibration_record(camera: Camera, times: RecordTimes) -> Any:
    """`foxglove.CameraCalibration` of a camera's intrinsics."""
    record = CameraCalibration(frame_id="camera", width=camera.width, height=camera.height)
    record.timestamp.FromNanoseconds(times.wall_ns)
    (x, y), focal = camera.centre, camera.focal
    record.K.extend([focal, 0, x, 0, focal, y, 0, 0, 1])
    record.R.extend([1, 0, 0, 0, 1, 0, 0, 0, 1])
    record.P.extend([focal, 0, x, 0, 0, focal, y, 0, 0, 0, 1, 0])
    return record


def detail_record(displacement: NDArray[np.float32], times: RecordTimes) -> Any:
    """`mien.DetailMap` of a relief.

    Each value is 32768 + 1000 per millimetre, limited to +-10 mm; stored are the differences to the value at its left
    (modulo 65536), little-endian, compressed by zlib.

    Args:
        displacement: (H, W) millimetres along the outward normal.
    """
    levels = np.rint(np.clip(np.nan_to_num(displacement), -_LIMIT_MM, _LIMIT_MM) * _PER_MM + _ZERO).astype("<u2")
    differences = np.diff(levels, axis=1, prepend=np.uint16(0)).astype("<u2")
    record = times.fill(DetailMap())
    record.height, record.width = displacement.shape
    record.encoding = ENCODING
    record.data = zlib.compress(differences.tobytes(), 1)
    return record


def detail_map(record: Any) -> NDArray[np.float32]:
    """(H, W) float32 millimetres that a `mien.DetailMap` keeps.

    Raises:
        BadRecordError: its size is absurd or its data are damaged. No more memory is taken than the size asks for.
    """
    height, width = record.height, record.width
    if record.encoding != ENCODING or not (0 < height <= _MAX_SIDE and 0 < width <= _MAX_SIDE):
        raise BadRecordError("a relief of unknown form")
    expected = height * width * 2
    try:
        unpacker = zlib.decompressobj()
        data = unpacker.decompress(record.data, expected + 1)
    except zlib.error as error:
        raise BadRecordError("a damaged relief") from error
    if len(data) != expected:
        raise BadRecordError("a relief of another size")
    differences = np.frombuffer(data, "<u2").reshape(height, width)
    levels = np.cumsum(differences, axis=1, dtype=np.uint16)
    return (levels.astype(np.float32) - _ZERO) / np.float32(_PER_MM)


def _fill_values(record: Any, parameters: FaceParameters) -> None:
    expression = record.expression
    for name, value in zip(ARKIT_CHANNELS, parameters.expression.tolist(), strict=True):
        if value:
            setattr(expression, name, value)
    if not expression.ByteSize():
        expression.SetInParent()
    rotation, translation, gaze = record.rotation, record.translation, record.gaze
    rotation.w, rotation.x, rotation.y, rotation.z = to_quaternion(parameters.rotation).tolist()
    translation.x, translation.y, translation.z = parameters.translation.tolist()
    gaze.left_yaw, gaze.left_pitch, gaze.right_yaw, gaze.right_pitch = parameters.gaze.ravel().tolist()


def _values(record: Any, camera: Camera) -> FaceParameters:
    kept, rotation, translation, gaze = record.expression, record.rotation, record.translation, record.gaze
    expression = [getattr(kept, name) for name in ARKIT_CHANNELS]
    quaternion = [rotation.w, rotation.x, rotation.y, rotation.z]
    place = [translation.x, translation.y, translation.z]
    angles = [gaze.left_yaw, gaze.left_pitch, gaze.right_yaw, gaze.right_pitch]
    # One comparison each also catches what is not a number.
    if not all(-1e-3 <= value <= 1.001 for value in expression):
        raise BadRecordError("a channel outside 0..1")
    if not all(abs(value) < 1e6 for value in (*place, *angles)):
        raise BadRecordError("a place or gaze that is none")
    if not abs(sqrt(sum(value * value for value in quaternion)) - 1.0) < 0.01:
        raise BadRecordError("a rotation that is none")
    return FaceParameters(
        identity=_NO_IDENTITY,
        expression=np.array(expression, np.float32),
        rotation=from_quaternion(quaternion),
        translation=np.array(place),
        gaze=np.array(angles, np.float32).reshape(2, 2),
        camera=camera,
    )


def _camera(record: Any) -> Camera:
    if not (0 < record.width < 1 << 20 and 0 < record.height < 1 << 20 and 0.0 < record.focal < 1e9):
        raise BadRecordError("a camera that is none")
    if record.projection == "weak":
        return Camera(record.width, record.height, record.focal, "weak")
    return Camera(record.width, record.height, record.focal, "perspective")
