"""The paper's evaluation sets and other methods' result files."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.helpers.media import write_clip
from tracking.evaluation.protocols import read_protocol
from tracking.evaluation.results import read_results
from tracking.sources import SourceError

POINTS = np.stack([np.linspace(10, 50, 68), np.linspace(20, 40, 68)], axis=1)


def write_pts(path: Path, points: np.ndarray = POINTS) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = "\n".join(f"{x:.3f} {y:.3f}" for x, y in points + 1)
    path.write_text(f"version: 1\nn_points: 68\n{{\n{rows}\n}}\n")


def write_picture(path: Path, tone: int = 100) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((48, 64, 3), tone, np.uint8))


def test_300w_is_found_in_any_folders(tmp_path: Path) -> None:
    for name in ("01_Indoor/indoor_001", "01_Indoor/indoor_002", "helen/trainset/12_1"):
        write_picture(tmp_path / f"{name}.png")
        write_pts(tmp_path / f"{name}.pts")
    write_pts(tmp_path / "without_picture.pts")
    samples = read_protocol("300-w", tmp_path)
    assert [s.name for s in samples] == ["01_Indoor/indoor_001", "01_Indoor/indoor_002", "helen/trainset/12_1"]
    assert np.allclose(samples[0].points(1), POINTS, atol=1e-3)
    assert samples[0].picture().shape == (48, 64, 3)
    chosen = read_protocol("300-w", tmp_path, wanted=["helen/trainset/12_1"])
    assert [s.name for s in chosen] == ["helen/trainset/12_1"]
    with pytest.raises(SourceError, match="1 listed samples are not"):
        read_protocol("300-w", tmp_path, wanted=["nobody"])


def test_300vw_pairs_annotations_with_pictures_of_the_video(tmp_path: Path) -> None:
    video = tmp_path / "001" / "vid.avi"
    video.parent.mkdir()
    clip = write_clip(tmp_path / "clip.mp4", [np.full((48, 64, 3), 10 + 20 * n, np.uint8) for n in range(8)], 10)
    clip.rename(video)
    for number in range(1, 9):
        write_pts(tmp_path / "001" / "annot" / f"{number:06}.pts")
    samples = read_protocol("300-vw", tmp_path, every=3)
    assert [s.name for s in samples] == ["001/000001", "001/000004", "001/000007"]
    assert samples[0].group == "001"
    # Also out of order, as a list file may have it.
    for index in (2, 0, 1):
        assert float(samples[index].picture().mean()) == pytest.approx(10 + 60 * index, abs=4)


def test_facescape_is_grouped_by_identity(tmp_path: Path) -> None:
    for name in ("12/smile/3", "12/neutral/3", "40/smile/1"):
        write_picture(tmp_path / f"{name}.jpg")
        write_pts(tmp_path / f"{name}.pts")
    assert [s.group for s in read_protocol("facescape", tmp_path)] == ["12", "12", "40"]


def test_a_folder_of_something_else_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"needs NNN/vid\.avi"):
        read_protocol("300-vw", tmp_path)
    with pytest.raises(SourceError, match="no folder"):
        read_protocol("300-w", tmp_path / "none")


def test_results_with_landmarks_and_outlines(tmp_path: Path) -> None:
    landmarks = np.stack([POINTS, POINTS + 1, np.full((68, 2), np.nan)])
    path = tmp_path / "deca.npz"
    np.savez(
        path,
        names=["a", "b", "c"],
        landmarks68=landmarks,
        outline=np.arange(10.0).reshape(5, 2),
        outline_ends=[2, 5, 5],
    )
    results = read_results("DECA", path)
    assert results.has_outline
    assert np.allclose(results.of("b").landmarks, POINTS + 1)  # type: ignore[arg-type]
    outline = results.of("b").outline
    assert outline is not None and outline.tolist() == [[4, 5], [6, 7], [8, 9]]
    assert results.of("c").landmarks is None
    assert results.of("unknown").landmarks is None


def test_results_with_meshes_have_the_meshs_outline(tmp_path: Path) -> None:
    """A sphere of radius 40 around (100, 80): the outline is its circle, whatever its depth."""
    model_faces = _sphere_faces()
    vertices = _sphere() * 40 + np.array([100.0, 80.0, 500.0])
    path = tmp_path / "mesh.npz"
    np.savez(
        path, names=["a"], vertices=vertices[None], faces=model_faces, landmark_vertices=np.arange(68),
        outline_region=np.ones(len(vertices)),
    )  # fmt: skip
    result = read_results("mesh", path).of("a")
    assert result.outline is not None and len(result.outline) > 20
    radius = np.linalg.norm(result.outline - [100, 80], axis=1)
    assert radius.min() > 38 and radius.max() < 40.5
    assert np.allclose(result.landmarks, vertices[:68, :2])  # type: ignore[arg-type]


def _sphere(rows: int = 24, columns: int = 36) -> np.ndarray:
    t, p = np.meshgrid(np.linspace(0.02, np.pi - 0.02, rows), np.arange(columns) * 2 * np.pi / columns, indexing="ij")
    return np.stack([np.sin(t) * np.cos(p), -np.cos(t), -np.sin(t) * np.sin(p)], axis=-1).reshape(-1, 3)


def _sphere_faces(rows: int = 24, columns: int = 36) -> np.ndarray:
    faces = []
    for i in range(rows - 1):
        for j in range(columns):
            a, b = i * columns + j, i * columns + (j + 1) % columns
            c, d = a + columns, b + columns
            faces += [[a, c, b], [b, c, d]]
    return np.array(faces)


@pytest.mark.parametrize(
    "arrays",
    [
        {"names": ["a"]},
        {"names": ["a"], "landmarks68": np.zeros((1, 51, 2))},
        {"names": ["a"], "vertices": np.zeros((1, 5, 3)), "faces": np.zeros((1, 3), int)},
    ],
)
def test_bad_results_are_said(tmp_path: Path, arrays: dict[str, object]) -> None:
    path = tmp_path / "bad.npz"
    np.savez(path, **arrays)  # type: ignore[arg-type]
    with pytest.raises(SourceError, match=r"docs/evaluation\.md"):
        read_results("bad", path)


def test_pickled_results_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "pickle.npz"
    np.savez(path, names=np.array([object()], dtype=object))
    with pytest.raises(SourceError, match="cannot be read"):
        read_results("pickle", path)
