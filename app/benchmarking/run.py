"""The measurements of the `benchmark` command.

Unpaced, the clip is tracked as fast as it goes; paced, it comes at a fixed rate through the threaded pipeline, as from
a camera. Then the same clip is tracked by Mien and by MediaPipe's Face Landmarker alone, block by block in turn, so
that whatever else the machine does falls on both alike.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.benchmarking.learned import LearnedCore, MeasuredCore
from app.benchmarking.paced import PacedSource
from app.benchmarking.process import PeakMemory, age_s
from app.benchmarking.samples import Samples, percentiles
from app.errors import CommandError
from app.machine import machine_facts
from recordings.versions import software_versions
from tracking import FaceTracker, Frame, Pipeline, Source, TrackedFace, open_source
from tracking.detailed import DetailedTracker
from tracking.landmarks import LandmarkDetector
from tracking.pipeline import PipelineState

if TYPE_CHECKING:
    from app.benchmarking.outputs import MeasuredOutputs

BLOCK = 32
"""Pictures a turn: a second or so of the clip."""
WARM_UP = 10
"""Pictures at the start that count for nothing but the start-up time."""

Step = Callable[[], None]
AnyTracker = FaceTracker | DetailedTracker


def benchmark(
    clip: Path,
    *,
    core: LearnedCore | None = None,
    paced_fps: float | None = None,
    render: bool = False,
    outputs: bool = False,
    limit: int | None = None,
    step: Step = lambda: None,
) -> dict[str, Any]:
    """All figures, with the keys of the JSON file.

    Args:
        clip: a video.
        core: which learned parts take part; none by default.
        paced_fps: rate at which the clip is played; None tracks it as fast as it goes.
        render: also draw the newest result off-screen at 640 x 480, again and again; for a paced clip only.
        outputs: also record, show a virtual camera and send a stream, all at once; for a paced clip only.
        limit: pictures to use at most.
        step: called after each picture.

    Raises:
        SourceError: the clip cannot be read.
        CommandError: the clip shows no face, or is too short.
        WeightsError, EngineError: a wanted network cannot be used.
    """
    with ExitStack() as stack:
        with PeakMemory() as memory:
            measured = stack.enter_context(MeasuredCore(core or LearnedCore(), threaded=paced_fps is not None))
            tracker = measured.tracker
            if paced_fps is None:
                samples = _unpaced(clip, tracker, limit, step)
            else:
                samples = _paced(clip, tracker, paced_fps, render, outputs, limit, step)
        if len(samples.latency_ms) < 2 or not samples.valid:
            raise CommandError(f"{clip.name} is too short or shows no face: take another clip.")
        learned = measured.report(samples)
        if paced_fps is not None:
            # Each picture carries the newest relief there is; how long relief takes stands under `detail`.
            samples.stages_ms.pop("detail", None)
        own_fps, mediapipe_fps = _side_by_side(clip, measured.beside, limit, step)
    fps = own_fps if paced_fps is None else len(samples.latency_ms) / samples.wall_s
    drawn = {}
    if samples.render_ms:
        drawn = {"render": {"fps": round(len(samples.render_ms) / samples.wall_s, 2), **percentiles(samples.render_ms)}}
    return {
        "fps": round(fps, 2),
        "latency_ms": percentiles(samples.latency_ms),
        "stages_ms": {name: percentiles(values) for name, values in samples.stages_ms.items()},
        "peak_memory_mb": round(memory.mb, 1),
        "startup_s": round(samples.startup_s, 3),
        **learned,
        "baseline": {"mediapipe_fps": round(mediapipe_fps, 2), "mien_fps": round(own_fps, 2)},
        **drawn,
        **({"outputs": samples.outputs} if samples.outputs else {}),
        "frames": len(samples.latency_ms),
        "valid_frames": samples.valid,
        "dropped": samples.dropped,
        "paced_fps": paced_fps,
        "clip": clip.name,
        "machine": machine_facts(),
        "versions": software_versions(),
    }


def _unpaced(clip: Path, tracker: AnyTracker, limit: int | None, step: Step) -> Samples:
    """Latency is then the time from the decoded picture to the result."""
    samples = Samples()
    with open_source(clip) as source:
        for count, (frame, decode_ms) in enumerate(islice(_decoded(source), limit)):
            start = time.perf_counter()
            face = tracker.process(frame)
            took = (time.perf_counter() - start) * 1e3
            if face.valid and not samples.startup_s:
                samples.startup_s = age_s()
            if count == WARM_UP:
                samples.first_s = time.monotonic() - took / 1e3
            if count >= WARM_UP:
                samples.last_s = time.monotonic()
                samples.add(face, took)
                samples.stages_ms["decode"].append(decode_ms)
                samples.wall_s += (took + decode_ms) / 1e3
            step()
    return samples


def _paced(
    clip: Path, tracker: AnyTracker, fps: float, render: bool, outputs: bool, limit: int | None, step: Step
) -> Samples:
    """Latency is then the time from the moment the picture is there to the moment its result can be shown."""
    samples = Samples()
    seen = 0
    sent: MeasuredOutputs | None = None

    def note(face: TrackedFace) -> None:
        nonlocal seen
        now = time.monotonic_ns()
        if face.valid and not samples.startup_s:
            samples.startup_s = age_s()
        seen += 1
        if seen == WARM_UP:
            samples.first_s = now / 1e9
        if seen > WARM_UP:
            samples.add(face, (now - face.frame.captured_ns) / 1e6)
            samples.last_s = now / 1e9
        if sent is not None:
            sent.take_face(face)
        step()

    with ExitStack() as stack:
        renderer = None
        if render:
            # Loading it takes time that would count as Mien's start where nothing is drawn.
            from rendering import OffscreenRenderer

            renderer = stack.enter_context(OffscreenRenderer(tracker.model))
        source = PacedSource(open_source(clip), fps)
        if outputs:
            from app.benchmarking.outputs import MeasuredOutputs

            source.open()
            sent = stack.enter_context(MeasuredOutputs(source, tracker.model))
        on_frame = None if sent is None else sent.take_frame
        pipeline = stack.enter_context(Pipeline(source, tracker, on_result=note, on_frame=on_frame))
        shown: TrackedFace | None = None
        while (newer := pipeline.wait_for_result(shown, timeout_s=10.0)) is not None:
            shown = newer
            if renderer is not None:
                start = time.perf_counter()
                renderer.render(shown, size=(640, 480))
                if seen > WARM_UP:
                    samples.render_ms.append((time.perf_counter() - start) * 1e3)
            if limit is not None and newer.frame.index + 1 >= limit:
                break
        status = pipeline.status()
        if sent is not None:
            samples.outputs = sent.report()
    if status.state is PipelineState.ERROR and status.error is not None:
        raise CommandError(status.error.sentence)
    samples.dropped = status.dropped
    samples.wall_s = max(samples.last_s - samples.first_s, 1e-6)
    return samples


def _side_by_side(clip: Path, tracker: AnyTracker, limit: int | None, step: Step) -> tuple[float, float]:
    """Pictures a second of Mien and of MediaPipe alone, decoding included in both."""
    tracker.reset()
    turns: list[tuple[int, float, float]] = []
    with open_source(clip) as source, LandmarkDetector("video") as landmarker:
        frames = islice(_decoded(source), limit)
        while block := list(islice(frames, BLOCK)):
            decode_s = sum(ms for _, ms in block) / 1e3
            start = time.perf_counter()
            for frame, _ in block:
                tracker.process(frame)
                step()
            middle = time.perf_counter()
            for frame, _ in block:
                landmarker.detect(frame.image, frame.time_s * 1e3)
            end = time.perf_counter()
            turns.append((len(block), middle - start + decode_s, end - middle + decode_s))
    # The first turn gets both going and does not count, unless it is the only one.
    counts, own, theirs = zip(*(turns[1:] or turns), strict=True)
    return sum(counts) / sum(own), sum(counts) / sum(theirs)


def _decoded(source: Source) -> Iterator[tuple[Frame, float]]:
    """(frame, milliseconds of decoding) for each picture."""
    while True:
        start = time.perf_counter()
        frame = source.read()
        if frame is None:
            return
        yield frame, (time.perf_counter() - start) * 1e3
