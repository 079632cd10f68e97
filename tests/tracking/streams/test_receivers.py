"""Receiving: each protocol there and back, lost streams, faults."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from models.geometry.rotations import from_euler
from tracking.streams import IFacialMocapStream, LiveLinkStream, StreamError, StreamHub, StreamSettings, VmcStream
from tracking.streams.live_link import LiveLinkEncoder
from tracking.streams.receivers import IFacialMocapReceiver, LiveLinkReceiver, Receiver, VmcReceiver
from tracking.types import TrackedFace

Wait = Callable[[Callable[[], bool]], None]
pytestmark = pytest.mark.usefixtures("no_leaked_threads")


@contextmanager
def _opened(receiver: Receiver) -> Iterator[Receiver]:
    with receiver:
        deadline = time.monotonic() + 5.0
        while not receiver.status().listening and time.monotonic() < deadline:
            time.sleep(0.005)
        yield receiver


def _stream(receiver: Receiver) -> StreamSettings:
    if isinstance(receiver, VmcReceiver):
        return VmcStream(on=True, port=receiver.port)
    if isinstance(receiver, LiveLinkReceiver):
        return LiveLinkStream(on=True, port=receiver.port, subject="Mona")
    return IFacialMocapStream(on=True, port=receiver.port)


@pytest.mark.parametrize("kind", [VmcReceiver, LiveLinkReceiver, IFacialMocapReceiver])
def test_what_is_sent_is_received(kind: Callable[[int], Receiver], talking: TrackedFace, wait_until: Wait) -> None:
    with _opened(kind(0)) as receiver, StreamHub([_stream(receiver)]) as hub:
        hub.send(talking)
        wait_until(lambda: receiver.latest() is not None)
        face = receiver.latest()
        assert face is not None and face.present and talking.parameters is not None
        # iFacialMocap sends whole hundredths and thousandths of degrees.
        np.testing.assert_allclose(face.expression, talking.parameters.expression, atol=0.006)
        np.testing.assert_allclose(face.rotation, from_euler(0.3, -0.2, 0.1), atol=2e-5)
        np.testing.assert_allclose(face.gaze, talking.parameters.gaze, atol=2e-5)
        assert face.subject == ("Mona" if kind is LiveLinkReceiver else "")
        if kind is IFacialMocapReceiver:
            assert face.translation is not None
            np.testing.assert_allclose(face.translation, (0.1, -0.05, 0.7), atol=1e-4)
        status = receiver.status()
        assert status.packets >= 1 and status.malformed == 0 and status.problem is None
        assert status.sender == "127.0.0.1"


def test_the_phone_is_asked_until_it_answers(
    talking: TrackedFace, free_port: Callable[[], int], wait_until: Wait
) -> None:
    phone_port = free_port()
    with _opened(IFacialMocapReceiver(0, phone="127.0.0.1", phone_port=phone_port)) as receiver:
        time.sleep(0.2)  # the phone is not there yet: nothing bad happens
        stream = IFacialMocapStream(on=True, wait_for_request=True, listen_port=phone_port, port=receiver.port)
        with StreamHub([stream]) as hub:

            def arrived() -> bool:
                hub.send(replace(talking))
                time.sleep(0.02)
                return receiver.latest() is not None

            wait_until(arrived)
            assert hub.status()[0].clients == (f"127.0.0.1:{receiver.port}",)


@pytest.mark.parametrize("phone", ["phone.local", "0.0.0.0", "::1"])
def test_an_address_that_cannot_be_the_phones_is_refused(phone: str) -> None:
    with pytest.raises(StreamError):
        IFacialMocapReceiver(0, phone=phone)


@pytest.mark.parametrize(("port", "bind"), [(-1, "127.0.0.1"), (70000, "127.0.0.1"), (0, "here")])
def test_a_port_or_address_that_cannot_be_is_refused(port: int, bind: str) -> None:
    with pytest.raises(StreamError):
        VmcReceiver(port, bind)


class TestFaults:
    def test_a_port_in_use_is_told_and_taken_when_it_is_free(
        self, free_port: Callable[[], int], wait_until: Wait
    ) -> None:
        port = free_port()
        occupant = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        occupant.bind(("127.0.0.1", port))
        with LiveLinkReceiver(port) as receiver:
            wait_until(lambda: "is in use by another program" in str(receiver.status().problem))
            assert not receiver.status().listening
            occupant.close()
            wait_until(lambda: receiver.status().listening)
            assert "Nothing arrives at" in str(receiver.status().problem)

    def test_another_protocol_is_told(self, wait_until: Wait) -> None:
        with (
            _opened(LiveLinkReceiver(0)) as receiver,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
        ):
            sender.sendto(b"hello", ("127.0.0.1", receiver.port))
            wait_until(lambda: receiver.status().malformed == 1)
            assert receiver.status().problem == (
                f"What arrives at 127.0.0.1:{receiver.port} is not Live Link Face: check what the sender is set to."
            )
            assert receiver.latest() is None

    def test_a_flood_is_told_and_costs_nothing(self, talking: TrackedFace, wait_until: Wait) -> None:
        (packet,) = LiveLinkEncoder(LiveLinkStream()).encode(talking)
        with _opened(LiveLinkReceiver(0)) as receiver:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                deadline = time.monotonic() + 5.0
                while receiver.status().ignored == 0 and time.monotonic() < deadline:
                    for _ in range(200):
                        sender.sendto(packet, ("127.0.0.1", receiver.port))
            assert "Packets flood in at" in str(receiver.status().problem)
            assert receiver.latest() is not None
            assert receiver.status().packets <= 1000 * 6

    def test_large_packets_are_a_flood_sooner(self) -> None:
        receiver = VmcReceiver(0)
        for n in range(40):
            receiver.accept(bytes(60_000), "10.0.0.1", 10**12 + n)
        assert receiver.status().ignored == 40 - 1_000_000 // 60_000

    def test_of_two_senders_the_first_is_kept(self, talking: TrackedFace) -> None:
        (packet,) = LiveLinkEncoder(LiveLinkStream(subject="first")).encode(talking)
        (other,) = LiveLinkEncoder(LiveLinkStream(subject="second")).encode(talking)
        receiver = LiveLinkReceiver(0)
        now = time.monotonic_ns()
        receiver.accept(packet, "10.0.0.1", now)
        receiver.accept(other, "10.0.0.2", now + 1)
        face = receiver.latest()
        assert face is not None and face.subject == "first"
        assert "A second sender, 10.0.0.2, is ignored" in str(receiver.status().problem)
        receiver.accept(other, "10.0.0.2", now + 600_000_000)  # the first has gone
        face = receiver.latest()
        assert face is not None and face.subject == "second"

    def test_who_sends_nonsense_does_not_shut_others_out(self, talking: TrackedFace) -> None:
        (packet,) = LiveLinkEncoder(LiveLinkStream()).encode(talking)
        receiver = LiveLinkReceiver(0)
        receiver.accept(b"nonsense", "10.0.0.9", 1)
        receiver.accept(packet, "10.0.0.1", 2)
        assert receiver.latest() is not None

    def test_closing_is_quick_and_may_be_done_twice(self) -> None:
        receiver = VmcReceiver(0)
        receiver.start()
        receiver.start()
        start = time.monotonic()
        receiver.close()
        receiver.close()
        assert time.monotonic() - start < 0.5
        assert not receiver.status().listening
