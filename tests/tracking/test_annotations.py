"""Files of hand-made landmarks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.io import savemat

from tests.helpers.annotations import pts_text
from tracking.evaluation.annotations import find_annotated, read_mat, read_pts
from tracking.sources import SourceError

POINTS: NDArray[np.float64] = np.arange(136, dtype=np.float64).reshape(68, 2) + 0.5


def test_pts_files(tmp_path: Path) -> None:
    path = tmp_path / "a.pts"
    path.write_text(pts_text(POINTS))
    assert np.array_equal(read_pts(path), POINTS)
    assert np.array_equal(read_pts(path, 1), POINTS - 1)
    path.write_text(pts_text(POINTS).replace("\n", "\r\n"))
    assert np.array_equal(read_pts(path), POINTS)


@pytest.mark.parametrize("text", ["", "{}", "{ 1 2 3 }", "{ a b }", pts_text(POINTS[:67]), pts_text(POINTS * np.nan)])
def test_damaged_pts_files(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.pts").write_text(text)
    with pytest.raises(SourceError, match="68 landmarks"):
        read_pts(tmp_path / "a.pts")


def test_mat_files(tmp_path: Path) -> None:
    savemat(tmp_path / "a.mat", {"pt3d_68": np.vstack([POINTS.T, np.zeros(68)])})
    assert np.array_equal(read_mat(tmp_path / "a.mat"), POINTS)
    savemat(tmp_path / "b.mat", {"pt3d_68": np.zeros((3, 5))})
    (tmp_path / "c.mat").write_bytes(b"nothing")
    for name in ("b.mat", "c.mat", "missing.mat"):
        with pytest.raises(SourceError, match="pt3d_68"):
            read_mat(tmp_path / name)


def test_finding_them(tmp_path: Path) -> None:
    for name in ("a10.jpg", "a2.png", "b.png", "alone.jpg"):
        (tmp_path / name).touch()
    for name in ("a10.pts", "a2.pts", "b.mat", "lost.pts"):
        (tmp_path / name).write_text(pts_text(POINTS))
    assert [sample.name for sample in find_annotated(tmp_path)] == ["a2", "a10", "b"]
    assert [sample.name for sample in find_annotated(tmp_path, ["b", "a2.png", "b"])] == ["b", "a2"]
    with pytest.raises(SourceError, match="1 listed pictures are not in"):
        find_annotated(tmp_path, ["a2", "alone"])


def test_folders_without_any(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no picture with landmarks"):
        find_annotated(tmp_path)
    with pytest.raises(SourceError, match="no folder"):
        find_annotated(tmp_path / "missing")
