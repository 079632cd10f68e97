"""The guided capture: each step is done by the right thing alone, and pauses, skips and limits hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.channels import CHANNEL_INDEX
from tests.helpers.faces import face_state
from tests.helpers.sitter import FPS, OBSERVED, PLAIN, REST, REST_PITCH, SHOWN, Sitter, grey
from tracking.capture_coverage import COLUMNS, ROWS, LightLevel, measure_light
from tracking.capture_guide import CROWDED, LIMIT_S, LOST, OVERDUE, SETTLE_S, CaptureGuide, GuideStatus, StepState
from tracking.capture_steps import STEPS, StepKind
from tracking.person_capture import CaptureError
from tracking.types import FaceObservation, FaceParameters, Image

NAMES = [step.name for step in STEPS]


class Person(Sitter):
    """Sits before a guide."""

    def __init__(self) -> None:
        super().__init__()
        self.guide = CaptureGuide()

    def see(
        self, parameters: FaceParameters | None, image: Image = PLAIN, observed: FaceObservation = OBSERVED
    ) -> GuideStatus:
        return self.guide.add(self.face(parameters, image, observed))

    def show(self, name: str, seconds: float) -> GuideStatus:
        """Do what belongs to a step for a while."""
        status = self.guide.status()
        for n in range(round(seconds * FPS)):
            status = self.guide.add(self.doing(name, n))
        return status

    def lead_to(self, name: str) -> None:
        """Rest, then skip to a step."""
        self.show("rest", SETTLE_S + 3.0)
        while self.guide.status().step is not STEPS[NAMES.index(name)]:
            self.guide.skip()


def state_of(status: GuideStatus, name: str) -> StepState:
    return status.states[NAMES.index(name)]


def test_who_follows_is_through_in_about_two_minutes() -> None:
    person = Person()
    seen = []
    while (step := person.guide.status().step) is not None:
        seen.append(step.name)
        person.show("rest", 4.5)  # to read it
        while person.guide.status().step is step and person.time_s < 300:
            person.show(step.name, 0.2)
    status = person.guide.status()
    assert seen == NAMES and status.done == len(STEPS) and not status.missing
    assert 50 < person.time_s < 150
    assert min(share for _, share in status.coverage.expressions) == 1.0
    directions = np.array(status.coverage.directions)
    assert directions.shape == (ROWS, COLUMNS)
    assert directions[1].min() < 1 and directions[[1, 1, 1, 0, 2], [0, 2, 4, 2, 2]].min() == 1
    report = person.guide.capture.check()
    assert report.usable == status.usable > person.pictures - 3
    assert len(person.guide.capture.frames()) > 8


@pytest.mark.parametrize("due", [name for name in NAMES if name != "rest"])
def test_a_step_is_done_by_the_right_thing_alone(due: str) -> None:
    person = Person()
    person.lead_to(due)
    person.show("rest", SETTLE_S + 0.2)
    for other in NAMES:
        # An open mouth that stays open is no speech; one that opens and closes all the time is both.
        if other == due or (due, other) == ("jaw", "sentence"):
            continue
        status = person.show(other, 2.2 if due == "sentence" else 3.2)
        assert state_of(status, due) is StepState.CURRENT, f"{other} is not {due}"
        if due == "sentence":
            person.show("rest", 4.0)
    status = person.show(due, 5.0)
    assert state_of(status, due) is StepState.DONE


def test_the_other_side_is_told() -> None:
    person = Person()
    person.lead_to("left")
    assert "other side" in person.show("right", SETTLE_S + 1).hint
    person.guide.skip()
    person.guide.skip()
    assert "raise your chin" in person.show("down", SETTLE_S + 1).hint
    person.guide.skip()
    assert "lower your chin" in person.show("up", SETTLE_S + 1).hint
    person.guide.skip()
    assert "to the camera" in person.show("left", SETTLE_S + 1).hint


@pytest.mark.parametrize(
    ("shown", "word"), [("jaw", "Close your mouth"), ("shut", "Open your eyes"), ("smile", "Do not smile")]
)
def test_a_face_that_does_not_rest_is_no_neutral(shown: str, word: str) -> None:
    person = Person()
    status = person.show(shown, SETTLE_S + 3.0)
    assert word in status.hint and state_of(status, "rest") is StepState.CURRENT
    assert state_of(person.show("rest", 5.0), "rest") is StepState.DONE


def test_a_moving_head_is_no_neutral() -> None:
    person = Person()
    person.show("rest", SETTLE_S + 0.1)
    for n in range(round(3 * FPS)):
        status = person.see(person.state(yaw=0.3 * np.sin(n / 3)))
    assert "still" in status.hint and state_of(status, "rest") is StepState.CURRENT


def test_holding_is_asked_for_and_shown() -> None:
    person = Person()
    person.lead_to("smile")
    person.show("rest", SETTLE_S + 0.1)
    assert person.guide.status().progress == pytest.approx(0.0, abs=0.05)
    half = person.see(face_state({**REST, "mouthSmileLeft": 0.16, "mouthSmileRight": 0.16}, pitch=REST_PITCH))
    assert half.progress == pytest.approx(0.25, abs=0.02)
    person.show("smile", 1.0)
    assert 0.6 < person.guide.status().progress < 0.9
    # Trembling below what is enough does not undo it, letting go does.
    for _ in range(5):
        person.see(face_state({**REST, "mouthSmileLeft": 0.28, "mouthSmileRight": 0.28}, pitch=REST_PITCH))
    assert person.guide.status().progress > 0.7
    assert person.show("rest", 2.0).progress < 0.05
    assert state_of(person.show("smile", 2.8), "smile") is StepState.DONE


def test_a_lost_face_pauses_and_goes_on() -> None:
    person = Person()
    person.lead_to("smile")
    person.show("smile", SETTLE_S + 1.0)
    before = person.guide.status()
    for _ in range(round(30 * FPS)):
        status = person.see(None)
    assert status.paused == LOST and status.coverage.here is None
    assert status.progress == before.progress and not status.overdue and status.seconds == before.seconds
    assert person.show("smile", 0.1).paused == ""
    assert state_of(person.show("smile", 1.7), "smile") is StepState.DONE


def test_one_missed_picture_does_not_pause() -> None:
    person = Person()
    person.show("rest", 1.0)
    assert person.see(None).paused == ""


def test_too_small_or_dark_a_face_pauses() -> None:
    person = Person()
    person.lead_to("smile")
    far = replace(OBSERVED, box=np.array([100, 100, 140, 140], np.float32))
    for _ in range(40):
        status = person.see(person.state(SHOWN["smile"]), observed=far)
    assert "come nearer" in status.paused and status.progress == 0
    for _ in range(40):
        status = person.see(person.state(SHOWN["smile"]), image=grey(10))
    assert "too dark" in status.paused
    assert status.coverage.light is not None and status.coverage.light.level is LightLevel.UNUSABLE


def test_somebody_else_in_the_picture_is_told() -> None:
    person = Person()
    person.show("rest", 1.0)
    other = replace(OBSERVED, box=np.array([150, 40, 195, 140], np.float32))
    person.guide.add_look([OBSERVED, other], OBSERVED)
    assert person.show("rest", 0.2).hint == CROWDED
    person.guide.add_look([OBSERVED], OBSERVED)
    assert person.show("rest", 0.2).hint == ""


def test_skip_and_back() -> None:
    person = Person()
    person.lead_to("left")
    person.show("left", SETTLE_S + 3.0)
    assert person.guide.status().step is STEPS[2]
    person.guide.back()
    again = person.guide.status()
    assert again.step is STEPS[1] and state_of(again, "left") is StepState.CURRENT and again.progress == 0
    person.guide.skip()
    assert state_of(person.guide.status(), "left") is StepState.DONE, "what was done before stays done"
    person.guide.skip()
    assert state_of(person.guide.status(), "right") is StepState.SKIPPED
    for _ in range(20):
        person.guide.back()
    assert person.guide.status().step is STEPS[0]
    person.guide.skip()
    assert person.guide.status().step is STEPS[2], "the next that is not done"


def test_finishing_early_says_what_is_missing_and_back_goes_on() -> None:
    person = Person()
    person.lead_to("smile")
    person.show("smile", SETTLE_S + 3.0)
    person.guide.finish()
    status = person.guide.status()
    assert status.step is None and person.guide.over
    assert [step.name for step in status.missing] == [n for n in NAMES if n not in ("rest", "smile")]
    usable = status.usable
    assert person.show("brows", 4.0).usable == usable, "nothing is taken any more"
    person.guide.back()
    assert person.guide.status().step is STEPS[-1]
    assert state_of(person.show("sentence", 6.0), "sentence") is StepState.DONE
    assert person.guide.over


def test_skipping_is_suggested_after_a_while() -> None:
    person = Person()
    person.lead_to("sneer")
    status = person.show("rest", SETTLE_S + LIMIT_S - 1)
    assert not status.overdue and status.hint == ""
    status = person.show("rest", 2.0)
    assert status.overdue and status.hint == OVERDUE and state_of(status, "sneer") is StepState.CURRENT
    person.guide.skip()
    assert not person.guide.status().overdue


def test_without_the_first_step_the_calmest_face_serves() -> None:
    person = Person()
    person.show("rest", 1.0)
    person.guide.skip()
    while person.guide.status().step is not STEPS[NAMES.index("sneer")]:
        person.guide.skip()
    # At rest this nose reads 0.2 already.
    assert state_of(person.show("rest", 6.0), "sneer") is StepState.CURRENT
    assert state_of(person.show("sneer", 3.5), "sneer") is StepState.DONE


def test_a_clip_that_starts_over_does_not_count_backwards() -> None:
    person = Person()
    person.lead_to("smile")
    person.show("smile", SETTLE_S + 1.0)
    seconds = person.guide.status().seconds
    person.time_s = 0.0
    assert seconds <= person.see(person.state(SHOWN["smile"])).seconds < seconds + 0.2
    assert state_of(person.show("smile", 2.0), "smile") is StepState.DONE


def test_nothing_seen_makes_nothing() -> None:
    guide = CaptureGuide()
    while not guide.over:
        guide.skip()
    with pytest.raises(CaptureError, match="no picture"):
        guide.capture.check()


def test_light_from_one_side_names_the_side() -> None:
    picture = grey()
    picture[:, :100] = picture[:, :100] // 3
    # The subject's right is on the picture's left.
    light = measure_light(picture, OBSERVED)
    assert light.imbalance > 0.4 and "right side is in the shade" in light.advice
    light = measure_light(np.ascontiguousarray(picture[:, ::-1]), OBSERVED)
    assert light.imbalance < -0.4 and "left side is in the shade" in light.advice
    white = grey()
    white[50:80, 60:110] = 255
    assert "overexposed" in measure_light(white, OBSERVED).advice
    assert "dark" in measure_light(grey(35), OBSERVED).advice
    assert measure_light(grey(), OBSERVED).level is LightLevel.GOOD
    outside = replace(OBSERVED, box=np.array([-90, -90, -20, -20], np.float32))
    assert measure_light(grey(), outside).level is LightLevel.UNUSABLE


def test_every_channel_of_a_step_exists() -> None:
    for step in STEPS:
        assert (step.kind is StepKind.EXPRESSION) == bool(step.channels)
        assert all(name in CHANNEL_INDEX for group in step.channels for name in group)
        assert step.instruction.rstrip("”").endswith(".")
