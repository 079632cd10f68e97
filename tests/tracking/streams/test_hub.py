"""The hub: several streams at once, none of which holds up the tracking or another stream."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.helpers.tiny_model import tiny_model
from tracking.streams import (
    IFacialMocapStream,
    LiveLinkStream,
    OpenSeeFaceStream,
    StreamHub,
    StreamSettings,
    VmcStream,
    VTubeStudioStream,
    outlets,
)
from tracking.streams.ifacialmocap import START_REQUEST, VERSION_2
from tracking.types import TrackedFace

Wait = Callable[[Callable[[], bool]], None]

pytestmark = pytest.mark.usefixtures("no_leaked_threads")


def _port(sock: socket.socket) -> int:
    return int(sock.getsockname()[1])


def _ask(port: int, data: bytes, source: socket.socket) -> None:
    source.sendto(data, ("127.0.0.1", port))


def _request(*ports: int, seconds: float = 5.0) -> bytes:
    asked = {"messageType": "iOSTrackingDataRequest", "time": seconds, "sentBy": "test", "ports": list(ports)}
    return json.dumps(asked).encode()


def test_off_no_socket_is_opened_and_no_thread_runs(turned: TrackedFace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracking.streams.outlets.socket.socket", lambda *_: pytest.fail("a socket was opened"))
    with StreamHub([VmcStream(), VTubeStudioStream(), LiveLinkStream(target="192.0.2.1")]) as hub:
        hub.send(turned)
        assert not any(thread.name == "mien-streams" for thread in threading.enumerate())
        assert [s.on for s in hub.status()] == [False] * 3
        assert hub.targets_outside == ()


def test_several_streams_arrive_each_in_its_own_format(turned: TrackedFace, wait_until: Wait) -> None:
    boxes = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(4)]
    for box in boxes:
        box.bind(("127.0.0.1", 0))
        box.settimeout(2.0)
    ports = [_port(box) for box in boxes]
    streams: list[StreamSettings] = [
        VmcStream(on=True, port=ports[0]),
        LiveLinkStream(on=True, port=ports[1]),
        IFacialMocapStream(on=True, port=ports[2]),
        OpenSeeFaceStream(on=True, port=ports[3]),
    ]
    with StreamHub(streams, model=tiny_model()) as hub:
        hub.send(turned)
        starts = [box.recv(65536)[:8] for box in boxes]
        assert starts[0] == b"#bundle\0" and starts[1][0] == 6 and starts[2] == b"eyeBlink"
        assert len(starts[3]) == 8
        wait_until(lambda: all(s.packets == 1 for s in hub.status()))
        assert all(s.problem is None for s in hub.status())
    for box in boxes:
        box.close()


def test_sending_never_waits(turned: TrackedFace, inbox: socket.socket) -> None:
    with StreamHub([VmcStream(on=True, port=_port(inbox))]) as hub:
        longest = 0.0
        for _ in range(2000):
            start = time.perf_counter()
            hub.send(turned)
            longest = max(longest, time.perf_counter() - start)
        assert longest < 0.05  # microseconds; the rest is the scheduler of a busy machine


def test_each_stream_keeps_its_rate_and_the_newest_face_wins(turned: TrackedFace, inbox: socket.socket) -> None:
    with StreamHub([LiveLinkStream(on=True, port=_port(inbox), rate=20.0)]) as hub:
        start = time.monotonic()
        count = 0
        while time.monotonic() - start < 1.0:
            count += 1
            hub.send(replace(turned, frame=replace(turned.frame, time_s=count / 60)))
            time.sleep(0.004)
        time.sleep(0.1)
        inbox.setblocking(False)
        packets = []
        while True:
            try:
                packets.append(inbox.recv(4096))
            except BlockingIOError:
                break
    assert 15 <= len(packets) <= 23
    # The last face is sent although nothing came after it.
    last = int.from_bytes(packets[-1][49:53], "big")
    assert last == count


def test_a_target_where_nobody_listens_is_told_and_forgotten(
    turned: TrackedFace, inbox: socket.socket, free_port: Callable[[], int], wait_until: Wait
) -> None:
    port = free_port()
    with StreamHub([VmcStream(on=True, port=port), LiveLinkStream(on=True, port=_port(inbox))]) as hub:

        def refused() -> bool:
            hub.send(replace(turned))
            time.sleep(0.01)
            return hub.status()[0].problem is not None

        wait_until(refused)
        assert hub.status()[0].problem == (
            f"Nothing listens at 127.0.0.1:{port}: start the receiving program, or check its port."
        )
        assert hub.status()[1].problem is None
        assert inbox.recv(4096)[0] == 6
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as late:
            late.bind(("127.0.0.1", port))

            def well() -> bool:
                hub.send(replace(turned))
                time.sleep(0.05)
                return hub.status()[0].problem is None

            wait_until(well)


def test_a_port_in_use_is_told_and_taken_when_it_is_free(
    turned: TrackedFace, inbox: socket.socket, free_port: Callable[[], int], wait_until: Wait
) -> None:
    port = free_port()
    occupant = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    occupant.bind(("127.0.0.1", port))
    with StreamHub([VTubeStudioStream(on=True, listen_port=port)]) as hub:
        wait_until(lambda: hub.status()[0].problem is not None)
        assert hub.status()[0].problem == (
            f"The port at 127.0.0.1:{port} is in use by another program: close that, or choose another port."
        )
        occupant.close()

        def answered() -> bool:
            _ask(port, _request(_port(inbox)), inbox)
            hub.send(replace(turned))
            time.sleep(0.05)
            return hub.status()[0].packets > 0

        wait_until(answered)
        assert json.loads(inbox.recv(65536))["FaceFound"] is True


def test_vtube_studio_answers_those_who_ask_for_as_long_as_they_asked(
    turned: TrackedFace, inbox: socket.socket, free_port: Callable[[], int], wait_until: Wait
) -> None:
    port = free_port()
    with StreamHub([VTubeStudioStream(on=True, listen_port=port)]) as hub:
        hub.send(turned)
        time.sleep(0.1)
        assert hub.status()[0].packets == 0  # nobody asked
        _ask(port, _request(_port(inbox), seconds=0.5), inbox)
        wait_until(lambda: bool(hub.status()[0].clients))
        assert hub.status()[0].clients == (f"127.0.0.1:{_port(inbox)}",)
        hub.send(replace(turned))
        assert json.loads(inbox.recv(65536))["Rotation"]["x"] == -20.0
        wait_until(lambda: not hub.status()[0].clients)
        before = hub.status()[0].packets
        hub.send(replace(turned))
        time.sleep(0.1)
        assert hub.status()[0].packets == before


def test_ifacialmocap_waits_for_its_start_request_when_told_so(
    turned: TrackedFace, inbox: socket.socket, free_port: Callable[[], int], wait_until: Wait
) -> None:
    port = free_port()
    stream = IFacialMocapStream(on=True, wait_for_request=True, listen_port=port, port=_port(inbox))
    with StreamHub([stream]) as hub:

        def admitted() -> bool:
            _ask(port, START_REQUEST + VERSION_2, inbox)
            time.sleep(0.05)
            return bool(hub.status()[0].clients)

        wait_until(admitted)
        hub.send(turned)
        assert b"jawOpen&50" in inbox.recv(4096)


def test_requests_of_strangers_are_told_bounded_and_harmless(
    turned: TrackedFace, inbox: socket.socket, free_port: Callable[[], int], wait_until: Wait
) -> None:
    port = free_port()
    with StreamHub([VTubeStudioStream(on=True, listen_port=port)]) as hub:
        wait_until(lambda: hub.status()[0].problem is None)
        time.sleep(0.1)
        _ask(port, b"hello", inbox)
        wait_until(lambda: hub.status()[0].problem is not None)
        assert "is no request for VTube Studio" in str(hub.status()[0].problem)
        for n in range(100):
            _ask(port, _request(20000 + n), inbox)
        wait_until(lambda: bool(hub.status()[0].clients))
        time.sleep(0.2)
        assert len(hub.status()[0].clients) == outlets.MOST_CLIENTS
        for _ in range(600):
            _ask(port, _request(_port(inbox)), inbox)
            time.sleep(0.0005)
        wait_until(lambda: "Requests flood in" in str(hub.status()[0].problem))
        hub.send(turned)
        assert inbox.recv(65536)  # it goes on working


def test_streams_are_switched_while_it_runs(turned: TrackedFace, inbox: socket.socket, wait_until: Wait) -> None:
    kept = LiveLinkStream(on=True, port=_port(inbox))
    with StreamHub([kept]) as hub:
        hub.send(turned)
        assert inbox.recv(4096)
        wait_until(lambda: hub.status()[0].packets == 1)
        hub.configure([VmcStream(on=True, port=_port(inbox)), kept])
        assert hub.status()[1].packets == 1  # not interrupted
        hub.configure([VmcStream(on=False), kept.model_copy(update={"on": False})])
        assert [s.on for s in hub.status()] == [False, False]
        inbox.setblocking(False)
        time.sleep(0.05)
        while True:
            try:
                inbox.recv(65536)
            except BlockingIOError:
                break
        hub.send(replace(turned))
        time.sleep(0.1)
        with pytest.raises(BlockingIOError):
            inbox.recv(4096)


def test_an_encoder_that_fails_ends_neither_its_hub_nor_other_streams(
    turned: TrackedFace, inbox: socket.socket, wait_until: Wait
) -> None:
    broken = replace(turned, parameters=replace(turned.parameters, expression=None))  # type: ignore[type-var]
    with StreamHub([VmcStream(on=True), LiveLinkStream(on=True, port=_port(inbox))]) as hub:
        hub.send(broken)
        wait_until(lambda: hub.status()[0].problem is not None)
        problem = str(hub.status()[0].problem)
        assert problem.startswith("VMC cannot be encoded") and "Traceback" not in problem
        hub.send(turned)
        assert inbox.recv(4096)[0] == 6


def test_targets_outside_are_named_for_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    class Nowhere:
        def __init__(self, *_: object) -> None:
            raise OSError(101, "Network is unreachable")

    monkeypatch.setattr("tracking.streams.outlets.socket.socket", Nowhere)
    streams: list[StreamSettings] = [
        VmcStream(on=True, name="Studio", target="192.0.2.1"),
        VmcStream(on=False, target="192.0.2.2"),
        VTubeStudioStream(on=True, listen_on="0.0.0.0"),
        LiveLinkStream(on=True),
    ]
    with StreamHub(streams) as hub:
        assert hub.targets_outside == ("Studio: 192.0.2.1:39539", "VTube Studio: 0.0.0.0:21412")
        assert [s.outside for s in hub.status()] == [True, True, True, False]
        deadline = time.monotonic() + 5.0
        while hub.status()[0].problem is None and time.monotonic() < deadline:
            time.sleep(0.01)
        assert hub.status()[0].problem == "192.0.2.1:39539 cannot be reached: check the address and the network."


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (13, "does not allow the port"),
        (99, "has no address"),
        (101, "cannot be reached"),
        (5, "failed (Input/output error)"),
    ],
)
def test_every_refusal_of_the_system_is_a_sentence(number: int, said: str) -> None:
    import os

    sentence = outlets.bind_problem(OSError(number, os.strerror(number)), "10.0.0.1:80")
    assert said in sentence and sentence.endswith(".")


@pytest.mark.parametrize(("number", "said"), [(11, "too slowly"), (105, "too slowly"), (1, "firewall")])
def test_every_failure_to_send_is_a_sentence(number: int, said: str) -> None:
    assert said in outlets.send_problem(OSError(number, "x"), "10.0.0.1:80")


def test_closing_takes_less_than_half_a_second_and_may_be_done_twice(turned: TrackedFace) -> None:
    hub = StreamHub([VmcStream(on=True), VTubeStudioStream(on=True)])
    hub.send(turned)
    start = time.monotonic()
    hub.close()
    assert time.monotonic() - start < 0.5
    hub.close()
    hub.send(turned)
    hub.configure([VmcStream(on=True)])
    assert not any(thread.name == "mien-streams" for thread in threading.enumerate())
