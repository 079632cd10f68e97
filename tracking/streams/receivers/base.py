"""Receiving a face from the network: a socket on a thread, a bounded parser, the newest face. Strangers may send
anything: it is counted and told in a sentence, and costs neither memory nor the program's life."""

from __future__ import annotations

import logging
import socket
import threading
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from types import TracebackType
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from tracking.streams.base import StreamError, parse_address
from tracking.streams.outlets import bind_problem
from tracking.streams.settings import place_name
from tracking.timings import RollingRate

_log = logging.getLogger(__name__)

LOST_S = 0.5
"""A stream that has said nothing for so long is lost."""
LARGEST_ANGLE = np.pi
_LARGEST_PACKET = 65536
_POLL_S = 0.1
_RETRY_S = 1.0
_REMEMBERED_S = 1.5
_FLOOD_PAUSE_S = 0.005
_SECOND = 1_000_000_000


class PacketError(ValueError):
    """A packet that is not of the protocol."""


@dataclass(frozen=True, slots=True)
class ReceivedFace:
    """A face as somebody else tracked it, in our conventions. Every number is finite and within its range.

    Attributes:
        subject: what the sender calls it; may be empty.
        present: False where the sender says that it sees no face; the values are then the last ones or zero.
        expression: (52,) float32 in 0..1, ARKIT_CHANNELS order.
        rotation: (3, 3) of the head.
        translation: (3,) metres, camera frame, None where the sender does not tell.
        gaze: (2, 2) radians, rows left and right eye, columns yaw and pitch, relative to the head.
        received_ns: `time.monotonic_ns()`.
    """

    subject: str
    present: bool
    expression: NDArray[np.float32]
    rotation: NDArray[np.float64]
    translation: NDArray[np.float64] | None
    gaze: NDArray[np.float32]
    received_ns: int


@dataclass(frozen=True, slots=True)
class ReceiverStatus:
    """A snapshot.

    Attributes:
        place: where it listens, as `address:port`.
        listening: False while the port cannot be had; it goes on trying.
        sender: address that is listened to, None while nobody sends.
        packets: that were understood.
        malformed: packets that were not.
        ignored: packets of a second sender, or of a flood.
        rate: faces a second.
        problem: what is wrong and what to do, in one sentence; None while faces come.
    """

    place: str
    listening: bool
    sender: str | None
    packets: int
    malformed: int
    ignored: int
    rate: float
    problem: str | None


class Parser(ABC):
    """Reads one protocol's packets. Keeps no more than one face's worth of state."""

    @abstractmethod
    def feed(self, data: bytes, now_ns: int) -> ReceivedFace | None:
        """The face that this packet completes, None while there is none yet.

        Raises:
            PacketError: the packet is malformed; what came before is kept.
        """


