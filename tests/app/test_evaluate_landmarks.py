"""`evaluate landmarks` on pictures of a face with landmarks whose errors are known, and on the development set."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.app.conftest import Run
from tests.helpers.annotations import pts_text
from tracking import StillTracker
from tracking.evaluation.annotations import read_pts
from tracking.points import project_embedding


def report_of(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return content


@pytest.fixture(scope="module")
def annotated(face_pictures: list[NDArray[np.uint8]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four pictures with the landmarks that the tracker finds, moved by 5 % of the eye distance; one without a face."""
    folder = tmp_path_factory.mktemp("annotated")
    with StillTracker() as tracker:
        for n, index in enumerate((0, 8, 16, 23)):
            image = face_pictures[index]
            fitted = tracker.fit(tracker.detect(image)[0], 400, 300).parameters
            posed = tracker.model.pose(fitted.identity, fitted.expression, fitted.gaze)
            points = project_embedding(tracker.model, fitted, posed.vertices, tracker.model.landmarks68)
            size = np.linalg.norm(points[45] - points[36])
            (folder / f"face{n}.pts").write_text(pts_text(points + (0.03 * size, 0.04 * size)))
            cv2.imwrite(str(folder / f"face{n}.png"), image[..., ::-1])
    cv2.imwrite(str(folder / "nobody.jpg"), np.full((100, 100, 3), 90, np.uint8))
    (folder / "nobody.pts").write_text((folder / "face0.pts").read_text())
    return folder


def test_the_report(run: Run, annotated: Path, tmp_path: Path) -> None:
    result = run("evaluate", "landmarks", annotated, "--out", tmp_path)
    assert result.status == 0, result.err
    report = report_of(tmp_path)
    assert report["images"] == 5 and report["failures"] == ["nobody"]
    assert report["nme_inner51"] == pytest.approx((4 * 0.05 + 0.10) / 5, abs=5e-4)
    assert report["nme_inner51_uncapped"] == pytest.approx(report["nme_inner51"])
    assert report["nme_inner51_adapted"] == pytest.approx(0.10 / 5, abs=5e-4)
    assert 0 < report["boundary"] < 0.3
    assert report["overall"] == pytest.approx((report["boundary"] + 3 * report["nme_inner51"]) / 4)
    per_image = {entry["name"]: entry for entry in report["per_image"]}
    assert per_image["face2"]["inner51"] == pytest.approx(0.05, abs=5e-4)
    assert per_image["nobody"] == {
        "name": "nobody",
        "found": False,
        "inner51": None,
        "inner51_adapted": None,
        "boundary": None,
    }
    assert report["machine"]["cores"] >= 1 and report["versions"]["numpy"] == np.__version__
    with (tmp_path / "ced.csv").open(newline="") as file:
        curve = list(csv.DictReader(file))
    assert set(curve[0]) == {"threshold", "inner51", "boundary"}
    assert float(curve[-1]["inner51"]) == pytest.approx(0.8)
    assert cv2.imread(str(tmp_path / "ced.png")) is not None


def test_a_list_and_an_origin(run: Run, annotated: Path, tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text("face1.png\nface3\n\n")
    run("evaluate", "landmarks", annotated, "--out", tmp_path / "a", "--list", names)
    run("evaluate", "landmarks", annotated, "--out", tmp_path / "b", "--list", names, "--pts-origin", "1")
    a, b = report_of(tmp_path / "a"), report_of(tmp_path / "b")
    assert [entry["name"] for entry in a["per_image"]] == ["face1", "face3"]
    assert b["nme_inner51"] < a["nme_inner51"]  # the landmarks were moved by more than a pixel the other way


def test_the_face_nearest_the_annotated_one_counts(run: Run, annotated: Path, tmp_path: Path) -> None:
    face = cv2.imread(str(annotated / "face0.png"))
    assert face is not None
    face = face[70:270, 120:290]
    larger = cv2.resize(face, None, fx=1.3, fy=1.3)
    crowd = np.zeros((260, 400, 3), np.uint8)
    crowd[:200, :170] = face
    crowd[:, 179:] = larger
    cv2.imwrite(str(tmp_path / "crowd.png"), crowd)
    points = read_pts(annotated / "face0.pts") - (120, 70)
    (tmp_path / "crowd.pts").write_text(pts_text(points))
    assert run("evaluate", "landmarks", tmp_path, "--out", tmp_path / "out").status == 0
    assert report_of(tmp_path / "out")["nme_inner51"] == pytest.approx(0.05, abs=0.01)


def test_what_cannot_be_evaluated(run: Run, annotated: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty.txt").touch()
    (tmp_path / "wrong.txt").write_text("nobody_of_that_name")
    for options, words in (
        ([tmp_path / "empty"], "no picture with landmarks"),
        ([tmp_path / "missing"], "no folder"),
        ([annotated, "--tracker", "coarse", "--weights", tmp_path / "none.safetensors"], "no weights at"),
        ([annotated, "--tracker", "full", "--weights", tmp_path / "empty.txt"], "damaged or incomplete"),
        ([annotated, "--list", tmp_path / "empty.txt"], "names no picture"),
        ([annotated, "--list", tmp_path / "missing.txt"], "cannot be read"),
        ([annotated, "--list", tmp_path / "wrong.txt"], "nobody_of_that_name"),
    ):
        result = run("evaluate", "landmarks", *options, "--out", tmp_path / "out")
        assert result.status == 2
        assert words in result.sentence()


@pytest.mark.data
def test_some_of_the_development_set(run: Run, data_dir: Path, tmp_path: Path) -> None:
    folder = data_dir / "landmarks68_dev"
    names = sorted(path.stem for path in folder.glob("*.pts"))[::10]
    (tmp_path / "names.txt").write_text("\n".join(names))
    result = run("evaluate", "landmarks", folder, "--out", tmp_path, "--list", tmp_path / "names.txt")
    assert result.status == 0, result.err
    report = report_of(tmp_path)
    assert report["images"] == 20 and report["nme_inner51"] < 0.04


@pytest.mark.data
@pytest.mark.slow
def test_the_development_set(run: Run, data_dir: Path, tmp_path: Path) -> None:
    """The figures that the tracker is held to."""
    assert run("evaluate", "landmarks", data_dir / "landmarks68_dev", "--out", tmp_path).status == 0
    report = report_of(tmp_path)
    assert report["nme_inner51"] <= 0.033
    assert report["nme_inner51_adapted"] <= 0.029
    assert len(report["failures"]) <= 4


@pytest.mark.data
def test_faces_up_to_profile(run: Run, data_dir: Path, tmp_path: Path) -> None:
    assert run("evaluate", "landmarks", data_dir / "aflw2000_sample", "--out", tmp_path).status == 0
    assert report_of(tmp_path)["images"] == 16


def test_all_three_trackers(run: Run, annotated: Path, tmp_path: Path) -> None:
    errors = {}
    for tracker in ("fit", "coarse", "full"):
        out = tmp_path / tracker
        assert run("evaluate", "landmarks", annotated, "--out", out, "--tracker", tracker).status == 0
        report = json.loads((out / "report.json").read_text())
        errors[tracker] = report["nme_inner51"]
        assert (report["weights"] is None) == (tracker == "fit")
    # The network alone is coarse; with the fit after it the picture decides.
    assert errors["coarse"] > errors["full"] > 0
    assert errors["full"] < 1.2 * errors["fit"] + 0.002
