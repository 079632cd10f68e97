"""The threaded pipeline: drops, errors as data, and a stop within a second whatever it does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.helpers.fake_camera import FakeCamera
from tests.helpers.stub_pipeline import ListSource, StubTracker
from tracking.pipeline import Pipeline, PipelineState, PipelineStatus, track_frames
from tracking.sources import CameraSource, SourceError, VideoSource
from tracking.types import Frame

WaitUntil = Callable[[Callable[[], bool]], None]
pytestmark = pytest.mark.usefixtures("no_leaked_threads")


def stop_time(pipeline: Pipeline) -> float:
    start = time.monotonic()
    pipeline.stop()
    return time.monotonic() - start


def test_a_file_is_tracked_without_loss(tiny_clip: Path, wait_until: WaitUntil) -> None:
    tracker = StubTracker()
    with Pipeline(VideoSource(tiny_clip), tracker) as pipeline:
        wait_until(lambda: pipeline.status().state is PipelineState.ENDED)
        status = pipeline.status()
    assert tracker.seen == list(range(20))
    assert tracker.resets == 1
    assert (status.captured, status.tracked, status.dropped) == (20, 20, 0)
    assert status.error is None
    latest = pipeline.latest()
    assert latest is not None
    assert latest.frame.index == 19


def test_a_live_source_drops_what_a_slow_tracker_misses(wait_until: WaitUntil) -> None:
    tracker, source = StubTracker(), ListSource(10)
    source.paced = True
    tracker.free.clear()
    pipeline = Pipeline(source, tracker)
    pipeline.start()
    source.permits.release()
    wait_until(lambda: tracker.seen == [0])
    for _ in range(9):
        source.permits.release()
    wait_until(lambda: pipeline.status().captured == 10)
    wait_until(lambda: pipeline.status().dropped == 8)
    tracker.free.set()
    wait_until(lambda: pipeline.status().tracked == 2)
    assert tracker.seen == [0, 9]
    pipeline.stop()


def test_every_captured_picture_is_told_also_those_that_are_dropped(wait_until: WaitUntil) -> None:
    tracker, source, seen = StubTracker(), ListSource(10), []
    tracker.free.clear()

    def take(frame: Frame) -> None:
        seen.append(frame.index)
        if frame.index == 4:
            raise OSError("the disk is full")

    pipeline = Pipeline(source, tracker, on_frame=take)
    pipeline.stride = 2
    with pipeline:
        wait_until(lambda: pipeline.status().captured == 10)
        tracker.free.set()
        wait_until(lambda: pipeline.status().state is PipelineState.ENDED)
    assert seen == list(range(10))
    assert len(tracker.seen) < 10


def test_figures_are_reported(wait_until: WaitUntil) -> None:
    pipeline = Pipeline(ListSource(50, live=False), StubTracker())
    status = pipeline.status()
    assert status.state is PipelineState.STARTING
    assert status.latency_ms is None
    assert status.stages == ()
    with pipeline:
        wait_until(lambda: pipeline.status().state is PipelineState.ENDED)
        latest = pipeline.latest()
        assert latest is not None
        pipeline.note_displayed(latest)
        status = pipeline.status()
    assert [stage.name for stage in status.stages] == ["wait", "landmarks"]
    assert status.stages[1].ms.p50 == status.stages[1].ms.p95 == 2.0
    assert status.latency_ms is not None
    assert 0.0 < status.latency_ms.p50 <= status.latency_ms.p95
    assert status.display_latency_ms is not None
    assert status.capture_fps > 0.0


def test_results_and_states_are_told(wait_until: WaitUntil) -> None:
    results: list[int] = []
    states: list[PipelineStatus] = []
    pipeline = Pipeline(
        ListSource(5, live=False),
        StubTracker(),
        on_result=lambda result: results.append(result.frame.index),
        on_status=states.append,
    )
    with pipeline:
        wait_until(lambda: len(states) == 2)
    assert results == [0, 1, 2, 3, 4]
    assert [status.state for status in states] == [PipelineState.RUNNING, PipelineState.ENDED]


def test_a_failing_receiver_does_not_stop_the_tracking(wait_until: WaitUntil) -> None:
    def fail(_: object) -> None:
        raise OSError("disk full")

    tracker = StubTracker()
    with Pipeline(ListSource(5, live=False), tracker, on_result=fail, on_status=fail) as pipeline:
        wait_until(lambda: pipeline.status().state is PipelineState.ENDED)
    assert tracker.seen == [0, 1, 2, 3, 4]
    assert pipeline.status().error is None


def test_waiting_for_results() -> None:
    source = ListSource(3)
    source.paced = True
    pipeline = Pipeline(source, StubTracker())
    assert pipeline.wait_for_result(timeout_s=0.01) is None
    with pipeline:
        source.permits.release()
        first = pipeline.wait_for_result(timeout_s=10.0)
        assert first is not None
        assert pipeline.wait_for_result(first, timeout_s=0.01) is None
        source.permits.release()
        second = pipeline.wait_for_result(first, timeout_s=10.0)
        assert second is not None
        assert second.frame.index == 1
        source.permits.release(5)
        while (newer := pipeline.wait_for_result(second, timeout_s=10.0)) is not None:
            second = newer
        assert second.frame.index == 2


def test_an_error_in_the_tracker_is_reported_and_the_source_freed(wait_until: WaitUntil) -> None:
    source = ListSource(10_000_000)
    pipeline = Pipeline(source, StubTracker(fails=True))
    pipeline.start()
    wait_until(lambda: pipeline.status().state is PipelineState.ERROR)
    error = pipeline.status().error
    assert error is not None
    assert error.sentence == "The tracking failed: the face has no width."
    assert error.remedy
    wait_until(lambda: source.closed >= 2)
    assert stop_time(pipeline) < 1.0
    assert pipeline.status().state is PipelineState.ERROR
    assert pipeline.wait_for_result(pipeline.latest()) is None


@pytest.mark.parametrize("where", ["open", "read"])
def test_an_error_of_the_source_is_reported(where: str, wait_until: WaitUntil) -> None:
    source = ListSource(3)
    if where == "open":
        source.open_fails = SourceError("The film is torn: choose another.")
    else:
        source.fails = SourceError("The film is torn: choose another.")
    with Pipeline(source, StubTracker()) as pipeline:
        wait_until(lambda: pipeline.status().state is PipelineState.ERROR)
        error = pipeline.status().error
    assert error is not None
    assert error.sentence == "The film is torn: choose another."
    assert source.closed


def test_an_unforeseen_error_of_the_source_is_reported(wait_until: WaitUntil) -> None:
    source = ListSource(3)
    source.fails = MemoryError()
    with Pipeline(source, StubTracker()) as pipeline:
        wait_until(lambda: pipeline.status().state is PipelineState.ERROR)
        error = pipeline.status().error
    assert error is not None
    assert error.sentence == "Reading list failed: MemoryError."


def test_no_camera_is_a_state_of_its_own(wait_until: WaitUntil) -> None:
    device = FakeCamera()
    device.plugged = False
    with Pipeline(CameraSource(0, capture_factory=device), StubTracker()) as pipeline:
        wait_until(lambda: pipeline.status().state is PipelineState.NO_CAMERA)
        error = pipeline.status().error
    assert error is not None
    assert "Camera 0 cannot be opened" in error.sentence


def test_an_unplugged_camera_shows_and_recovers(wait_until: WaitUntil, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracking.sources.camera._BACKOFF_FIRST_S", 0.005)
    device = FakeCamera()
    with Pipeline(CameraSource(0, capture_factory=device), StubTracker()) as pipeline:
        wait_until(lambda: pipeline.status().state is PipelineState.RUNNING)
        device.plugged = False
        wait_until(lambda: pipeline.status().state is PipelineState.NO_CAMERA)
        error = pipeline.status().error
        assert error is not None
        assert "plug it in" in error.sentence
        device.plugged = True
        wait_until(lambda: pipeline.status().state is PipelineState.RUNNING)
        tracked = pipeline.status().tracked
        wait_until(lambda: pipeline.status().tracked > tracked)
    assert device.releases == len(device.opened)


def test_stop_before_start_and_twice() -> None:
    pipeline = Pipeline(ListSource(3), StubTracker())
    assert stop_time(pipeline) < 1.0
    assert stop_time(pipeline) < 1.0
    assert pipeline.status().state is PipelineState.ENDED


def test_a_pipeline_starts_once() -> None:
    with Pipeline(ListSource(3), StubTracker()) as pipeline, pytest.raises(RuntimeError, match="starts once"):
        pipeline.start()


def test_stop_while_running(wait_until: WaitUntil) -> None:
    source = ListSource(10_000_000)
    pipeline = Pipeline(source, StubTracker())
    pipeline.start()
    wait_until(lambda: pipeline.status().tracked > 3)
    assert stop_time(pipeline) < 1.0
    assert source.closed
    tracked = pipeline.status().tracked
    assert pipeline.status().state is PipelineState.ENDED
    time.sleep(0.02)
    assert pipeline.status().tracked == tracked


@pytest.mark.parametrize("place", ["open", "read", "close", "tracker"])
def test_stop_while_something_hangs(place: str, wait_until: WaitUntil) -> None:
    source, tracker = ListSource(10_000_000), StubTracker()
    hang = tracker.free if place == "tracker" else threading.Event()
    hang.clear()
    if place != "tracker":
        setattr(source, f"hang_in_{place}", hang)
    pipeline = Pipeline(source, tracker)
    pipeline.start()
    if place == "tracker":
        wait_until(lambda: bool(tracker.seen))
    try:
        assert stop_time(pipeline) < 1.0
        assert pipeline.status().state is PipelineState.ENDED
    finally:
        hang.set()


def test_stop_from_within_a_result_receiver(wait_until: WaitUntil) -> None:
    holder: list[Pipeline] = []
    pipeline = Pipeline(ListSource(10_000_000), StubTracker(), on_result=lambda _: holder[0].stop())
    holder.append(pipeline)
    pipeline.start()
    wait_until(lambda: pipeline.status().state is PipelineState.ENDED)
    assert pipeline.status().tracked == 1


def test_every_frame_of_a_source_can_be_tracked_without_threads(tiny_clip: Path) -> None:
    tracker = StubTracker()
    source = VideoSource(tiny_clip)
    before = threading.active_count()
    results = []
    for result in track_frames(source, tracker):
        assert threading.active_count() == before
        results.append(result.frame.index)
    assert results == list(range(20))
    assert tracker.resets == 1
    assert source.read() is None


def test_giving_up_the_iteration_closes_the_source() -> None:
    source = ListSource(5)
    results = track_frames(source, StubTracker())
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert source.closed == 1


def test_a_stride_passes_pictures_over_without_dropping_them(wait_until: WaitUntil) -> None:
    source, tracker = ListSource(12), StubTracker()
    source.paced = True
    pipeline = Pipeline(source, tracker)
    assert pipeline.ended
    pipeline.stride = 3
    with pipeline:
        for count in range(1, 13):
            source.permits.release()
            wait_until(partial(lambda n: pipeline.status().captured >= n, count))
            wait_until(partial(lambda n: len(tracker.seen) >= n // 3, count))
        assert tracker.seen == [2, 5, 8, 11]
        assert pipeline.status().dropped == 0 and not pipeline.ended
    assert pipeline.ended


def test_a_stride_leaves_files_whole(wait_until: WaitUntil) -> None:
    source, tracker = ListSource(6, live=False), StubTracker()
    pipeline = Pipeline(source, tracker)
    pipeline.stride = 2
    with pipeline:
        wait_until(lambda: pipeline.status().state is PipelineState.ENDED)
    assert tracker.seen == list(range(6))