class Receiver(ABC):
    """Listens at a port on a thread of its own; may be read from any thread.

    Args:
        port: to listen at; 0 takes a free one.
        bind: own address to listen at: this machine only, unless another one is typed.

    Raises:
        StreamError: no such port or address can be.
    """

    title: ClassVar[str]
    """The protocol's name."""
    packet_limit: ClassVar[int] = 1000
    """Packets a second beyond which the rest is a flood."""
    byte_limit: ClassVar[int] = 1_000_000
    """Bytes a second beyond which the rest is a flood: several times what the fastest sender needs."""

    def __init__(self, port: int, bind: str = "127.0.0.1") -> None:
        if not 0 <= port <= 65535:
            raise StreamError(f"{port} is no port: choose one between 1 and 65535.")
        self._bind = str(parse_address(bind))
        self._wanted_port = port
        self._port = port
        self._parser = self._make_parser()
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._face: ReceivedFace | None = None
        self._listening = False
        self._packets = self._malformed = self._ignored = 0
        self._rate = RollingRate()
        self._sender: str | None = None
        self._heard_ns = self._understood_ns = self._stranger_ns = self._flood_ns = -(1 << 62)
        self._stranger = ""
        self._bind_problem: str | None = None
        self._window_ns = 0
        self._in_window = self._window_bytes = 0

    @property
    def place(self) -> str:
        """Where it listens."""
        return place_name(self._bind, self._port)

    @property
    def port(self) -> int:
        """The port; of those opened with 0 the one that was found, once it listens."""
        return self._port

    def start(self) -> None:
        """Begin to listen; returns at once, does nothing if it listens already."""
        if self._thread is None:
            self._stopping.clear()
            self._thread = threading.Thread(target=self._run, name=f"mien-receive-{self.title}", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Stop listening and free the port, in a fraction of a second; may be called twice."""
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(1.0)
            self._thread = None

    def latest(self) -> ReceivedFace | None:
        """The newest face, however old; None before the first."""
        return self._face

    def wait(self, after: ReceivedFace | None, timeout_s: float) -> ReceivedFace | None:
        """The newest face as soon as it is another one than `after`; None when the time is over or it is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._face is not after or self._stopping.is_set(), timeout_s)
            return self._face if self._face is not after else None

    def status(self) -> ReceiverStatus:
        """A snapshot."""
        now = time.monotonic_ns()
        with self._changed:
            fresh = now - self._understood_ns < LOST_S * _SECOND
            return ReceiverStatus(
                place=self.place,
                listening=self._listening,
                sender=self._sender if now - self._heard_ns < LOST_S * _SECOND else None,
                packets=self._packets,
                malformed=self._malformed,
                ignored=self._ignored,
                rate=self._rate.get(now),
                problem=self._problem(now, fresh),
            )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @abstractmethod
    def _make_parser(self) -> Parser:
        """A new parser."""

    def _greet(self, sock: socket.socket, now_ns: int) -> None:
        """Ask for data, where the protocol needs it; called several times a second."""
        return

    def _problem(self, now_ns: int, fresh: bool) -> str | None:
        remembered = round(_REMEMBERED_S * _SECOND)
        if self._bind_problem is not None:
            return self._bind_problem
        if now_ns - self._flood_ns < remembered:
            return (
                f"Packets flood in at {self.place}, more than any face needs: the rest are ignored; stop the program "
                "that sends them."
            )
        if now_ns - self._stranger_ns < remembered:
            return f"A second sender, {self._stranger}, is ignored: let only one send to {self.place}."
        if fresh:
            return None
        if now_ns - self._heard_ns < remembered:
            return f"What arrives at {self.place} is not {self.title}: check what the sender is set to."
        return f"Nothing arrives at {self.place}: start {self.title} on the sender, with this address and port."

    def _run(self) -> None:
        sock: socket.socket | None = None
        buffer = bytearray(_LARGEST_PACKET)
        try:
            while not self._stopping.is_set():
                if sock is None:
                    sock = self._open()
                    if sock is None:
                        self._stopping.wait(_RETRY_S)
                    continue
                self._greet(sock, time.monotonic_ns())
                try:
                    size, sender = sock.recvfrom_into(buffer)
                except TimeoutError:
                    continue
                except OSError as error:
                    # On Windows: something that we sent before reached nobody.
                    _log.debug("receiving at %s: %s", self.place, error)
                    continue
                self.accept(bytes(memoryview(buffer)[:size]), str(sender[0]), time.monotonic_ns())
        finally:
            if sock is not None:
                sock.close()
            self._listening = False

    def _open(self) -> socket.socket | None:
        family = socket.AF_INET6 if ":" in self._bind else socket.AF_INET
        sock = None
        try:
            sock = socket.socket(family, socket.SOCK_DGRAM)
            sock.bind((self._bind, self._wanted_port))
            sock.settimeout(_POLL_S)
        except OSError as error:
            if sock is not None:
                sock.close()
            with self._changed:
                self._listening, self._bind_problem = False, bind_problem(error, self.place)
            return None
        with self._changed:
            self._port = int(sock.getsockname()[1])
            self._listening, self._bind_problem = True, None
            self._changed.notify_all()
        return sock

    def accept(self, data: bytes, sender: str, now_ns: int) -> None:
        """Take one packet, as the socket gives it. Raises nothing, whatever is in it."""
        with self._changed:
            if now_ns - self._window_ns >= _SECOND:
                self._window_ns, self._in_window, self._window_bytes = now_ns, 0, 0
            self._in_window += 1
            self._window_bytes += len(data)
            flooded = self._in_window > self.packet_limit or self._window_bytes > self.byte_limit
            if flooded:
                self._flood_ns = now_ns
                self._ignored += 1
            elif self._sender not in (None, sender) and now_ns - self._understood_ns < LOST_S * _SECOND:
                # Whoever began stays: two at once would make the face jump to and fro.
                self._stranger, self._stranger_ns = sender, now_ns
                self._ignored += 1
                return
            else:
                self._sender, self._heard_ns = sender, now_ns
        if flooded:
            # Outside the lock: the system throws away what does not fit meanwhile.
            self._stopping.wait(_FLOOD_PAUSE_S)
            return
        try:
            face = self._parser.feed(data, now_ns)
        except PacketError:
            with self._changed:
                self._malformed += 1
            return
        except Exception:  # a mistake of ours must not end the thread
            _log.exception("a packet of %s could not be read", self.title)
            with self._changed:
                self._malformed += 1
            return
        with self._changed:
            self._packets += 1
            self._understood_ns = now_ns
            if face is not None:
                self._face = face
                self._rate.add(now_ns)
                self._changed.notify_all()


def channel_values(values: NDArray[np.floating]) -> NDArray[np.float32]:
    """(52,) limited to 0..1, with 0 for what is not a number."""
    return np.asarray(np.clip(np.nan_to_num(values, nan=0.0, posinf=1.0, neginf=0.0), 0.0, 1.0), np.float32)


def angles(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Radians limited to half a turn.

    Raises:
        PacketError: one is not a number.
    """
    if not np.isfinite(values).all():
        raise PacketError("an angle is not a number")
    return np.clip(np.asarray(values, np.float64), -LARGEST_ANGLE, LARGEST_ANGLE)
