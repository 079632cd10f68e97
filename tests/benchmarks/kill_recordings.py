"""Kills recordings (SIGKILL) at random moments, recovers them, and tells how much of each was lost.

    python -m tests.benchmarks.kill_recordings --times 20

A child process records 640 x 480 at 30 pictures a second with sound, faces and relief in real time, and tells of every
picture when it hands it over. What was handed over and is not in the recovered session is lost.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import av

from recordings.manifest import read_manifest
from recordings.mcap_reader import read_details, read_mcap
from recordings.recorder import Recorder
from recordings.recorder_types import RecorderSettings
from recordings.recovery import find_unfinished, recover
from tests.helpers.recordings import START_NS, SimulatedMicrophone, face_in, picture, relief, session_facts
from tracking.types import Frame

_FPS = 30
_SIZE = (640, 480)


@dataclass(frozen=True, slots=True)
class Killed:
    """What was left of a recording.

    Attributes:
        seconds: of the last picture that was handed over before the kill.
        picture_lost_s, face_lost_s, sound_lost_s: what is missing at the end.
        pictures: that were handed over.
        decoded: pictures of the recovered video.
    """

    seconds: float
    picture_lost_s: float
    face_lost_s: float
    sound_lost_s: float
    pictures: int
    decoded: int

    @property
    def worst_s(self) -> float:
        """The most that is missing."""
        return max(self.picture_lost_s, self.face_lost_s, self.sound_lost_s)


def record_until_killed(folder: Path, codec: str) -> None:
    """The child: records in real time and tells of each picture."""
    microphone = SimulatedMicrophone(paced=True)
    begun = time.monotonic_ns()
    settings = RecorderSettings(codec="vp9" if codec == "vp9" else "h264", take="Take")

    def clock() -> int:
        return START_NS + time.monotonic_ns() - begun

    recorder = Recorder(folder, settings, session_facts(fps=_FPS, size=_SIZE), audio=microphone, clock=clock)

    def listen() -> None:
        while True:
            time.sleep(0.02)
            microphone.advance((clock() - START_NS) / 1e9)

    threading.Thread(target=listen, daemon=True).start()
    displacement, index = relief(0, 256), 0
    while True:
        due = begun + index * 1_000_000_000 // _FPS
        time.sleep(max(0.0, (due - time.monotonic_ns()) / 1e9))
        now = clock()
        frame = Frame(index, index / _FPS, now, picture(index / _FPS, _SIZE))
        recorder.add_frame(frame)
        displacement = relief(index, 256) if index % 3 == 0 else displacement
        recorder.add_face(face_in(frame, displacement=displacement))
        print(index, now - START_NS, flush=True)
        index += 1


def kill_one(folder: Path, after_s: float, codec: str = "h264") -> Killed:
    """Record, kill so many seconds after the first picture, recover."""
    command = [sys.executable, "-m", __spec__.name, "--child", str(folder), "--codec", codec]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as child:
        assert child.stdout is not None
        told = [child.stdout.readline()]
        killer = threading.Timer(after_s, child.kill)
        killer.start()
        told += child.stdout.readlines()
        killer.join()
    times = [int(line.split()[1]) / 1e9 for line in told if line.endswith(b"\n") and line.strip()]
    assert [session.folder for session in find_unfinished(folder.parent)] == [folder]
    recover(folder)
    first, last = times[0], times[-1]
    length = last - first
    pictures, sound = [0.0], 0.0
    if read_manifest(folder).media.present:
        with av.open(str(folder / "video.mkv")) as container:
            pictures = [float(picture.time or 0.0) for picture in container.decode(video=0)]
        with av.open(str(folder / "video.mkv")) as container:
            for block in container.decode(audio=0):
                sound = float(block.time or 0.0) + block.samples / block.sample_rate
    track = read_mcap(folder / "records.mcap")
    sum(1 for _ in read_details(folder / "records.mcap"))
    return Killed(
        seconds=length,
        picture_lost_s=length - pictures[-1],
        face_lost_s=length - float(track.time_s[-1] if len(track) else 0.0),
        sound_lost_s=max(0.0, length - sound),
        pictures=len(times),
        decoded=len(pictures),
    )


def main() -> int:
    """Kill and measure; 1 if any recording lost more than a second."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--codec", choices=("h264", "vp9"), default="h264")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child is not None:
        record_until_killed(options.child, options.codec)
    worst = 0.0
    moments = random.Random(11)
    for number in range(options.times):
        with tempfile.TemporaryDirectory() as folder:
            killed = kill_one(Path(folder) / "session", moments.uniform(0.5, 6.0), options.codec)
        worst = max(worst, killed.worst_s)
        print(
            f"{number + 1:3d}: killed at {killed.seconds:5.2f} s; lost {killed.picture_lost_s:5.2f} s of pictures"
            f" ({killed.pictures - killed.decoded} of {killed.pictures}),"
            f" {killed.face_lost_s:5.2f} s of tracked frames, {killed.sound_lost_s:5.2f} s of sound",
            flush=True,
        )
    print(f"all {options.times} recovered; at most {worst:.2f} s lost (at most 1 allowed)")
    return 0 if worst <= 1.0 else 1


if __name__ == "__main__":
    raise SystemExit(main())
