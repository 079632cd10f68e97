"""`live`: a clip and a phone to other programs, and sentences for what cannot be."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.jobs.live import LiveRequest, run_live, stream_of
from tests.app.conftest import Run
from tracking.streams import LiveLinkStream, StreamError, StreamHub, VmcStream
from tracking.streams.receivers import IFacialMocapReceiver, LiveLinkReceiver, VmcReceiver
from tracking.streams.receivers.choose import receiver_of


class Listener:
    """Collects what arrives at a port of this machine."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.packets: list[bytes] = []
        self._over = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._over:
            packet = self._socket.recv(65536)
            if packet:
                self.packets.append(packet)

    def close(self) -> None:
        # A packet wakes the thread; closing alone would not.
        self._over = True
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join(1)
        self._socket.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    found = Listener()
    yield found
    found.close()


def test_a_clip_to_a_stream(run: Run, face_clip: Path, listener: Listener) -> None:
    result = run("live", "--input", face_clip, "--stream", f"vmc:{listener.port}")
    assert result.status == 0 and not result.err, result.err
    # How many come in time depends on how busy the machine is.
    assert "VMC:" in result.out and len(listener.packets) >= 2
    assert all(packet.startswith(b"#bundle\0") for packet in listener.packets)


def test_it_ends_when_it_is_told_to(listener: Listener, face_clip: Path) -> None:
    start = time.monotonic()
    stream = LiveLinkStream(on=True, port=listener.port)
    status = run_live(LiveRequest(str(face_clip), (stream,), loop=True, seconds=1.5))
    assert time.monotonic() - start < 15
    assert status.streams[0].packets > 0 and listener.packets[0][0] == 6


def test_a_phone_in_and_a_program_out(listener: Listener) -> None:
    """What another program sends as Live Link Face goes on as VMC."""
    from models.face_model import load_face_model
    from tests.helpers.tracked import tracked_face

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    face = tracked_face(load_face_model(), channels={"jawOpen": 0.75})
    over = threading.Event()

    def phone() -> None:
        with StreamHub((LiveLinkStream(on=True, port=port, rate=30),)) as hub:
            while not over.is_set():
                hub.send(replace(face))  # a new result each time
                time.sleep(0.03)

    sender = threading.Thread(target=phone, daemon=True)
    sender.start()
    try:
        out = VmcStream(on=True, port=listener.port, arkit_case="camel")
        status = run_live(LiveRequest(f"live_link:{port}", (out,), seconds=2))
    finally:
        over.set()
        sender.join(2)
    assert status.streams[0].packets > 0
    packet = next(p for p in listener.packets if b"jawOpen\0" in p)
    at = packet.index(b"jawOpen\0") + 8
    assert struct.unpack(">f", packet[at : at + 4])[0] == pytest.approx(0.75, abs=1e-3)


def test_sentences(run: Run, tmp_path: Path) -> None:
    for args, words in (
        (["--input", "demo"], "Nothing to send to"),
        (["--input", "demo", "--stream", "smoke"], "choose one of vmc"),
        (["--input", "demo", "--stream", "vmc@example.com"], "not a network address"),
        (["--input", "demo", "--stream", "vmc:99999"], "port cannot be used"),
        (["--input", "demo", "--virtual-camera", "--size", 1281, 721], "even"),
        (["--input", "live_link:x", "--stream", "vmc"], "no port"),
        (["--input", tmp_path / "none.mp4", "--stream", "vmc"], "check the name"),
    ):
        result = run("live", *args)
        assert result.status != 0 and words in result.err, (args, result.err)
        assert "Traceback" not in result.err and result.err.count("\n") == 1


def test_streams_and_receivers_by_name() -> None:
    assert stream_of("vmc") == VmcStream(on=True)
    assert stream_of("live_link@192.168.1.5:4000") == LiveLinkStream(on=True, target="192.168.1.5", port=4000)
    assert stream_of("vmc@[::1]:5000") == VmcStream(on=True, target="::1", port=5000)
    receivers = ("live_link", "vmc:4001", "ifacialmocap@0.0.0.0:4002+192.168.1.7")
    found = [receiver_of(spec) for spec in receivers]
    assert [type(r) for r in found] == [LiveLinkReceiver, VmcReceiver, IFacialMocapReceiver]
    assert [r.place for r in found if r is not None] == ["127.0.0.1:11111", "127.0.0.1:4001", "0.0.0.0:4002"]
    assert receiver_of("clip.mp4") is None and receiver_of("camera:0") is None
    with pytest.raises(StreamError, match="not a network address"):
        receiver_of("vmc@home")
