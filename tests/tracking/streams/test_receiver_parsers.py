"""What the packets of each protocol mean, and those that mean nothing."""

from __future__ import annotations

import struct
from dataclasses import replace
from math import radians
from typing import Literal

import numpy as np
import pytest
from pythonosc.osc_message_builder import OscMessageBuilder

from models.channels import CHANNEL_INDEX, channels_to_gaze
from models.geometry.rotations import from_euler
from tracking.streams import LiveLinkStream, VmcStream
from tracking.streams.live_link import LiveLinkEncoder
from tracking.streams.receivers.base import PacketError
from tracking.streams.receivers.ifacialmocap import IFacialMocapParser
from tracking.streams.receivers.live_link import LiveLinkParser
from tracking.streams.receivers.vmc import VmcParser
from tracking.streams.vmc import VmcEncoder
from tracking.streams.vrm import VRM0_PRESETS
from tracking.types import TrackedFace, TrackingState


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
