"""Label files: what is written comes back, what is damaged is said in one sentence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.geometry.camera import Camera
from models.training.data.labels import (
    FaceLabel,
    LabelFileError,
    Labels,
    label_path,
    list_labels,
    read_labels,
    write_labels,
)


def face(frame: int = 0) -> FaceLabel:
    rng = np.random.default_rng(frame)
    return FaceLabel(
        frame=frame,
        identity=rng.normal(size=5).astype(np.float32),
        expression=rng.random(52).astype(np.float32),
        rotation=np.eye(3),
        translation=np.array([0.01, 0.02, 0.6]),
        gaze=np.zeros((2, 2), np.float32),
        camera=Camera(640, 480, 500.0),
        landmarks=(rng.random((478, 3)) * 400).astype(np.float32),
        scores=rng.random(52).astype(np.float32),
        confidence=0.9,
    )


def labels(count: int = 2) -> Labels:
    return Labels("a/b.jpg", "0" * 64, 640, 480, 3, "a head", "someone", tuple(face(i) for i in range(count)))


def test_what_is_written_comes_back(tmp_path: Path) -> None:
    path = label_path(tmp_path, Path("a/b.jpg"))
    write_labels(path, labels())
    found = read_labels(path)
    assert replace(found, faces=()) == replace(labels(), faces=())
    for got, wanted in zip(found.faces, labels().faces, strict=True):
        assert got.frame == wanted.frame and got.camera == wanted.camera
        np.testing.assert_array_equal(got.landmarks, wanted.landmarks)
        np.testing.assert_array_equal(got.identity, wanted.identity)
    assert list_labels(tmp_path) == [path]


def test_a_picture_without_faces_is_a_file_too(tmp_path: Path) -> None:
    write_labels(tmp_path / "x.labels.npz", labels(0))
    assert read_labels(tmp_path / "x.labels.npz").faces == ()


def test_damage_is_said_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "x.labels.npz"
    write_labels(path, labels())
    whole = path.read_bytes()
    for broken in (whole[: len(whole) // 2], b"", b"no zip at all"):
        path.write_bytes(broken)
        with pytest.raises(LabelFileError, match="write it again"):
            read_labels(path)
    with pytest.raises(LabelFileError, match="no label file"):
        read_labels(tmp_path / "missing.labels.npz")
    with pytest.raises(LabelFileError, match="no label files"):
        list_labels(tmp_path / "nowhere")


def test_values_that_are_not_numbers_and_pickles_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.labels.npz"
    bad = replace(face(), translation=np.array([np.nan, 0, 1]))
    write_labels(path, replace(labels(), faces=(bad,)))
    with pytest.raises(LabelFileError, match="not numbers"):
        read_labels(path)
    np.savez(path, head=np.array([{"schema_version": 1}], object))
    with pytest.raises(LabelFileError):
        read_labels(path)
