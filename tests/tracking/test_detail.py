"""Wrinkles while tracking: which views are believed, what is held, and that nothing is invented."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from models.channels import CHANNEL_INDEX
from models.face_model import load_face_model
from models.networks.detail_parts import DetailDecoder, DetailEncoder
from models.networks.detail_weights import detail_header
from models.networks.mae import DetailMAE
from models.networks.presets import MAESettings
from models.networks.stored import WeightsError, write_weights
from tracking import FaceTracker, Frame, TrackedFace, TrackerSettings, TrackingState
from tracking.detail import Detail, DetailStage, view_problem
from tracking.detail_network import DetailNetwork
from tracking.detail_settings import RESTING, DetailSettings
from tracking.detailed import DetailedTracker, DetailWorker
from tracking.sources import VideoSource
from tracking.types import DetailState

SMALL = MAESettings(
    encoder_dim=32, encoder_heads=2, encoder_depth=1, decoder_dim=32, decoder_heads=2, decoder_depth=1,
    stem="convolutional", refine=True,
)  # fmt: skip


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    network = DetailMAE(SMALL)
    header = detail_header(SMALL, "lite", load_face_model().name, {})
    path = tmp_path_factory.mktemp("weights") / "detail.safetensors"
    write_weights(path, network, header)
    return path


@pytest.fixture(scope="module")
def network(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DetailNetwork]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIEN_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield DetailNetwork(load_face_model().name, weights)


@pytest.fixture(scope="module")
def large(demo_clip: Path) -> list[TrackedFace]:
    """Frames of the clip that ships, enlarged until the face shows wrinkles, tracked."""
    with VideoSource(demo_clip) as source, FaceTracker() as tracker:
        frames = [f for f, _ in zip(source, range(12), strict=False)]
        enlarged = [
            replace(f, image=np.asarray(cv2.resize(f.image, None, fx=2, fy=2), np.uint8)) for f in frames
        ]  # fmt: skip
        return [tracker.process(f) for f in enlarged]


def test_the_two_parts_are_the_whole() -> None:
    torch.manual_seed(0)
    for settings in (SMALL, SMALL.model_copy(update={"stem": "patch", "refine": False})):
        whole = DetailMAE(settings).eval()
        image, tension = torch.rand(1, 4, 256, 256), torch.rand(1, 1, 256, 256) * 0.2
        parts = DetailEncoder(whole)(image)
        assert [tuple(p.shape) for p in parts] == settings.encoded_shapes
        assert torch.allclose(DetailDecoder(whole)(*parts, tension), whole(image, tension), atol=1e-5)


def test_early_fusion_cannot_be_split() -> None:
    with pytest.raises(ValueError, match="before the decoder"):
        DetailEncoder(DetailMAE(SMALL.model_copy(update={"fusion": "early"})))


def test_weights_of_another_face_model_are_refused(weights: Path) -> None:
    with pytest.raises(WeightsError, match="not flame"):
        DetailNetwork("flame", weights)


def test_engine_and_network_agree(network: DetailNetwork, weights: Path) -> None:
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 255, (256, 256, 3)).astype(np.uint8)
    visible = np.ones((256, 256), np.float32)
    tension = (rng.random((256, 256)) * 0.2).astype(np.float32)
    found = network.decode(network.encode(rgb, visible), tension)
    torch.manual_seed(0)
    reference = DetailMAE(SMALL).eval()
    image = torch.from_numpy(np.concatenate([rgb.transpose(2, 0, 1) / 255, visible[None]]).astype(np.float32))[None]
    wanted = reference(image, torch.from_numpy(tension)[None, None]).detach().numpy()[0, 0]
    assert np.corrcoef(found.ravel(), wanted.ravel())[0, 1] > 0.99


def test_a_good_view_gives_live_relief_on_skin_alone(network: DetailNetwork, large: list[TrackedFace]) -> None:
    stage = DetailStage(load_face_model(), network)
    found = stage.process(large[-1])
    assert found.state is DetailState.LIVE
    assert found.reason == ""
    assert found.encode_ms is not None and found.decode_ms is not None
    assert found.displacement is not None and found.displacement.shape == (320, 320)
    assert np.abs(found.displacement).max() > 0
    assert np.abs(found.displacement[:41]).max() == 0


def test_a_steady_view_is_encoded_once_and_tension_drives_it(network: DetailNetwork, large: list[TrackedFace]) -> None:
    stage, face = DetailStage(load_face_model(), network), large[-1]
    first = stage.process(face)
    model, parameters = load_face_model(), face.parameters
    assert parameters is not None
    smile = parameters.expression.copy()
    smile[[CHANNEL_INDEX["mouthSmileLeft"], CHANNEL_INDEX["mouthSmileRight"]]] = 0.9
    posed = model.pose(parameters.identity, smile, parameters.gaze)
    later = replace(face.frame, time_s=face.frame.time_s + 1.0)
    second = stage.process(
        replace(face, frame=later, vertices=posed.vertices, parameters=replace(parameters, expression=smile))
    )
    assert second.encode_ms is None
    assert second.state is DetailState.LIVE
    assert first.displacement is not None and second.displacement is not None
    assert np.abs(second.displacement - first.displacement).max() > 0


def test_a_lost_face_is_held_and_a_new_person_is_not_given_the_old_ones_skin(
    network: DetailNetwork, large: list[TrackedFace]
) -> None:
    stage, face = DetailStage(load_face_model(), network), large[-1]
    stage.process(face)
    gone = replace(face, state=TrackingState.HOLDING, observation=None, raw=None, confidence=0.0)
    held = stage.process(gone)
    assert held.state is DetailState.HELD
    assert held.displacement is not None
    assert held.reason == "the face is not seen"
    stage.reset()
    assert stage.process(gone) == Detail(None, DetailState.NONE, "the face is not seen")


def test_small_and_turned_faces_show_no_wrinkles(large: list[TrackedFace]) -> None:
    face = large[-1]
    assert view_problem(face, 150) == ""
    assert face.observation is not None and face.raw is not None
    box = face.observation.box * 0.4
    small = replace(face, observation=replace(face.observation, box=box))
    assert "too small" in view_problem(small, 150)
    away = np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]])
    assert "turned away" in view_problem(replace(face, raw=replace(face.raw, rotation=away)), 150)
    assert "not seen clearly" in view_problem(replace(face, confidence=0.1), 150)


def test_a_hand_before_the_face_is_not_taken_for_skin(network: DetailNetwork, large: list[TrackedFace]) -> None:
    stage, face = DetailStage(load_face_model(), network), large[-1]
    stage.process(face)
    assert face.observation is not None
    left, top, right, bottom = face.observation.box.astype(int)
    covered = face.frame.image.copy()
    covered[(top + bottom) // 2 : bottom, left:right] = (20, 60, 30)
    later = Frame(99, face.frame.time_s + 3, face.frame.captured_ns, covered)
    found = stage.process(replace(face, frame=later))
    assert found.state is DetailState.HELD
    assert "covers" in found.reason


@pytest.mark.usefixtures("no_leaked_threads")
def test_the_worker_keeps_the_newest_and_ends(
    network: DetailNetwork, large: list[TrackedFace], wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    worker = DetailWorker(lambda: DetailStage(load_face_model(), network))
    for face in large:
        worker.submit(face)
    wait_until(lambda: worker.latest().displacement is not None)
    worker.reset()
    assert worker.latest().displacement is None
    started = time.monotonic()
    worker.close()
    assert time.monotonic() - started < 3.0


@pytest.mark.usefixtures("no_leaked_threads")
def test_a_failing_stage_leaves_tracking_alone(
    large: list[TrackedFace], wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    class Broken:
        def process(self, tracked: TrackedFace) -> Detail:
            raise ZeroDivisionError("no width")

    class Same:
        settings = TrackerSettings()

        def process(self, frame: Frame) -> TrackedFace:
            return large[-1]

        def close(self) -> None:
            pass

    tracker = DetailedTracker(Same(), Broken)  # type: ignore[arg-type]
    frame = large[-1].frame
    wait_until(lambda: "wrinkles are off" in tracker.process(frame).detail_note)
    result = tracker.process(frame)
    assert result.valid and result.displacement is None and result.detail is DetailState.NONE
    tracker.close()


def test_offline_each_frame_has_its_own_relief(network: DetailNetwork, demo_clip: Path) -> None:
    with VideoSource(demo_clip) as source:
        frames = [f for f, _ in zip(source, range(3), strict=False)]
    tracker = DetailedTracker(FaceTracker(), lambda: DetailStage(load_face_model(), network), threaded=False)
    big = [replace(f, image=np.asarray(cv2.resize(f.image, None, fx=2, fy=2), np.uint8)) for f in frames]
    results = [tracker.process(f) for f in big]
    assert tracker.engine.endswith(" ms")
    tracker.close()
    assert all(r.displacement is not None and r.detail is DetailState.LIVE for r in results)
    assert results[0].displacement is not results[1].displacement
    assert any(stage.name == "detail" for stage in results[0].stages)


@pytest.mark.usefixtures("no_leaked_threads")
def test_without_weights_tracking_goes_on_and_says_why(
    large: list[TrackedFace], tmp_path: Path, wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    settings = TrackerSettings(detail=DetailSettings(weights=tmp_path / "none.safetensors"))
    with DetailedTracker(FaceTracker(settings)) as tracker:
        wait_until(lambda: "no weights at" in tracker.process(large[-1].frame).detail_note)
        assert tracker.process(large[-1].frame).valid
    with pytest.raises(WeightsError, match="no weights at"):
        DetailedTracker(FaceTracker(settings), threaded=False)


@pytest.mark.usefixtures("no_leaked_threads")
def test_networks_are_not_loaded_before_they_are_of_use(
    large: list[TrackedFace], wait_until: Callable[[Callable[[], bool]], None]
) -> None:
    def load() -> DetailStage:
        raise AssertionError("loaded for a face that shows no wrinkles")

    worker = DetailWorker(load)
    assert large[-1].observation is not None
    small = replace(large[-1], observation=replace(large[-1].observation, box=large[-1].observation.box * 0.3))
    worker.submit(small)
    wait_until(lambda: "too small" in worker.latest().reason)
    worker.close()


def test_a_resting_tracker_looks_for_no_wrinkles_and_says_why(network: DetailNetwork, large: list[TrackedFace]) -> None:
    with DetailedTracker(FaceTracker(), lambda: DetailStage(load_face_model(), network)) as tracker:
        tracker.rest(True)
        for face in large:
            found = tracker.process(face.frame)
            assert found.valid and found.displacement is None and found.detail is DetailState.NONE
            assert found.detail_note == RESTING
        assert tracker._worker is not None and tracker._worker.latest().displacement is None
        tracker.rest(False)
        deadline = time.monotonic() + 60
        while tracker.process(large[0].frame).displacement is None:
            assert time.monotonic() < deadline
            time.sleep(0.02)
