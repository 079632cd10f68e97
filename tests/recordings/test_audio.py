"""Sound: placed on the clock of the pictures whatever the sound card does, and one sentence where there is none."""

from __future__ import annotations

import sys
import time
import wave
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from recordings.audio import SILENCE_DB, AudioBlock, AudioError, AudioFeed, LevelMeter
from recordings.audio_clock import SoundAligner
from recordings.clip_sound import ClipSound
from recordings.microphones import Microphone, find_microphone, list_microphones
from tests.helpers.recordings import EVENT_S, START_NS, ManualClock, SimulatedMicrophone, beep_times, beeps

WaitUntil = Callable[[Callable[[], bool]], None]


def aligned(microphone: SimulatedMicrophone, minutes: float, offset_s: float = 0.0) -> NDArray[np.float32]:
    """What a microphone's blocks become."""
    parts: list[NDArray[np.float32]] = []
    aligner = SoundAligner(microphone.rate, 1, START_NS, offset_s)
    microphone.start(lambda block: parts.append(aligner.add(block)))
    microphone.advance(minutes * 60, block=4800)
    parts.append(aligner.flush())
    sound = np.concatenate(parts)
    assert len(sound) == aligner.samples and sound.shape[1] == 1
    return sound[:, 0]


def worst_ms(sound: NDArray[np.float32], offset_s: float = 0.0) -> float:
    """How far the worst beep is from where it belongs."""
    found = np.array(beep_times(sound)) - offset_s
    assert len(found) >= 10
    return float(np.abs(found - np.round(found / EVENT_S) * EVENT_S).max() * 1e3)


@pytest.mark.parametrize(("ppm", "jitter_s"), [(0.0, 0.0), (300.0, 0.0), (-300.0, 0.005), (80.0, 0.01)])
def test_a_card_that_is_off_is_corrected(ppm: float, jitter_s: float) -> None:
    # Uncorrected, 300 parts in a million are 54 ms in three minutes.
    assert worst_ms(aligned(SimulatedMicrophone(ppm=ppm, jitter_s=jitter_s), 3)) < 3 + jitter_s * 1e3 * 1.5


@pytest.mark.slow
def test_an_hour_ends_within_40_ms() -> None:
    microphone = SimulatedMicrophone(ppm=300, jitter_s=0.005)
    sound = aligned(microphone, 60)
    assert worst_ms(sound[3540 * 48_000 :]) < 40
    assert len(sound) / 48_000 == pytest.approx(3600, abs=0.2)


def test_a_perfect_card_is_not_changed() -> None:
    parts: list[NDArray[np.float32]] = []
    aligner = SoundAligner(48_000, 1, 0)
    given = np.random.default_rng(0).normal(0, 0.1, (48_000, 1)).astype(np.float32)
    for start in range(0, 48_000, 960):
        parts.append(aligner.add(AudioBlock(given[start : start + 960], round(start / 48_000 * 1e9))))
    made = np.concatenate([*parts, aligner.flush()])
    assert len(made) == 48_000 and np.abs(made - given).max() < 1e-3
    assert aligner.silence == aligner.lost == 0


def test_another_rate_and_its_drift_are_told() -> None:
    aligner = SoundAligner(44_100, 2, 0)
    rate, made = 44_100 * (1 + 120e-6), 0
    for n in range(0, 44_100 * 40, 4410):
        made += len(aligner.add(AudioBlock(np.zeros((4410, 2), np.float32), round(n / rate * 1e9))))
    assert made == pytest.approx(40 * 48_000, rel=1e-3)
    assert aligner.drift_ppm == pytest.approx(120, abs=2)


@pytest.mark.parametrize("offset_s", [0.25, -0.25])
def test_the_offset_moves_the_sound(offset_s: float) -> None:
    assert worst_ms(aligned(SimulatedMicrophone(), 0.5, offset_s), offset_s) < 1


def test_sound_from_before_the_start_is_cut_and_late_sound_is_preceded_by_silence() -> None:
    for start_s in (-0.7, 0.4):
        aligner, parts = SoundAligner(48_000, 1, 0), []
        for n in range(0, 48_000 * 4, 960):
            times = start_s + (n + np.arange(960)) / 48_000
            parts.append(aligner.add(AudioBlock(beeps(times)[:, None], round(times[0] * 1e9))))
        assert beep_times(np.concatenate(parts)[:, 0])[0] == pytest.approx(2.0, abs=1e-3)
        assert aligner.silence == (19_200 if start_s > 0 else 0) and aligner.lost == 0


