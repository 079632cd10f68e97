"""Sources of pictures, faces and sound for recordings, on a clock that the test turns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from recordings.audio import AudioBlock, AudioError, AudioSink
from recordings.manifest import SourcePart
from recordings.recorder_types import SessionFacts
from tests.helpers.faces import face_state
from tracking.types import DetailState, Frame, StageTime, TrackedFace, TrackingState

START_NS = 7_000_000_000_000
EVENT_S = 2.0
"""Flashes and beeps come this often, at the same moments."""
BEEP_S = 0.02


class ManualClock:
    """Nanoseconds that pass only when somebody says so."""

    def __init__(self) -> None:
        self.now = START_NS

    def __call__(self) -> int:
        return self.now


class SimulatedMicrophone:
    """Beeps on a sound card whose crystal is off; gives what `advance` asks for.

    Args:
        ppm: by how much the card is too fast, in parts in a million.
        jitter_s: standard deviation of the lateness of its times.
        paced: claim to be a device.
    """

    def __init__(self, *, ppm: float = 0.0, jitter_s: float = 0.0, channels: int = 1, paced: bool = False) -> None:
        self.name = "simulated microphone"
        self.rate = 48_000.0
        self.channels = channels
        self.paced = paced
        self.fails = False
        self.starts = 0
        self._true_rate = self.rate * (1.0 + ppm * 1e-6)
        self._jitter_s = jitter_s
        self._random = np.random.default_rng(5)
        self._count = 0
        self._sink: AudioSink | None = None

    def start(self, sink: AudioSink) -> None:
        if self.fails:
            raise AudioError("The microphone is not there: plug it in.")
        self.starts += 1
        self._sink = sink

    def stop(self) -> None:
        self._sink = None

    def advance(self, until_s: float, *, block: int = 960) -> None:
        """Give the blocks up to a time since START_NS."""
        while (self._count + block) / self._true_rate < until_s:
            times = (self._count + np.arange(block)) / self._true_rate
            samples = beeps(times)[:, None].repeat(self.channels, axis=1)
            late = abs(self._random.normal(0.0, self._jitter_s)) if self._jitter_s else 0.0
            time_ns = START_NS + round((self._count / self._true_rate + late) * 1e9)
            self._count += block
            if self._sink is not None:
                self._sink(AudioBlock(samples, time_ns))

    def skip(self, seconds: float) -> None:
        """The device gives nothing for a while."""
        self._count += round(seconds * self._true_rate)


def beeps(times: NDArray[np.float64]) -> NDArray[np.float32]:
    """(N,) a 1 kHz tone of 20 ms at every multiple of EVENT_S but the first."""
    phase = times % EVENT_S
    return np.where((phase < BEEP_S) & (times > EVENT_S / 2), 0.5 * np.sin(phase * 2000 * np.pi), 0).astype(np.float32)


def picture(time_s: float, size: tuple[int, int] = (64, 48)) -> NDArray[np.uint8]:
    """(H, W, 3) a moving ramp; white in the 1/30 s after each beep begins."""
    width, height = size
    if time_s > EVENT_S / 2 and (time_s + 1e-4) % EVENT_S < 1 / 30:
        return np.full((height, width, 3), 255, np.uint8)
    ramp = (np.arange(width) * 120 // width + int(time_s * 30) % 40).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(ramp[None, :, None], (height, width, 3)))


def frame_at(index: int, fps: float = 30.0, size: tuple[int, int] = (64, 48)) -> Frame:
    """A picture of the simulated time `index / fps`."""
    time_s = index / fps
    return Frame(index, time_s, START_NS + round(time_s * 1e9), picture(time_s, size))


def face_in(frame: Frame, *, displacement: NDArray[np.float32] | None = None, seen: bool = True) -> TrackedFace:
    """What a tracker might say of a frame: values that tell the frames apart."""
    if not seen:
        return TrackedFace(frame, TrackingState.SEARCHING, 0.0, None, None, None, None, None, None, ())
    open_by = frame.index % 100 / 100
    raw = face_state({"jawOpen": open_by}, yaw=0.3, pitch=-0.1, translation=(0.01, -0.02, 0.6))
    smoothed = replace(raw, expression=raw.expression * np.float32(0.5))
    return TrackedFace(
        frame=frame,
        state=TrackingState.TRACKING,
        confidence=0.75,
        observation=None,
        raw=raw,
        parameters=smoothed,
        vertices=None,
        normals=None,
        displacement=displacement,
        stages=(StageTime("landmarks", 4.0), StageTime("fit", 1.0 + frame.index % 3)),
        detail=DetailState.NONE if displacement is None else DetailState.LIVE,
    )


def session_facts(kind: str = "camera", fps: float = 30.0, size: tuple[int, int] = (64, 48)) -> SessionFacts:
    """Facts of a session for tests."""
    source = SourcePart.model_validate({"kind": kind, "name": "test camera"})
    return SessionFacts(source, size[0], size[1], fps, face_model="tiny head")


def relief(seed: int, side: int = 16) -> NDArray[np.float32]:
    """(S, S) millimetres, another one for each seed."""
    return np.random.default_rng(seed).normal(0.0, 0.5, (side, side)).astype(np.float32)


def picture_times(path: Path) -> list[float]:
    """Times of a video's pictures, as decoded."""
    with av.open(str(path)) as container:
        return [float(picture.time or 0.0) for picture in container.decode(video=0)]


def flash_times(path: Path, from_s: float = 0.0) -> list[float]:
    """Times of a video's white pictures, from about a time on."""
    with av.open(str(path)) as container:
        container.seek(int(from_s * av.time_base))
        return [
            float(picture.time or 0.0)
            for picture in container.decode(video=0)
            if picture.to_ndarray(format="gray8", width=16, height=12).mean() > 230
        ]


def sound_of(path: Path, from_s: float = 0.0) -> NDArray[np.float32]:
    """(N,) the first channel at 48 kHz, from a time on; silence where the file has none."""
    blocks: list[tuple[int, NDArray[np.float32]]] = []
    with av.open(str(path)) as container:
        container.seek(int(from_s * av.time_base))
        for block in container.decode(audio=0):
            start = round((float(block.time or 0.0) - from_s) * 48_000)
            blocks.append((start, np.asarray(block.to_ndarray()[0], np.float32)))
    sound = np.zeros(max((start + len(part) for start, part in blocks), default=0), np.float32)
    for start, part in blocks:
        if start + len(part) > 0:
            sound[max(0, start) : start + len(part)] = part[max(0, -start) :]
    return sound


def beep_times(sound: NDArray[np.float32], threshold: float = 0.1) -> list[float]:
    """When beeps begin, in seconds."""
    loud = np.flatnonzero(np.abs(sound) > threshold)
    if not len(loud):
        return []
    starts = loud[np.flatnonzero(np.diff(loud, prepend=-48_000) > 4800)]
    return [float(start) / 48_000 for start in starts]
