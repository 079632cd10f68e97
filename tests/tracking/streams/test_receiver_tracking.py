"""A phone that drives our avatar."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from models.channels import CHANNEL_INDEX, channels_to_gaze
from models.geometry.rotations import from_euler
from tests.helpers.tiny_model import tiny_model
from tracking.pipeline import Pipeline, PipelineState
from tracking.streams import LiveLinkStream, StreamHub
from tracking.streams.receivers import LiveLinkReceiver, ReceivedFace, ReceiverSource, ReceiverTracking
from tracking.types import TrackedFace, TrackingState

Wait = Callable[[Callable[[], bool]], None]

pytestmark = pytest.mark.usefixtures("no_leaked_threads")


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