def test_samples_that_the_device_lost_leave_silence_and_keep_the_rest_in_place() -> None:
    parts: list[NDArray[np.float32]] = []
    aligner, microphone = SoundAligner(48_000, 1, START_NS), SimulatedMicrophone()
    microphone.start(lambda block: parts.append(aligner.add(block)))
    for until in (7.0, 12.5, 25.0):
        microphone.advance(until)
        microphone.skip(0.5)
    found = beep_times(np.concatenate([*parts, aligner.flush()])[:, 0])
    assert found == pytest.approx([2 * n for n in range(1, 13)], abs=3e-3)
    assert 0.8 < aligner.silence / 48_000 < 1.2


def test_a_device_that_is_silent_is_filled_and_comes_back_in_place() -> None:
    aligner, parts = SoundAligner(48_000, 1, START_NS), []
    microphone = SimulatedMicrophone()
    microphone.start(lambda block: parts.append(aligner.add(block)))
    microphone.advance(3.0)
    microphone.skip(4.0)
    parts.append(aligner.fill(6.5))
    assert aligner.seconds == pytest.approx(6.5, abs=1e-4)
    microphone.advance(13.0)
    found = beep_times(np.concatenate([*parts, aligner.flush()])[:, 0])
    assert found == pytest.approx([2.0, 8.0, 10.0, 12.0], abs=2e-3)


def test_sound_for_a_time_that_was_filled_already_is_counted_as_lost() -> None:
    aligner = SoundAligner(48_000, 1, 0)
    aligner.fill(2.0)
    for n in range(0, 48_000 * 3, 960):
        aligner.add(AudioBlock(np.zeros((960, 1), np.float32), round(n / 48_000 * 1e9)))
    assert aligner.seconds == pytest.approx(3.0, abs=0.01)
    assert aligner.lost >= 960


def test_levels() -> None:
    meter = LevelMeter(48_000)
    assert meter.level().peak_db == SILENCE_DB
    wave = np.sin(np.arange(4800) * 2 * np.pi / 48)[:, None].astype(np.float32)
    for _ in range(10):
        meter.add(0.5 * wave)
    assert meter.level().peak_db == pytest.approx(-6.02, abs=0.1)
    assert meter.level().rms_db == pytest.approx(-9.03, abs=0.1)
    for _ in range(5):
        meter.add(0 * wave)
    assert meter.level().rms_db == SILENCE_DB


def test_a_device_that_went_away_is_told_and_opened_anew(wait_until: WaitUntil) -> None:
    clock, microphone = ManualClock(), SimulatedMicrophone(paced=True)
    feed = AudioFeed(microphone, clock)
    microphone.advance(0.5)
    assert feed.problem() is None and feed.blocks() and not feed.blocks()
    clock.now += 6_000_000_000
    assert "simulated microphone" in str(feed.problem())
    microphone.fails = True
    feed.revive()
    wait_until(lambda: feed._opening is not None and not feed._opening.is_alive())
    feed.revive()  # not again at once
    assert microphone.starts == 1
    microphone.fails = False
    clock.now += 6_000_000_000
    feed.revive()
    wait_until(lambda: microphone.starts == 2)
    microphone.advance(0.6)
    assert feed.problem() is None
    assert feed.blocks()[0].follows is False
    feed.close()
    feed.close()


def test_a_source_that_cannot_be_opened() -> None:
    microphone = SimulatedMicrophone()
    microphone.fails = True
    with pytest.raises(AudioError):
        AudioFeed(microphone)


def test_without_portaudio_there_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)

    class Missing:
        def find_spec(self, name: str, *rest: object) -> None:
            if name == "sounddevice":
                raise OSError("PortAudio library not found")

    monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])
    with pytest.raises(AudioError, match=r"^Sound cannot be recorded because PortAudio is missing: .*\.$"):
        list_microphones()


class FakePortAudio:
    """The part of sounddevice that is used."""

    def __init__(self, names: list[str]) -> None:
        self.devices: list[dict[str, Any]] = [{"name": "speakers", "max_input_channels": 0, "default_samplerate": 1.0}]
        self.devices += [{"name": name, "max_input_channels": 4, "default_samplerate": 44_100.0} for name in names]
        self.default = SimpleNamespace(device=(2, 0))
        self.opened: dict[str, Any] = {}
        self.fails = False
        self.closed = 0

    def query_devices(self) -> list[dict[str, Any]]:
        return self.devices

    def InputStream(self, **options: Any) -> FakePortAudio:  # noqa: N802
        if self.fails:
            raise RuntimeError("Device unavailable [PaErrorCode -9985]")
        self.opened = options
        return self

    def start(self) -> None:
        pass

    def abort(self) -> None:
        raise RuntimeError("unplugged")

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def portaudio(monkeypatch: pytest.MonkeyPatch) -> FakePortAudio:
    fake = FakePortAudio(["Webcam", "Headset Mic", "Headset Mic 2"])
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    return fake


