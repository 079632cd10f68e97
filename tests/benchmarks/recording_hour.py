"""An hour of recording on a simulated clock, with the real encoder and disk.

    python -m tests.benchmarks.recording_hour --minutes 60

Pictures, tracked faces, relief and sound come as fast as they can be written. Told are memory at the start (once all is
warm), at its peak and at the end; pictures in and out; and by how much sound and pictures have come apart at the end,
although the simulated sound card is 300 parts in a million too fast.
"""

from __future__ import annotations

import argparse
import platform
import tempfile
import time
from pathlib import Path

import numpy as np

from app.benchmarking.process import memory_mb
from recordings.mcap_reader import read_mcap
from recordings.recorder import Recorder
from recordings.recorder_types import RecorderSettings
from tests.helpers.recordings import (
    ManualClock,
    SimulatedMicrophone,
    beep_times,
    face_in,
    flash_times,
    frame_at,
    relief,
    session_facts,
    sound_of,
)

_FPS = 30
_WARM_FRAMES = 300
_COMPARED_S = 60.0


def main() -> int:
    """Record and measure; 1 if a figure is out of its bounds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--size", type=int, nargs=2, default=(640, 480))
    parser.add_argument("--ppm", type=float, default=300.0)
    parser.add_argument("--folder", type=Path, help="where to record; by default in the temporary folder")
    parser.add_argument("--keep", type=Path, help="keep the session in this new folder, for play_session")
    options = parser.parse_args()
    if options.keep is not None:
        return measure(options.keep, options.minutes, (options.size[0], options.size[1]), options.ppm)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        return measure(Path(folder) / "session", options.minutes, (options.size[0], options.size[1]), options.ppm)


def measure(folder: Path, minutes: float, size: tuple[int, int], ppm: float) -> int:
    """See `main`."""
    clock, sound = ManualClock(), SimulatedMicrophone(ppm=ppm, jitter_s=0.003)
    settings = RecorderSettings(wait_s=None, timecode="zero")
    recorder = Recorder(folder, settings, session_facts(fps=_FPS, size=size), audio=sound, clock=clock)
    total = round(minutes * 60 * _FPS)
    memory: list[float] = []
    added_s = 0.0
    begun = time.perf_counter()
    start_ns = clock.now
    displacement = relief(0, 256)
    for index in range(total):
        clock.now = start_ns + index * 1_000_000_000 // _FPS
        sound.advance(index / _FPS + 0.1)
        frame = frame_at(index, _FPS, size)
        recorder.add_frame(frame)
        if index % 3 == 0:  # relief has its own rate
            displacement = np.roll(displacement, 1, axis=0)
        face = face_in(frame, displacement=displacement)
        before = time.perf_counter()
        recorder.add_face(face)
        added_s += time.perf_counter() - before
        if index >= _WARM_FRAMES and index % 150 == 0:
            memory.append(memory_mb())
    outcome = recorder.stop()
    memory.append(memory_mb())
    took = time.perf_counter() - begun

    video = folder / "video.mkv"
    from_s = max(0.0, total / _FPS - _COMPARED_S)
    # Not the one at which reading begins: the decoder may start within it.
    flashes = [time_s for time_s in flash_times(video, from_s) if from_s == 0 or time_s > from_s + 0.5]
    heard = [from_s + time_s for time_s in beep_times(sound_of(video, from_s))]
    pairs = [(flash, min(heard, key=lambda beep: abs(beep - flash))) for flash in flashes]
    offset_ms = max(abs(beep - flash) for flash, beep in pairs) * 1e3 if pairs and heard else float("inf")
    track = read_mcap(folder / "records.mcap")
    used_mb = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
    grown = max(memory) - memory[0]
    print(f"machine            {platform.processor() or platform.machine()}, {platform.platform()}")
    print(
        f"media              {minutes:g} min of {size[0]} x {size[1]} at {_FPS}/s,"
        f" written in {took:.0f} s, {used_mb:.0f} MB"
    )
    print(
        f"memory             start {memory[0]:.0f} MB, peak {max(memory):.0f} MB, end {memory[-1]:.0f} MB (at most +50)"
    )
    print(f"pictures           in {total}, out {outcome.stored_frames}, lost {outcome.lost_frames}")
    print(f"tracked frames     in {total}, out {len(track)}")
    print(f"one add_face       {added_s / total * 1e3:.3f} ms")
    print(f"sound to picture   {offset_ms:.1f} ms at most in the last {len(pairs)} events (below 40)")
    for sentence in outcome.warnings:
        print(f"warning            {sentence}")
    good = grown < 50 and outcome.stored_frames == total == len(track) and offset_ms < 40 and outcome.complete
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
