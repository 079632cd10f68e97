"""VMC on the wire, and the VRM presets that it carries."""

from __future__ import annotations

import struct
from math import cos, radians, sin

import numpy as np
import pytest
from pythonosc.osc_bundle import OscBundle

from models.channels import ARKIT_CHANNELS, CHANNEL_COUNT
from models.geometry.rotations import from_euler, from_quaternion
from tests.helpers.tiny_model import tiny_model
from tests.helpers.tracked import tracked_face
from tracking.streams.base import MTU_BYTES
from tracking.streams.settings import VmcStream
from tracking.streams.vmc import VmcEncoder, from_unity
from tracking.streams.vrm import VRM0_PRESETS, VRM1_PRESETS, to_presets
from tracking.types import TrackedFace

Sent = list[tuple[str, list[object]]]


def _vmc(settings: VmcStream, face: TrackedFace, divided: bool = False) -> Sent:
    packets = VmcEncoder(settings, divided).encode(face)
    return [(m.address, list(m.params)) for packet in packets for m in OscBundle(packet)]


def _bones(sent: Sent) -> dict[str, list[float]]:
    return {str(p[0]): [float(str(v)) for v in p[1:]] for address, p in sent if address == "/VMC/Ext/Bone/Pos"}


def _blends(sent: Sent) -> dict[str, float]:
    return {str(p[0]): float(str(p[1])) for address, p in sent if address == "/VMC/Ext/Blend/Val"}


class TestVmc:
    def test_golden_bytes(self, turned: TrackedFace) -> None:
        settings = VmcStream(arkit=False, presets="none", root=False, neck_share=0.0)
        (packet,) = VmcEncoder(settings).encode(turned)
        half, eye = radians(10.0), float(np.float32(radians(10.0))) / 2

        def bone(name: bytes, *values: float) -> bytes:
            return b"/VMC/Ext/Bone/Pos\0\0\0,sfffffff\0\0\0" + name + struct.pack(">7f", *values)

        messages = [
            b"/VMC/Ext/OK\0,iiii\0\0\0" + struct.pack(">4i", 1, 3, 0, 1),
            b"/VMC/Ext/T\0\0,f\0\0" + struct.pack(">f", 2.5),
            bone(b"Neck\0\0\0\0", 0.0, 0.11, -0.01, 0.0, -0.0, -0.0, 1.0),
            bone(b"Head\0\0\0\0", 0.0, 0.08, 0.01, 0.0, -sin(half), -0.0, cos(half)),
            bone(b"LeftEye\0", -0.03, 0.06, 0.05, sin(eye), -0.0, 0.0, cos(eye)),
            bone(b"RightEye\0\0\0\0", 0.03, 0.06, 0.05, sin(eye), -0.0, 0.0, cos(eye)),
        ]
        expected = b"#bundle\0" + struct.pack(">Q", 1) + b"".join(struct.pack(">i", len(m)) + m for m in messages)
        assert packet == expected

    def test_a_turn_to_the_left_is_a_negative_turn_about_unitys_y(self, turned: TrackedFace) -> None:
        bones = _bones(_vmc(VmcStream(), turned))
        neck, head = (from_quaternion(from_unity(*bones[b][3:])) for b in ("Neck", "Head"))
        np.testing.assert_allclose(neck @ head, from_euler(radians(20.0), 0.0, 0.0), atol=1e-6)
        assert bones["Head"][4] < -0.1 and bones["Neck"][4] < -0.05
        assert bones["LeftEye"][3] == pytest.approx(sin(radians(5.0)))  # positive about Unity's x: down

    @pytest.mark.parametrize(
        ("angles", "axis", "sign"), [((0.3, 0.0, 0.0), 1, -1), ((0.0, 0.3, 0.0), 0, 1), ((0.0, 0.0, 0.3), 2, -1)]
    )
    def test_each_axis_has_unitys_sign(self, angles: tuple[float, float, float], axis: int, sign: int) -> None:
        face = tracked_face(tiny_model(), angles=angles)
        head = _bones(_vmc(VmcStream(neck_share=0.0), face))["Head"][3:]
        assert head[axis] == pytest.approx(sign * sin(0.15), abs=1e-6)

    def test_names_by_choice(self, turned: TrackedFace) -> None:
        both = _blends(_vmc(VmcStream(), turned))
        assert len(both) == CHANNEL_COUNT + len(VRM0_PRESETS)
        assert both["JawOpen"] == 0.5 and both["EyeBlinkLeft"] == 1.0 and both["Blink_L"] == 1.0
        assert both["Blink_R"] == 0.0
        camel = _blends(_vmc(VmcStream(arkit_case="camel", presets="none"), turned))
        assert list(camel) == list(ARKIT_CHANNELS)
        assert tuple(_blends(_vmc(VmcStream(arkit=False, presets="vrm1"), turned))) == VRM1_PRESETS

    def test_everything_is_one_bundle_here_and_fits_the_network_elsewhere(self, turned: TrackedFace) -> None:
        assert len(VmcEncoder(VmcStream()).encode(turned)) == 1
        parts = VmcEncoder(VmcStream(), divided=True).encode(turned)
        assert len(parts) > 1 and all(len(part) <= MTU_BYTES for part in parts)
        whole, divided = _vmc(VmcStream(), turned), _vmc(VmcStream(), turned, divided=True)
        assert whole == divided
        assert whole[-1] == ("/VMC/Ext/Blend/Apply", [])

    def test_the_52_alone_have_the_length_that_is_known(self, turned: TrackedFace) -> None:
        settings = VmcStream(presets="none", bones=False, root=False)
        (packet,) = VmcEncoder(settings).encode(turned)
        other = 4 + len(b"/VMC/Ext/OK\0,iiii\0\0\0") + 16 + 4 + len(b"/VMC/Ext/T\0\0,f\0\0") + 4
        assert len(packet) - other in range(2400, 2900)

    def test_nobody_is_tracking_status_0_without_values(self, nobody: TrackedFace) -> None:
        assert _vmc(VmcStream(), nobody) == [("/VMC/Ext/OK", [1, 3, 0, 0]), ("/VMC/Ext/T", [2.5])]

    def test_a_face_just_lost_is_held_with_tracking_status_0(self, held: TrackedFace) -> None:
        sent = _vmc(VmcStream(), held)
        assert sent[0] == ("/VMC/Ext/OK", [1, 3, 0, 0])
        assert _blends(sent)["JawOpen"] == 0.5

    def test_the_jaw_bone_opens_downwards(self, turned: TrackedFace) -> None:
        assert _bones(_vmc(VmcStream(jaw=True), turned))["Jaw"][3] == pytest.approx(sin(0.35 * 0.5 / 2))


