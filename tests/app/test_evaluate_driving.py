"""`evaluate driving`: the script comes back from the pictures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.avatar_store import AvatarStore
from app.evaluation.driving import FPS, GROUPS, LEAST_SPREAD, evaluate_driving, make_script
from app.live.avatars import load_subject
from models.channels import CHANNEL_INDEX
from models.face_model import load_face_model
from tests.app.conftest import Run

pytestmark = pytest.mark.gl


def test_the_script_exercises_every_group() -> None:
    script = make_script()
    for channels in GROUPS.values():
        values = script.expression[:, [CHANNEL_INDEX[name] for name in channels]].mean(axis=1)
        assert values.std() > LEAST_SPREAD and values.max() > 0.85
    assert (script.angles.std(axis=0) > LEAST_SPREAD).all() and script.gaze.std() > LEAST_SPREAD
    assert not script.expression[: int(FPS)].any(), "it begins at rest"


def test_a_person_that_ships_does_what_drives_it(tmp_path: Path) -> None:
    """The jaw and the head, in a few seconds; the command does all of it."""
    script = make_script()
    jaw = script.expression[:, CHANNEL_INDEX["jawOpen"]] > 0
    head = np.abs(script.angles[:, 0]) > 0
    rows = np.flatnonzero(jaw | head | (np.arange(len(script)) < FPS))
    short = replace(script, expression=script.expression[rows], angles=script.angles[rows], gaze=script.gaze[rows])
    subject, _ = load_subject(AvatarStore(tmp_path).find("Mei"))
    scores, pictures, seen = evaluate_driving(subject, load_face_model(), script=short)
    assert pictures == len(rows) and seen > 0.95 * pictures
    by_name = {score.name: score for score in scores}
    for name in ("jaw open", "head yaw"):
        found = by_name[name]
        assert found.correlation is not None and found.correlation > 0.9 and 0.6 < found.gain < 1.4
    assert by_name["smile"].correlation is None, "what the script does not move says nothing"


@pytest.mark.slow
def test_the_command(run: Run, tmp_path: Path) -> None:
    result = run("evaluate", "driving", "Mei", "--out", tmp_path)
    assert result.status == 0 and "groups correlate 0.9 or better" in result.out
    report = json.loads((tmp_path / "driving.json").read_text())
    assert len(report["groups"]) == len(GROUPS) + 4 and report["seen"] > 0.95 * report["pictures"]


def test_there_is_no_such_avatar(run: Run) -> None:
    result = run("evaluate", "driving", "Nobody")
    assert result.status == 2 and "There is no avatar called 'Nobody'" in result.err
