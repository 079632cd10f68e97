"""Microphones, through PortAudio."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import Any

from recordings.audio import AudioBlock, AudioError, AudioSink

__all__ = ["Microphone", "MicrophoneInfo", "find_microphone", "list_microphones"]

_LATENCY_S = 0.2
"""Asked of the system: short ones lose samples on busy machines, and nobody listens live."""
_MOST_EXTRA_S = 0.06
"""A device does not keep a block for longer than this; what reports more is wrong."""


@dataclass(frozen=True, slots=True)
class MicrophoneInfo:
    """A device that sound can be recorded from.

    Attributes:
        index: PortAudio's number of it.
        name: the device's own name.
        channels: that it has.
        rate: samples a second that it likes best.
        default: the system's choice.
    """

    index: int
    name: str
    channels: int
    rate: float
    default: bool


def list_microphones() -> list[MicrophoneInfo]:
    """All that the system knows of, the default one first.

    Raises:
        AudioError: there is no sound system.
    """
    sounddevice = _portaudio()
    try:
        devices = sounddevice.query_devices()
        chosen = sounddevice.default.device[0]
    except Exception as error:  # PortAudioError is no OSError, and can only be named once it is imported
        raise AudioError(f"The sound system does not answer ({_short(error)}): check the sound settings.") from error
    found = [
        MicrophoneInfo(
            number,
            str(device["name"]),
            int(device["max_input_channels"]),
            float(device["default_samplerate"]),
            number == chosen,
        )
        for number, device in enumerate(devices)
        if device["max_input_channels"] > 0
    ]
    return sorted(found, key=lambda device: not device.default)


def find_microphone(wanted: str) -> MicrophoneInfo:
    """The microphone that a person names.

    Args:
        wanted: `default`, a number, a name or a part of one.

    Raises:
        AudioError: nothing or more than one fits, or there is no sound system.
    """
    devices = list_microphones()
    if not devices:
        raise AudioError("There is no microphone: plug one in, or record without sound by --audio none.")
    if wanted == "default":
        return devices[0]
    if wanted.isdecimal():
        fitting = [device for device in devices if device.index == int(wanted)]
    else:
        fitting = [device for device in devices if device.name == wanted] or [
            device for device in devices if wanted.casefold() in device.name.casefold()
        ]
    if len(fitting) == 1:
        return fitting[0]
    names = ", ".join(f"{device.index} ({device.name})" for device in devices)
    what = "More than one microphone fits" if fitting else "There is no microphone"
    raise AudioError(f"{what} {wanted!r}: choose one of {names}.")


class DeviceDelay:
    """How long a device keeps a block after its last sample.

    The times that PortAudio reports serve for this alone: through PulseAudio they are off by hundreds of milliseconds
    at first and then run at another rate than the sound (measured: 900 parts in a million), whereas the moments at
    which blocks arrive are right to a millisecond once a steady stream runs. A block cannot arrive before its last
    sample, and nobody keeps one for long; of the reports that are possible the smallest has waited the least.
    """

    def __init__(self) -> None:
        self._least: float | None = None

    def extra(self, reported_s: float, length_s: float) -> float:
        """Seconds between a block's last sample and its arrival.

        Args:
            reported_s: from the block's first sample to its arrival, by PortAudio.
            length_s: of the block.
        """
        extra = reported_s - length_s
        if 0.0 <= extra <= _MOST_EXTRA_S:
            self._least = extra if self._least is None else min(self._least, extra)
        return self._least or 0.0


class Microphone:
    """A microphone as an AudioSource.

    Args:
        info: from `find_microphone` or `list_microphones`.
    """

    paced = True

    def __init__(self, info: MicrophoneInfo) -> None:
        self._info = info
        self._stream: Any = None

    @property
    def name(self) -> str:
        return self._info.name

    @property
    def rate(self) -> float:
        return self._info.rate

    @property
    def channels(self) -> int:
        return min(2, self._info.channels)

    def start(self, sink: AudioSink) -> None:
        """See AudioSource.

        Raises:
            AudioError: it cannot be opened.
        """
        sounddevice = _portaudio()
        rate = self.rate

        delay = DeviceDelay()

        def take(samples: Any, count: int, times: Any, status: Any) -> None:
            now = time.monotonic_ns()
            held_s = count / rate
            held_s += delay.extra(times.currentTime - times.inputBufferAdcTime, held_s)
            sink(AudioBlock(samples.copy(), now - round(held_s * 1e9), follows=not status.input_overflow))

        try:
            self._stream = sounddevice.InputStream(
                device=self._info.index,
                samplerate=rate,
                channels=self.channels,
                dtype="float32",
                latency=_LATENCY_S,
                callback=take,
            )
            self._stream.start()
        except Exception as error:  # as above
            self.stop()
            raise AudioError(
                f"The microphone {self.name} cannot be opened ({_short(error)}): is another program using it?"
            ) from error

    def stop(self) -> None:
        """See AudioSource."""
        stream, self._stream = self._stream, None
        if stream is not None:
            try:
                stream.abort()
                stream.close()
            except Exception:
                pass  # a device that was unplugged cannot be stopped any more


def _portaudio() -> Any:
    """The library, loaded when it is first needed.

    Raises:
        AudioError: it is missing.
    """
    try:
        import sounddevice
    except (OSError, ImportError) as error:
        remedy = "apt install libportaudio2" if sys.platform.startswith("linux") else "reinstall sounddevice"
        raise AudioError(f"Sound cannot be recorded because PortAudio is missing: {remedy}.") from error
    return sounddevice


def _short(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text.rstrip(".")[:120]