class TestVrm:
    def test_vowels_never_overshoot(self) -> None:
        rng = np.random.default_rng(0)
        for _ in range(500):
            values = to_presets(rng.random(CHANNEL_COUNT))
            assert min(values) >= 0.0 and max(values) <= 1.0
            assert sum(values[:5]) <= 1.0 + 1e-9

    @pytest.mark.parametrize(
        ("channels", "preset"),
        [
            ({"jawOpen": 0.7}, "A"),
            ({"mouthStretchLeft": 1.0, "mouthStretchRight": 1.0}, "I"),
            ({"mouthPucker": 1.0}, "U"),
            ({"jawOpen": 0.7, "mouthStretchLeft": 1.0, "mouthStretchRight": 1.0}, "E"),
            ({"jawOpen": 0.7, "mouthFunnel": 1.0}, "O"),
            ({"mouthSmileLeft": 1.0, "mouthSmileRight": 1.0}, "Joy"),
            ({"browDownLeft": 1.0, "browDownRight": 1.0}, "Angry"),
            ({"mouthFrownLeft": 1.0, "mouthFrownRight": 1.0}, "Sorrow"),
            ({"cheekSquintLeft": 1.0, "cheekSquintRight": 1.0}, "Fun"),
            ({"eyeBlinkRight": 1.0}, "Blink_R"),
        ],
    )
    def test_each_has_its_face(self, channels: dict[str, float], preset: str) -> None:
        face = tracked_face(tiny_model(), channels=channels)
        assert face.parameters is not None
        values = dict(zip(VRM0_PRESETS, to_presets(face.parameters.expression), strict=True))
        assert values.pop(preset) == pytest.approx(1.0)
        assert preset == "Joy" or max(values.values()) == pytest.approx(0.0, abs=1e-6)
