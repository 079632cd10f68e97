"""Receiving: each protocol there and back, lost streams, faults, and a phone that drives our avatar."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from math import radians
from typing import Literal

import numpy as np
import pytest
from pythonosc.osc_message_builder import OscMessageBuilder

from models.channels import CHANNEL_INDEX, channels_to_gaze, gaze_to_channels
from models.geometry.rotations import from_euler
from tests.helpers.tiny_model import tiny_model
from tests.helpers.tracked import tracked_face
from tracking.pipeline import Pipeline, PipelineState
from tracking.streams import (
    IFacialMocapStream,
    LiveLinkStream,
    StreamError,
    StreamHub,
    StreamSettings,
    VmcStream,
)
from tracking.streams.live_link import LiveLinkEncoder
from tracking.streams.receivers import (
    IFacialMocapReceiver,
    LiveLinkReceiver,
    ReceivedFace,
    Receiver,
    ReceiverSource,
    ReceiverTracking,
    VmcReceiver,
)
from tracking.streams.receivers.base import PacketError
from tracking.streams.receivers.ifacialmocap import IFacialMocapParser
from tracking.streams.receivers.live_link import LiveLinkParser
from tracking.streams.receivers.vmc import VmcParser
from tracking.streams.vmc import VmcEncoder
from tracking.streams.vrm import VRM0_PRESETS
from tracking.types import TrackedFace, TrackingState

Wait = Callable[[Callable[[], bool]], None]

pytestmark = pytest.mark.usefixtures("no_leaked_threads")


@pytest.fixture
def talking() -> TrackedFace:
    """A face that turns, tilts, looks and speaks, with the eyeLook* channels that belong to its gaze."""
    gaze = ((0.2, -0.1), (0.15, -0.1))
    channels = {"jawOpen": 0.5, "mouthSmileLeft": 0.75, "eyeBlinkRight": 0.25, "browInnerUp": 1.0, "mouthRight": 0.5}
    looks = gaze_to_channels(np.array(gaze))
    channels |= {name: float(looks[i]) for name, i in CHANNEL_INDEX.items() if looks[i] > 0}
    return tracked_face(
        tiny_model(), channels=channels, angles=(0.3, -0.2, 0.1), translation=(0.1, -0.05, 0.7), gaze=gaze
    )


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


class TestLiveLinkParser:
    def test_nobody_by_a_count_of_0_or_by_the_end(self, talking: TrackedFace) -> None:
        parser = LiveLinkParser()
        (packet,) = LiveLinkEncoder(LiveLinkStream(subject="S")).encode(talking)
        assert parser.feed(packet, 1).present
        for ending in (packet[:-245] + b"\0", packet[:-245]):
            lost = parser.feed(ending, 2)
            assert not lost.present and lost.subject == "S"
            assert lost.expression[CHANNEL_INDEX["jawOpen"]] == 0.5

    def test_values_beyond_their_range_are_limited(self) -> None:
        values = [2.0, -1.0, float("nan"), float("inf")] + [0.0] * 57
        packet = b"\x06\0\0\0\0\0\0\0\0" + bytes(16) + b"\x3d" + struct.pack(">61f", *values)
        face = LiveLinkParser().feed(packet, 0)
        assert face.expression[:4].tolist() == [1.0, 0.0, 0.0, 1.0]

    def test_without_eye_angles_the_channels_tell_the_gaze(self) -> None:
        values = [0.0] * 61
        values[CHANNEL_INDEX["eyeLookOutLeft"]] = 0.5
        packet = b"\x06\0\0\0\0\0\0\0\0" + bytes(16) + b"\x3d" + struct.pack(">61f", *values)
        face = LiveLinkParser().feed(packet, 0)
        np.testing.assert_allclose(face.gaze, channels_to_gaze(face.expression))
        assert face.gaze[0, 0] > 0.1

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"\x05" + bytes(300),
            b"\x06\x7f\xff\xff\xff",
            b"\x06\xff\xff\xff\xff" + bytes(40),
            b"\x06\0\0\0\x02\xff\xfe\0\0\0\0" + bytes(40),
            b"\x06\0\0\0\0\0\0\0\0" + bytes(4),
            b"\x06\0\0\0\0\0\0\0\0" + bytes(16) + b"\x3d" + bytes(100),
            b"\x06\0\0\0\0\0\0\0\0" + bytes(16) + b"\x3d" + bytes(245),
            b"\x06\0\0\0\0\0\0\0\0" + bytes(16) + b"\x3d" + bytes(240) + struct.pack(">f", float("nan")),
            b"\x06" + bytes(3000),
        ],
    )
    def test_malformed_packets_are_refused(self, data: bytes) -> None:
        with pytest.raises(PacketError):
            LiveLinkParser().feed(data, 0)


class TestIFacialMocapParser:
    def test_an_example_of_the_app(self) -> None:
        text = (
            b"mouthSmile_R-0|eyeLookOut_L-0|jawOpen-25|eyeBlink_R-7|browInnerUp&50|jawLeft-3|hapihapi-1|"
            b"=head#-21.488958,-6.038993,-6.6019735,-0.030653415,-0.10287084,-0.6584072|"
            b"rightEye#6.0297494,2.4403017,0.25649446|leftEye#6.034903,-1.6660284,-0.17520553|"
        )
        face = IFacialMocapParser().feed(text, 5)
        assert face is not None and face.present and face.received_ns == 5
        assert face.expression[CHANNEL_INDEX["jawOpen"]] == 0.25
        assert face.expression[CHANNEL_INDEX["browInnerUp"]] == 0.5
        assert face.expression[CHANNEL_INDEX["eyeBlinkRight"]] == pytest.approx(0.07)
        assert face.expression[CHANNEL_INDEX["jawLeft"]] == pytest.approx(0.03)
        expected = from_euler(radians(-6.038993), radians(-21.488958), radians(-6.6019735))
        np.testing.assert_allclose(face.rotation, expected, atol=1e-9)
        np.testing.assert_allclose(face.gaze[0], (radians(-1.6660284), radians(6.034903)), atol=1e-6)
        assert face.translation is not None and face.translation[2] == pytest.approx(0.6584072)

    def test_the_sender_may_say_that_it_sees_nobody(self) -> None:
        face = IFacialMocapParser().feed(b"jawOpen-0|trackingStatus-0|=head#0,0,0,0,0,0|", 0)
        assert face is not None and not face.present and face.translation is None

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"\xff\xfe",
            b"jawOpen-5|",
            b"=head#1,2,3,4,5,6|",
            b"jawOpen-5|=head#1,2|",
            b"jawOpen-5|=head#1,2,x|",
            b"jawOpen-5|=head#1,2,nan|",
            b"jawOpen-5|=head#1,2,inf,0,0,0|",
            b"jawOpen-x|=head#1,2,3|",
            b"|" * 5000,
            b"a" * 20000,
            b"iFacialMocap_sahuasouryya9218sauhuiayeta91555dy3719",
        ],
    )
    def test_malformed_packets_are_refused(self, data: bytes) -> None:
        with pytest.raises(PacketError):
            IFacialMocapParser().feed(data, 0)


def _osc(address: str, *arguments: float | str) -> bytes:
    builder = OscMessageBuilder(address)
    for argument in arguments:
        builder.add_arg(argument)
    return bytes(builder.build().dgram)


class TestVmcParser:
    def test_single_messages_count_when_they_are_applied(self) -> None:
        parser = VmcParser()
        assert parser.feed(_osc("/VMC/Ext/Blend/Val", "jawopen", 0.5), 1) is None
        assert parser.feed(_osc("/VMC/Ext/Bone/Pos", "Head", 0.0, 0.0, 0.0, 0.0, -0.1, 0.0, 0.995), 2) is not None
        face = parser.feed(_osc("/VMC/Ext/Blend/Apply"), 3)
        assert face is not None and face.expression[CHANNEL_INDEX["jawOpen"]] == 0.5
        assert face.rotation[0, 2] > 0.1  # to the subject's left

    def test_values_stay_until_others_come(self) -> None:
        parser = VmcParser()
        parser.feed(_osc("/VMC/Ext/Blend/Val", "JawOpen", 0.5), 1)
        parser.feed(_osc("/VMC/Ext/Blend/Apply"), 2)
        parser.feed(_osc("/VMC/Ext/Blend/Val", "CheekPuff", 1), 3)
        face = parser.feed(_osc("/VMC/Ext/Blend/Apply"), 4)
        assert face is not None
        assert face.expression[[CHANNEL_INDEX["jawOpen"], CHANNEL_INDEX["cheekPuff"]]].tolist() == [0.5, 1.0]

    @pytest.mark.parametrize("presets", ["vrm0", "vrm1"])
    def test_presets_stand_in_where_there_are_no_arkit_names(
        self, presets: Literal["vrm0", "vrm1"], talking: TrackedFace
    ) -> None:
        settings = VmcStream(arkit=False, presets=presets)
        face = VmcParser().feed(VmcEncoder(settings).encode(talking)[0], 0)
        assert face is not None
        assert face.expression[CHANNEL_INDEX["eyeBlinkRight"]] == pytest.approx(0.25)
        assert face.expression[CHANNEL_INDEX["jawOpen"]] > 0.3
        assert len(VRM0_PRESETS) == 11

    def test_one_blink_shuts_both_eyes(self) -> None:
        parser = VmcParser()
        parser.feed(_osc("/VMC/Ext/Blend/Val", "Blink", 1.0), 1)
        face = parser.feed(_osc("/VMC/Ext/Blend/Apply"), 2)
        assert face is not None
        assert face.expression[[CHANNEL_INDEX["eyeBlinkLeft"], CHANNEL_INDEX["eyeBlinkRight"]]].tolist() == [1.0, 1.0]

    def test_tracking_status_0_is_nobody(self, talking: TrackedFace) -> None:
        parser = VmcParser()
        held = replace(talking, state=TrackingState.HOLDING)
        face = parser.feed(VmcEncoder(VmcStream()).encode(held)[0], 0)
        assert face is not None and not face.present

    @pytest.mark.parametrize(
        "arguments",
        [
            ("Head", 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
            ("Head", 0.0, 0.0, 0.0, float("nan"), 0.0, 0.0, 1.0),
            ("Head", 0.0, 0.0, 0.0, 1e30, 0.0, 0.0, 1.0),
            ("Head", 0.0),
            ("Tail", 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0),
            (1, 2, 3, 4, 5, 6, 7, 8),
        ],
    )
    def test_bones_that_turn_nowhere_are_ignored(self, arguments: tuple[float | str, ...]) -> None:
        parser = VmcParser()
        parser.feed(_osc("/VMC/Ext/Bone/Pos", *arguments), 1)
        face = parser.feed(_osc("/VMC/Ext/Blend/Apply"), 2)
        assert face is not None
        np.testing.assert_array_equal(face.rotation, np.eye(3))

    @pytest.mark.parametrize("data", [b"", b"/VMC", _osc("/other/program", 1.0), b"#bundle\0" + bytes(8)])
    def test_what_is_not_vmc_is_refused(self, data: bytes) -> None:
        with pytest.raises(PacketError):
            VmcParser().feed(data, 0)


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


class _Scripted(LiveLinkReceiver):
    """A receiver without a network."""

    def __init__(self) -> None:
        super().__init__(0)

    def give(self, face: ReceivedFace) -> None:
        self._face = face


class TestDrivingAnAvatar:
    def _face(self, age_s: float = 0.0, present: bool = True) -> ReceivedFace:
        expression = np.zeros(52, np.float32)
        expression[CHANNEL_INDEX["jawOpen"]] = 1.0
        now = time.monotonic_ns() - int(age_s * 1e9)
        gaze = np.array([[0.1, 0.0], [0.1, 0.0]], np.float32)
        return ReceivedFace("phone", present, expression, from_euler(0.2, 0.0, 0.0), None, gaze, now)

    def test_a_received_face_poses_the_mean_head(self) -> None:
        receiver, model = _Scripted(), tiny_model()
        tracking = ReceiverTracking(receiver, model)
        receiver.give(self._face())
        with ReceiverSource(receiver, size=(320, 240)) as source:
            frame = source.read()
            assert frame is not None and frame.image.shape == (240, 320, 3)
            face = tracking.process(frame)
        assert face.state is TrackingState.TRACKING and face.valid
        p = face.parameters
        assert p is not None and face.vertices is not None and face.normals is not None
        assert not p.identity.any() and p.translation.tolist() == [0.0, 0.0, 0.6]
        assert p.camera.width == 320
        posed = model.pose(p.identity, p.expression, p.gaze)
        np.testing.assert_array_equal(face.vertices, posed.vertices)
        # The eyeLook* channels follow from the gaze.
        np.testing.assert_allclose(channels_to_gaze(p.expression), p.gaze, atol=1e-6)
        assert [stage.name for stage in face.stages] == ["receive"]

    def test_a_lost_face_is_held_then_searched_for(self) -> None:
        receiver = _Scripted()
        tracking = ReceiverTracking(receiver, tiny_model())
        with ReceiverSource(receiver) as source:
            frame = source.read()
            assert frame is not None
            assert tracking.process(frame).state is TrackingState.SEARCHING
            receiver.give(self._face())
            assert tracking.process(frame).state is TrackingState.TRACKING
            receiver.give(self._face(present=False))
            held = tracking.process(frame)
            assert held.state is TrackingState.HOLDING and held.parameters is not None and held.raw is None
            time.sleep(0.55)
            gone = tracking.process(frame)
            assert gone.state is TrackingState.SEARCHING and gone.parameters is None and gone.vertices is None
            receiver.give(self._face())
            assert tracking.process(frame).state is TrackingState.TRACKING
            tracking.reset()
            receiver.give(self._face(age_s=2.0))
            assert tracking.process(frame).state is TrackingState.SEARCHING

    def test_through_the_pipeline_and_over_the_network(self, talking: TrackedFace, wait_until: Wait) -> None:
        receiver = LiveLinkReceiver(0)
        pipeline = Pipeline(ReceiverSource(receiver), ReceiverTracking(receiver, tiny_model()))
        with pipeline:
            wait_until(lambda: receiver.status().listening)
            wait_until(lambda: pipeline.status().state is PipelineState.NO_CAMERA)
            error = pipeline.status().error
            assert error is not None and "Nothing arrives at 127.0.0.1" in error.sentence
            with StreamHub([LiveLinkStream(on=True, port=receiver.port)]) as hub:

                def driven() -> bool:
                    hub.send(replace(talking))
                    time.sleep(0.01)
                    face = pipeline.latest()
                    return face is not None and face.valid

                wait_until(driven)
                face = pipeline.latest()
                assert face is not None and face.parameters is not None
                np.testing.assert_allclose(face.parameters.rotation, from_euler(0.3, -0.2, 0.1), atol=1e-6)
                assert pipeline.status().state is PipelineState.RUNNING

            def lost() -> bool:
                face = pipeline.latest()
                return face is not None and face.state is TrackingState.SEARCHING

            wait_until(lost)
            wait_until(lambda: "Nothing arrives" in str(pipeline.status().error))
        assert not receiver.status().listening
