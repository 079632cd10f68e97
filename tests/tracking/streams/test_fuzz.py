"""10,000 hostile packets for each receiver: no exception, no growth, and good packets still understood."""

from __future__ import annotations

import random
import struct
import tracemalloc
from collections.abc import Callable
from math import isfinite

import numpy as np
import pytest

from tests.helpers.tiny_model import tiny_model
from tests.helpers.tracked import tracked_face
from tracking.streams import IFacialMocapStream, LiveLinkStream, VmcStream
from tracking.streams.ifacialmocap import START_REQUEST, IFacialMocapEncoder
from tracking.streams.live_link import LiveLinkEncoder
from tracking.streams.receivers import IFacialMocapReceiver, LiveLinkReceiver, ReceivedFace, Receiver, VmcReceiver
from tracking.streams.vmc import VmcEncoder
from tracking.streams.vtube_studio import parse_request

PACKETS = 10_000


def _valid(kind: type[Receiver]) -> list[bytes]:
    face = tracked_face(tiny_model(), channels={"jawOpen": 0.5, "eyeBlinkLeft": 1.0}, angles=(0.2, 0.1, -0.1))
    if kind is VmcReceiver:
        whole = VmcEncoder(VmcStream()).encode(face)
        return whole + VmcEncoder(VmcStream(presets="vrm1", arkit=False), divided=True).encode(face)
    if kind is LiveLinkReceiver:
        return LiveLinkEncoder(LiveLinkStream()).encode(face)
    return [IFacialMocapEncoder(IFacialMocapStream(), version).encode(face)[0] for version in (1, 2)]


def _mutations(valid: list[bytes], rng: random.Random) -> Callable[[], bytes]:
    hostile = [struct.pack(">f", v) for v in (float("nan"), float("inf"), -float("inf"), 3e38)]
    hostile += [b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff", b"\x80\0\0\0", b"\0" * 8, b"#bundle\0", b"/" * 9, b"|=head#"]
    hostile += [b",ffffffff\0", b"-&#,|", b"nan", b"1e999", b"\xc3\x28", START_REQUEST[:20]]

    def make() -> bytes:
        data = bytearray(rng.choice(valid))
        for _ in range(rng.randint(1, 6)):
            place = rng.randrange(len(data) + 1)
            match rng.randrange(7):
                case 0 if data:
                    data[rng.randrange(len(data))] = rng.randrange(256)
                case 1:
                    del data[place:]
                case 2:
                    piece = rng.choice(hostile)
                    data[place : place + len(piece)] = piece
                case 3:
                    data[place:place] = rng.randbytes(rng.randrange(40))
                case 4:
                    del data[place : place + rng.randrange(60)]
                case 5:
                    end = place + rng.randrange(200)
                    data[place:place] = data[place:end]
                case _:
                    if rng.random() < 0.1:
                        data = bytearray(rng.randbytes(rng.randrange(1500)))
                    if rng.random() < 0.01:
                        data = bytearray(rng.randbytes(100) * 655)
        return bytes(data[:65507])

    return make


def _sane(face: ReceivedFace) -> bool:
    numbers = [*face.expression.tolist(), *face.gaze.ravel().tolist()]
    numbers += [] if face.translation is None else face.translation.tolist()
    limited = face.expression.min() >= 0.0 and face.expression.max() <= 1.0
    turned = float(np.abs(face.rotation @ face.rotation.T - np.eye(3)).max()) < 1e-5
    return all(map(isfinite, numbers)) and bool(limited) and turned


@pytest.mark.parametrize("kind", [VmcReceiver, LiveLinkReceiver, IFacialMocapReceiver])
def test_ten_thousand_malformed_packets(kind: type[Receiver], caplog: pytest.LogCaptureFixture) -> None:
    rng = random.Random(20240607)
    valid = _valid(kind)
    make = _mutations(valid, rng)
    packets = [make() for _ in range(PACKETS)]
    receiver = kind(0)
    now = 10**12
    for data in packets[:500]:  # warm up what is built once
        now += 20_000_000
        receiver.accept(data, "127.0.0.1", now)
    tracemalloc.start(1)
    before, _ = tracemalloc.get_traced_memory()
    last = None
    for data in packets:
        now += 20_000_000  # no flood
        receiver.accept(data, "127.0.0.1", now)
        face = receiver.latest()
        if face is not None and face is not last:
            last = face
            assert _sane(face)
    after, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 1_000_000
    assert peak - before < 3_000_000
    status = receiver.status()
    assert status.malformed > PACKETS // 4
    assert status.packets + status.malformed == PACKETS + 500
    assert not caplog.records  # a packet that the parser did not expect would be logged
    receiver.accept(valid[0], "127.0.0.1", now + 1)
    face = receiver.latest()
    assert face is not None and face.received_ns == now + 1 and face.present


def test_ten_thousand_requests_of_strangers() -> None:
    rng = random.Random(7)
    valid = [b'{"messageType":"iOSTrackingDataRequest","time":1,"sentBy":"x","ports":[11125,11126]}']
    make = _mutations(valid, rng)
    understood = 0
    for _ in range(PACKETS):
        request = parse_request(make())
        if request is not None:
            understood += 1
            assert 0.5 <= request.seconds <= 10.0 and all(1 <= port <= 65535 for port in request.ports)
    assert understood < PACKETS // 2
