"""How fast a session opens in the player, and how fast it seeks.

    python -m tests.benchmarks.recording_hour --minutes 60 --keep out/hour
    python -m tests.benchmarks.play_session out/hour

Opening is the way from the folder to the first picture with its face; seeking the way from the wish to the picture and
face of that time, at random places of the whole session while it stands still.
"""

from __future__ import annotations

import argparse
import platform
import random
import time
from pathlib import Path

import numpy as np

from models.face_model import load_face_model
from recordings.overview import overview
from recordings.playback import Player, RecordedTracker
from recordings.reader import open_session


def main() -> int:
    """Open, seek, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("session", type=Path)
    parser.add_argument("--seeks", type=int, default=40)
    options = parser.parse_args()
    model = load_face_model()
    rng = random.Random(0)

    begun = time.perf_counter()
    session = open_session(options.session)
    player = Player(session)
    player.open()
    tracker = RecordedTracker(player, model)
    frame = player.read()
    assert frame is not None
    tracker.process(frame)
    opened = time.perf_counter() - begun

    player.play(False)
    first, last = float(session.track.time_s[0]), float(session.track.time_s[-1])
    took = []
    for _ in range(options.seeks):
        place = rng.uniform(first, last)
        begun = time.perf_counter()
        player.seek(place)
        frame = player.read()
        assert frame is not None
        tracker.process(frame)
        took.append((time.perf_counter() - begun) * 1e3)
    player.close()
    begun = time.perf_counter()
    overview(session)
    summed = time.perf_counter() - begun
    p50, p95 = np.percentile(took, [50, 95])
    print(f"machine   {platform.processor() or platform.machine()}, {platform.platform()}")
    print(f"session   {last - first:.0f} s, {len(session.track)} frames, relief: {session.details() is not None}")
    print(f"opening   {opened:.2f} s (below 2)")
    print(f"seeking   {p50:.0f} ms, 95 % under {p95:.0f} ms (below 150)")
    print(f"overview  {summed:.1f} s, on a thread of its own")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
