"""`label`: label files of pictures and clips, what shows no face is listed."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from app.cli.main import main
from app.jobs.label import LabelRequest, run_label
from app.jobs.track import Progress
from models.channels import CHANNEL_INDEX
from models.training.data.labels import read_labels
from recordings.manifest import hash_file
from tests.helpers.media import write_clip
from tracking.sources.synthetic import SyntheticSettings, SyntheticSource


def rendered(seed: int, index: int) -> np.ndarray:
    source = SyntheticSource(SyntheticSettings(seed=seed, frames=120, width=480, height=360, yaw_degrees=5))
    return source.render(index)


def write(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))


def test_pictures_get_labels_and_faceless_ones_are_listed(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    write(folder / "a.png", rendered(1, 75))
    write(folder / "empty.png", np.full((200, 300, 3), 90, np.uint8))
    (folder / "broken.jpg").write_bytes(b"not a picture")
    (folder / "notes.txt").write_text("no picture")
    outcome = run_label(LabelRequest((folder,), tmp_path / "out"), Progress())
    assert [path.name for path in outcome.written] == ["a.labels.npz"]
    assert [path.name for path in outcome.faceless] == ["empty.png"]
    assert len(outcome.damaged) == 1 and "broken.jpg" in outcome.damaged[0]
    labels = read_labels(tmp_path / "out" / "photos" / "a.labels.npz")
    assert labels.sha256 == hash_file(folder / "a.png") and (labels.width, labels.height) == (480, 360)
    (face,) = labels.faces
    assert face.landmarks.shape == (478, 3) and face.confidence > 0.5
    assert face.camera.width == 480 and face.translation[2] > 0.2


def test_pictures_of_one_person_share_an_identity(tmp_path: Path) -> None:
    write(tmp_path / "rest" / "p.png", rendered(1, 0))
    write(tmp_path / "moved" / "p.png", rendered(1, 75))
    request = LabelRequest((tmp_path / "rest", tmp_path / "moved"), tmp_path / "out", people=True)
    outcome = run_label(request, Progress())
    rest, moved = (read_labels(path).faces[0] for path in outcome.written)
    np.testing.assert_array_equal(rest.identity, moved.identity)
    assert float(np.abs(rest.expression - moved.expression).max()) > 0.1
    assert read_labels(outcome.written[0]).person == "p"
    assert rest.expression[CHANNEL_INDEX["jawOpen"]] < 0.3


def test_clips_are_labelled_picture_by_picture(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", [rendered(1, i) for i in range(6)], 10)
    outcome = run_label(LabelRequest((clip,), tmp_path / "out", every=2), Progress())
    labels = read_labels(outcome.written[0])
    assert labels.frame_count == 6
    assert [face.frame for face in labels.faces] == [0, 2, 4]


def test_mistakes_are_said_in_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["label", "--inputs", str(tmp_path / "nowhere"), "--out", str(tmp_path / "o")]) == 2
    assert "There is no file or folder" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert main(["label", "--inputs", str(tmp_path / "empty"), "--out", str(tmp_path / "o")]) == 2
    assert "nothing to label" in capsys.readouterr().err