def test_choosing_a_microphone(portaudio: FakePortAudio) -> None:
    assert [device.index for device in list_microphones()] == [2, 1, 3]
    assert find_microphone("default").name == "Headset Mic"
    assert find_microphone("1").name == find_microphone("webc").name == "Webcam"
    assert find_microphone("Headset Mic").index == 2  # the whole name wins
    for wanted, what in (
        ("headset", "More than one"),
        ("0", "There is no"),
        ("99", "There is no"),
        ("x", "There is no"),
    ):
        with pytest.raises(AudioError, match=rf"^{what} microphone.*: choose one of 2 \(Headset Mic\), .*\.$"):
            find_microphone(wanted)


def test_no_microphone_at_all(portaudio: FakePortAudio) -> None:
    portaudio.devices = portaudio.devices[:1]
    with pytest.raises(AudioError, match=r"^There is no microphone: plug one in"):
        find_microphone("default")


def test_a_sound_system_that_does_not_answer(portaudio: FakePortAudio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portaudio, "query_devices", lambda: (_ for _ in ()).throw(RuntimeError("Host error.")))
    with pytest.raises(AudioError, match=r"does not answer \(Host error\): check the sound settings\.$"):
        list_microphones()


def test_blocks_are_timed_by_the_device(portaudio: FakePortAudio) -> None:
    microphone = Microphone(find_microphone("Webcam"))
    got: list[AudioBlock] = []
    microphone.start(got.append)
    assert (portaudio.opened["device"], portaudio.opened["samplerate"], portaudio.opened["channels"]) == (1, 44_100, 2)
    given = np.ones((441, 2), np.float32)
    call = portaudio.opened["callback"]
    delays = []
    # Reported delays: impossibly long, then possible ones, then shorter than the block itself, then none at all.
    for now_s, first_s in ((100.5, 100.0), (101.06, 101.0), (102.03, 102.0), (103.001, 103.0), (0.0, 0.0)):
        before = time.monotonic_ns()
        times = SimpleNamespace(currentTime=now_s, inputBufferAdcTime=first_s)
        call(given, 441, times, SimpleNamespace(input_overflow=now_s == 0.0))
        delays.append((before - got[-1].time_ns) / 1e6)
    given[:] = 0
    assert delays == pytest.approx([10, 60, 30, 30, 30], abs=3)
    assert got[0].follows and not got[-1].follows
    assert (got[0].samples == 1).all(), "the device uses its buffer again"
    microphone.stop()
    microphone.stop()


def test_a_microphone_that_is_in_use(portaudio: FakePortAudio) -> None:
    portaudio.fails = True
    with pytest.raises(AudioError, match=r"^The microphone Webcam cannot be opened \(Device unavailable .*\?$"):
        Microphone(find_microphone("Webcam")).start(lambda block: None)


def test_the_sound_of_a_clip(tmp_path: Path) -> None:
    path = tmp_path / "clip.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 44_100, 0, "NONE", ""))
        file.writeframes(np.round(beeps(np.arange(44_100 * 5) / 44_100) * 32767).astype("<i2").repeat(2).tobytes())
    clip = ClipSound(path)
    got: list[AudioBlock] = []
    assert (clip.rate, clip.channels, clip.paced) == (48_000, 2, False)
    clip.start(got.append)
    clip.advance(1.0)
    assert 1.0 < got[-1].time_ns / 1e9 < 2.0
    clip.advance(100.0)
    clip.close()
    sound = np.concatenate([block.samples for block in got])
    assert beep_times(sound[:, 0]) == pytest.approx([2.0, 4.0], abs=2e-3)


def test_a_clip_without_sound_or_that_is_none(tmp_path: Path, tiny_clip: Path) -> None:
    (tmp_path / "bad.mp4").write_bytes(b"no clip")
    for path in (tiny_clip, tmp_path / "bad.mp4", tmp_path / "missing.mp4"):
        with pytest.raises(AudioError, match=r": it is recorded without\.$"):
            ClipSound(path)
