"""One stream's socket, pace and state. Nothing here raises for what the network does: it becomes a sentence."""

from __future__ import annotations

import errno
import ipaddress
import logging
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tracking.streams import ifacialmocap, vtube_studio
from tracking.streams.base import Encoder, StreamError
from tracking.streams.settings import StreamSettings, place_name
from tracking.timings import RollingRate
from tracking.types import TrackedFace

_log = logging.getLogger(__name__)

MOST_CLIENTS = 8
"""Requests of more askers replace the oldest: nobody can make us send to the whole network."""
_REQUESTS_A_ROUND = 64
_FLOOD_A_SECOND = 200
_REMEMBERED_S = 1.5
_RETRY_S = 1.0
_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """A snapshot of one stream.

    Attributes:
        name: as the person called it, or the protocol's.
        protocol: its key.
        on: whether it is switched on.
        place: where it sends to, or where it listens, as `address:port`.
        packets: sent so far.
        rate: frames a second of late.
        clients: who asked, for streams that answer, as `address:port`.
        outside: whether it leaves this machine.
        problem: what is wrong and what to do, in one sentence; None if all is well.
    """

    name: str
    protocol: str
    on: bool
    place: str
    packets: int
    rate: float
    clients: tuple[str, ...]
    outside: bool
    problem: str | None


class Outlet(ABC):
    """A stream that is switched on. Used by one thread at a time.

    Args:
        settings: of the stream.
    """

    def __init__(self, settings: StreamSettings) -> None:
        self.settings = settings
        self.packets = 0
        self._rate = RollingRate()
        self._due_ns = 0
        self._sent: TrackedFace | None = None
        self._socket: socket.socket | None = None
        self._retry_ns = 0
        self._problem: str | None = None
        self._problem_ns = 0

    @property
    def clients(self) -> tuple[str, ...]:
        """Who asked for it."""
        return ()

    def problem(self, now_ns: int) -> str | None:
        """What is wrong at the moment; forgotten once it has not happened again for a while."""
        return self._problem if now_ns - self._problem_ns < _REMEMBERED_S * _SECOND else None

    def rate(self, now_ns: int) -> float:
        """Frames a second."""
        return self._rate.get(now_ns)

    def step(self, face: TrackedFace | None, now_ns: int) -> int:
        """Send the newest face if it is new and due.

        Returns:
            nanoseconds until this stream wants to be asked again at the latest.
        """
        if self._socket is None and now_ns >= self._retry_ns:
            self._open(now_ns)
        if self._socket is not None:
            self._listen(self._socket, now_ns)
        if face is None or face is self._sent:
            return self._patience()
        if now_ns < self._due_ns:
            return self._due_ns - now_ns
        interval = round(_SECOND / self.settings.rate)
        # One interval of grace, so that a camera that wavers about the rate loses nothing.
        self._due_ns = max(self._due_ns, now_ns - interval) + interval
        self._sent = face
        if self._socket is not None:
            try:
                if self._give(self._socket, face, now_ns):
                    self._rate.add(now_ns)
            except OSError as error:
                self._complain(send_problem(error, self.settings.place), now_ns)
            except Exception as error:  # one stream must not end the others
                _log.exception("encoding for %s failed", self.settings.title)
                reason = " ".join(str(error).split()) or type(error).__name__
                self._complain(
                    f"{self.settings.title} cannot be encoded ({reason}): switch it off; the log has the details.",
                    now_ns,
                )
        return self._patience()

    def close(self) -> None:
        """Free the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    @abstractmethod
    def _connect(self) -> socket.socket:
        """The socket, which must not block."""

    @abstractmethod
    def _give(self, sock: socket.socket, face: TrackedFace, now_ns: int) -> bool:
        """Encode and send one frame; False if there was nothing or nobody to send to."""

    def _listen(self, sock: socket.socket, now_ns: int) -> None:
        """Read what came in: nothing, for those that only send."""
        return

    def _patience(self) -> int:
        return _SECOND

    def _open(self, now_ns: int) -> None:
        try:
            self._socket = self._connect()
        except OSError as error:
            self._retry_ns = now_ns + round(_RETRY_S * _SECOND)
            self._complain(bind_problem(error, self.settings.place), now_ns)

    def _complain(self, sentence: str, now_ns: int) -> None:
        self._problem, self._problem_ns = sentence, now_ns


class PushOutlet(Outlet):
    """Sends every frame to one place."""

    def __init__(self, settings: StreamSettings, encoder: Encoder, target: str, port: int) -> None:
        super().__init__(settings)
        self._encoder = encoder
        self._target = (target, port)

    def _connect(self) -> socket.socket:
        sock = _datagram_socket(self._target[0])
        try:
            # Connected sockets are told when nobody listens.
            sock.connect(self._target)
        except OSError:
            sock.close()
            raise
        return sock

    def _give(self, sock: socket.socket, face: TrackedFace, now_ns: int) -> bool:
        packets = self._encoder.encode(face)
        for packet in packets:
            sock.send(packet)
            self.packets += 1
        return bool(packets)


@dataclass
class _Client:
    address: str
    ports: tuple[int, ...]
    until_ns: int
    version: int = 1


@dataclass
class _Asked:
    """What came in within the running second."""

    since_ns: int = 0
    count: int = 0


Understood = tuple[tuple[int, ...], float, int]
"""Ports to answer, for how many seconds, in which version."""


class AnswerOutlet(Outlet):
    """Waits for requests and answers those who asked.

    Args:
        settings: of the stream.
        encoders: by the version that was asked for.
        understand: reads a request, and the port that it came from.
    """

    def __init__(
        self,
        settings: StreamSettings,
        encoders: dict[int, Encoder],
        listen: tuple[str, int],
        understand: Callable[[bytes, int], Understood | None],
    ) -> None:
        super().__init__(settings)
        self._encoders = encoders
        self._place = listen
        self._understand = understand
        self._clients: dict[tuple[str, tuple[int, ...]], _Client] = {}
        self._asked = _Asked()

    @property
    def clients(self) -> tuple[str, ...]:
        return tuple(place_name(c.address, port) for c in list(self._clients.values()) for port in c.ports)

    @property
    def port(self) -> int:
        """The port that is listened at; 0 while there is none."""
        return int(self._socket.getsockname()[1]) if self._socket is not None else 0

    def _connect(self) -> socket.socket:
        sock = _datagram_socket(self._place[0])
        try:
            sock.bind(self._place)
        except OSError:
            sock.close()
            raise
        return sock

    def _patience(self) -> int:
        return _SECOND // 20

    def _listen(self, sock: socket.socket, now_ns: int) -> None:
        for key in [k for k, client in self._clients.items() if client.until_ns < now_ns]:
            del self._clients[key]
        if now_ns - self._asked.since_ns >= _SECOND:
            self._asked = _Asked(now_ns)
        for _ in range(_REQUESTS_A_ROUND):
            try:
                data, sender = sock.recvfrom(4096)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                return  # Windows tells here that an earlier answer reached nobody
            self._asked.count += 1
            if self._asked.count > _FLOOD_A_SECOND:
                self._complain(
                    f"Requests flood in at {self.settings.place}: most are ignored; stop the program that sends them.",
                    now_ns,
                )
                continue
            self._admit(data, str(sender[0]), int(sender[1]), now_ns)

    def _admit(self, data: bytes, address: str, port: int, now_ns: int) -> None:
        understood = self._understand(data, port)
        if understood is None:
            self._complain(
                f"What arrives at {self.settings.place} is no request for {self.settings.title}: "
                "check what the program there is set to.",
                now_ns,
            )
            return
        ports, seconds, version = understood
        key = (address, ports)
        self._clients.pop(key, None)
        self._clients[key] = _Client(address, ports, now_ns + round(seconds * _SECOND), version)
        while len(self._clients) > MOST_CLIENTS:
            del self._clients[next(iter(self._clients))]

    def _give(self, sock: socket.socket, face: TrackedFace, now_ns: int) -> bool:
        packets: dict[int, list[bytes]] = {}
        given = False
        for client in self._clients.values():
            if client.version not in packets:
                packets[client.version] = self._encoders[client.version].encode(face)
            for packet in packets[client.version]:
                for port in client.ports:
                    try:
                        sock.sendto(packet, (client.address, port))
                    except OSError as error:
                        self._complain(send_problem(error, place_name(client.address, port)), now_ns)
                        continue
                    self.packets += 1
                    given = True
        return given


def answer_vtube_studio(data: bytes, port: int) -> Understood | None:
    """Reads VTube Studio's request."""
    request = vtube_studio.parse_request(data)
    return None if request is None else (request.ports, request.seconds, 1)


