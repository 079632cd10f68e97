"""The landmark detector on real pictures: what it reports, odd sizes, faults, and following a subject."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.channels import ARKIT_CHANNELS, CHANNEL_INDEX
from tracking.landmarks import (
    MODEL_FILE,
    LandmarkDetector,
    ModelFileError,
    _observation,
    load_model_file,
    observation_confidence,
)
from tracking.sources import VideoSource
from tracking.subject import SubjectDetector
from tracking.types import Image

ROOT = Path(__file__).resolve().parents[2]
RIGHT_EYE_OUTER, LEFT_EYE_OUTER, NOSE_TIP, CHIN = 33, 263, 1, 152
RIGHT_IRIS, LEFT_IRIS = 468, 473


@pytest.fixture(scope="module")
def pictures(demo_clip: Path) -> list[Image]:
    """The first 60 pictures of the demo clip."""
    with VideoSource(demo_clip) as source:
        return [frame.image for frame, _ in zip(source, range(60), strict=False)]


@pytest.fixture(scope="module")
def still() -> Iterator[LandmarkDetector]:
    with LandmarkDetector("image", max_faces=4) as detector:
        yield detector


def test_finds_the_face_with_the_subjects_sides(still: LandmarkDetector, pictures: list[Image]) -> None:
    (face,) = still.detect(pictures[0])
    assert face.landmarks.shape == (478, 3)
    assert face.landmarks.dtype == np.float32
    assert face.scores.shape == (52,)
    points = face.landmarks
    # Unmirrored: the subject's left lies on the picture's right.
    assert points[LEFT_EYE_OUTER, 0] > points[NOSE_TIP, 0] > points[RIGHT_EYE_OUTER, 0]
    assert points[LEFT_IRIS, 0] > points[RIGHT_IRIS, 0]
    assert points[CHIN, 1] > points[NOSE_TIP, 1] > points[LEFT_EYE_OUTER, 1]
    assert points[NOSE_TIP, 2] < points[CHIN, 2]
    left, top, right, bottom = face.box
    assert 0 < left < right < 400
    assert 0 < top < bottom < 300
    assert face.confidence == 1.0
    assert face.scores[CHANNEL_INDEX["tongueOut"]] == 0.0
    assert 0.0 <= face.scores.min() <= face.scores.max() <= 1.0


def test_landmarks_count_from_the_centre_of_the_first_pixel(still: LandmarkDetector, pictures: list[Image]) -> None:
    picture = np.ascontiguousarray(pictures[0])
    (face,) = still.detect(picture)
    (mirrored,) = still.detect(np.ascontiguousarray(picture[:, ::-1]))
    # The middles of the face in a picture and in its mirror image lie symmetrically about (width - 1) / 2.
    middle = (face.landmarks[:, 0].mean() + mirrored.landmarks[:, 0].mean()) / 2.0
    # The network is not perfectly symmetric: half a pixel of a face of 90.
    assert middle == pytest.approx((400 - 1) / 2.0, abs=0.5)


def test_scores_go_by_name() -> None:
    """Whatever order MediaPipe lists them in, and whatever it lists besides."""
    from types import SimpleNamespace

    names = ["_neutral", *sorted(set(ARKIT_CHANNELS) - {"tongueOut"}, reverse=True)]
    categories = [SimpleNamespace(category_name=name, score=n / 100) for n, name in enumerate(names)]
    points = [SimpleNamespace(x=0.5, y=0.25, z=-0.1)] * 478
    face = _observation(points, categories, 200, 100)
    assert face.scores[CHANNEL_INDEX["jawOpen"]] == pytest.approx(names.index("jawOpen") / 100)
    assert face.scores[CHANNEL_INDEX["browDownLeft"]] == pytest.approx(names.index("browDownLeft") / 100)
    assert face.scores[CHANNEL_INDEX["tongueOut"]] == 0.0
    assert face.scores.sum() == pytest.approx(sum(range(1, 52)) / 100)
    assert face.landmarks[0].tolist() == pytest.approx([99.5, 24.5, -20.0])


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (2, 2), (15, 15), (16, 16)])
@pytest.mark.parametrize("mode", ["image", "video"])
def test_tiny_pictures_have_no_face(size: tuple[int, int], mode: str, pictures: list[Image]) -> None:
    with LandmarkDetector("video" if mode == "video" else "image") as detector:
        assert detector.detect(np.full((*size, 3), 128, np.uint8), 0.0) == []
        assert len(detector.detect(pictures[0], 33.0)) == 1


def test_large_pictures_give_the_same_landmarks(still: LandmarkDetector, pictures: list[Image]) -> None:
    (face,) = still.detect(pictures[0])
    scale = 19.2
    large = np.asarray(cv2.resize(pictures[0], (7680, 5760), interpolation=cv2.INTER_CUBIC), np.uint8)
    (found,) = still.detect(large)
    expected = (face.landmarks[:, :2] + 0.5) * scale - 0.5
    # A pixel of the original is 19 of these; enlarging changes the picture's texture a little.
    assert np.linalg.norm(found.landmarks[:, :2] - expected, axis=1).mean() / scale < 1.0


def test_time_may_stand_still_and_go_back(pictures: list[Image]) -> None:
    with LandmarkDetector("video") as detector:
        for time_ms in (0.0, 40.0, 40.0, 40.2, 20.0, 0.0, 1e9, 5.0):
            assert len(detector.detect(pictures[0], time_ms)) == 1


def test_reset_drops_the_followed_face(pictures: list[Image]) -> None:
    with LandmarkDetector("video") as detector:
        for n, picture in enumerate(pictures[:20]):
            detector.detect(picture, n * 40.0)
        detector.reset()
        (after,) = detector.detect(pictures[0], 0.0)
    with LandmarkDetector("video") as detector:
        (fresh,) = detector.detect(pictures[0], 0.0)
    np.testing.assert_allclose(after.landmarks, fresh.landmarks, atol=1e-3)


def test_pictures_that_are_none_and_closed_detectors_are_refused(pictures: list[Image]) -> None:
    detector = LandmarkDetector("image")
    with pytest.raises(ValueError, match="expected an"):
        detector.detect(np.zeros((10, 10), np.uint8))
    detector.close()
    detector.close()
    with pytest.raises(RuntimeError, match="closed"):
        detector.detect(pictures[0])
    with pytest.raises(ValueError, match="max_faces"):
        LandmarkDetector("image", 0)


def test_the_shipped_model_file_is_the_known_one() -> None:
    assert len(load_model_file()) == 3_758_596


def test_missing_and_altered_model_files_give_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"is missing: install Mien again .*\.$") as caught:
        LandmarkDetector(model_file=tmp_path / "absent.task")
    assert "\n" not in str(caught.value)
    altered = bytearray(MODEL_FILE.read_bytes())
    altered[1000] ^= 1
    (tmp_path / "altered.task").write_bytes(altered)
    with pytest.raises(ModelFileError, match="damaged or altered"):
        LandmarkDetector(model_file=tmp_path / "altered.task")


def test_confidence_falls_outside_the_picture_and_in_few_pixels() -> None:
    grid = np.stack(np.meshgrid(np.linspace(0, 99, 22), np.linspace(0, 99, 22)), -1).reshape(-1, 2)
    points = np.concatenate([grid, np.zeros((len(grid), 1))], axis=1).astype(np.float32)
    assert observation_confidence(points, 100, 100) == 1.0
    assert observation_confidence(points, 50, 100) == pytest.approx(0.5)
    assert observation_confidence(points + 1000, 100, 100) == 0.0
    assert observation_confidence(points * np.float32(0.32), 100, 100) == pytest.approx(0.5, abs=0.01)


def test_mediapipe_starts_silently_and_late() -> None:
    program = (
        "import sys; from tracking.landmarks import LandmarkDetector; assert 'mediapipe' not in sys.modules;"
        "import numpy as np; d = LandmarkDetector(); d.detect(np.zeros((64, 64, 3), np.uint8)); d.close();"
        "print('still heard', file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "still heard\n"


def side_by_side(left: Image, right: Image, left_scale: float) -> Image:
    small = cv2.resize(left, None, fx=left_scale, fy=left_scale)
    canvas = np.zeros_like(left)
    canvas[: small.shape[0], : small.shape[1]] = small
    return np.ascontiguousarray(np.hstack([canvas, right]))


def test_the_larger_of_two_people_is_followed_even_through_a_short_absence(pictures: list[Image]) -> None:
    with SubjectDetector() as detector:
        for n in range(30):
            picture = side_by_side(pictures[n + 20], pictures[n], 0.9)
            hidden = 10 <= n < 15
            if hidden:
                picture[:, 400:] = 0
            face = detector.detect(picture, n / 25)
            assert (face is None) == hidden
            if face is not None:
                assert face.box[0] > 400


def test_the_other_person_is_followed_after_the_first_has_left(pictures: list[Image]) -> None:
    with SubjectDetector() as detector:
        for n in range(10):
            detector.detect(side_by_side(pictures[n + 20], pictures[n], 0.9), n / 25)
        alone = side_by_side(pictures[30], np.zeros_like(pictures[0]), 0.9)
        seen = [detector.detect(alone, (10 + n) / 25) for n in range(40)]
    first = next(n for n, face in enumerate(seen) if face is not None)
    assert 20 <= first <= 27
    assert all(face is not None and face.box[2] < 400 for face in seen[first:])


_DROPPED = """
import gc, sys
from tracking.landmarks import LandmarkDetector
import numpy as np
for _ in range(2):
    detector = LandmarkDetector("video", 1)
    detector.detect(np.zeros((64, 64, 3), np.uint8), 0.0)
    del detector
    gc.collect()
print("alive", flush=True)
"""


def test_a_detector_that_nobody_closed_does_not_hang() -> None:
    done = subprocess.run([sys.executable, "-c", _DROPPED], capture_output=True, text=True, timeout=90)
    assert "alive" in done.stdout, done.stderr
