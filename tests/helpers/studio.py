"""A recorder on a clock that the test turns."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recordings.recorder import Recorder
from recordings.recorder_types import RecorderSettings, RecorderState, RecordingOutcome
from tests.helpers.recordings import (
    START_NS,
    ManualClock,
    SimulatedMicrophone,
    face_in,
    frame_at,
    relief,
    session_facts,
)

PATIENT = RecorderSettings(wait_s=None, reserve_bytes=0)


class Studio:
    """A recorder on a clock that the test turns, with what it needs around it."""

    def __init__(self, folder: Path, settings: RecorderSettings = PATIENT, **options: Any) -> None:
        self.clock = ManualClock()
        self.sound: SimulatedMicrophone | None = options.pop("sound", None)
        self.size = options.pop("size", (64, 48))
        facts = options.pop("facts", session_facts(size=self.size))
        self.recorder = Recorder(folder, settings, facts, audio=self.sound, clock=self.clock, **options)
        self.next = 0

    def run(self, count: int, *, faces: bool = True, reliefs: bool = False) -> None:
        """So many pictures, with sound and faces."""
        for index in range(self.next, self.next + count):
            self.clock.now = START_NS + index * 1_000_000_000 // 30
            if self.sound is not None:
                self.sound.advance(index / 30 + 0.1)
            frame = frame_at(index, size=self.size)
            self.recorder.add_frame(frame)
            if faces:
                shown = _relief(index // 3) if reliefs else None
                self.recorder.add_face(face_in(frame, displacement=shown, seen=index % 10 != 9))
        self.next += count


@cache
def _relief(number: int) -> NDArray[np.float32]:
    """The same array for the same number, as a detail stage that has nothing new gives."""
    return relief(number)


def finish(studio: Studio) -> RecordingOutcome:
    """Ends the recording, twice."""
    outcome = studio.recorder.stop()
    assert studio.recorder.stop() is outcome
    assert studio.recorder.status().state is RecorderState.STOPPED
    return outcome