def answer_ifacialmocap(reply_port: int) -> Callable[[bytes, int], Understood | None]:
    """Reads iFacialMocap's request; the app goes on until it is closed.

    Args:
        reply_port: port to answer.
    """

    def understand(data: bytes, port: int) -> Understood | None:
        version = ifacialmocap.parse_request(data)
        return None if version is None else ((reply_port,), 365.0 * 86400.0, version)

    return understand


def bind_problem(error: OSError, place: str) -> str:
    """Why a socket could not be opened, and what to do."""
    if error.errno in (errno.EADDRINUSE, getattr(errno, "WSAEADDRINUSE", errno.EADDRINUSE)):
        return f"The port at {place} is in use by another program: close that, or choose another port."
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"The system does not allow the port at {place}: choose one above 1023, and look at the firewall."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"This machine has no address {place.rpartition(':')[0]}: choose one of its own, or 127.0.0.1."
    return send_problem(error, place)


def send_problem(error: OSError, place: str) -> str:
    """Why packets do not arrive, and what to do."""
    if isinstance(error, ConnectionRefusedError | ConnectionResetError):
        return f"Nothing listens at {place}: start the receiving program, or check its port."
    if error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL):
        return f"{place} cannot be reached: check the address and the network."
    if isinstance(error, BlockingIOError) or error.errno == errno.ENOBUFS:
        return f"The network takes the packets for {place} too slowly: lower the stream's rate."
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"The system does not let packets out to {place}: look at the firewall."
    reason = (error.strerror or type(error).__name__).rstrip(".")
    return f"Sending to {place} failed ({reason}): check the address and the network."


def status_of(settings: StreamSettings, outlet: Outlet | None) -> StreamStatus:
    """The snapshot of a stream, whose outlet is None while it is switched off."""
    now = time.monotonic_ns()
    return StreamStatus(
        name=settings.title,
        protocol=settings.protocol,
        on=settings.on,
        place=settings.place,
        packets=0 if outlet is None else outlet.packets,
        rate=0.0 if outlet is None else outlet.rate(now),
        clients=() if outlet is None else outlet.clients,
        outside=settings.outside,
        problem=None if outlet is None else outlet.problem(now),
    )


def _datagram_socket(address: str) -> socket.socket:
    try:
        version = ipaddress.ip_address(address).version
    except ValueError:
        raise StreamError(f"{address!r} is not a network address: type one in numbers.") from None
    sock = socket.socket(socket.AF_INET6 if version == 6 else socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    return sock


def closed(outlets: Sequence[Outlet | None]) -> None:
    """Close them all."""
    for outlet in outlets:
        if outlet is not None:
            outlet.close()
