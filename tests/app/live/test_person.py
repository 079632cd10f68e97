"""The person in front of the camera in the window's tracking: in force once read, out again where the file is bad."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from app.avatar_store import LIBRARY
from app.live.director import Director
from app.live.models import Models
from app.live.person import TrackedPerson
from app.settings import Settings
from app.state.preferences import Preferences
from tracking import TrackerSettings


class Window:
    """A director without a window, whose session notes whom it is given."""

    def __init__(self, folder: Path, person: Path | None = None) -> None:
        settings = Settings(tracker=TrackerSettings(person=person))
        self.models = Models(Preferences(settings, folder / "settings.json"))
        self.given: list[Path | None] = []
        session = SimpleNamespace(configure=lambda tracker: self.given.append(tracker.person))
        self.part = TrackedPerson(Director(self.models, cast(Any, session)))

    def wait(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < deadline
            self.models.tasks.poll()
            time.sleep(0.005)

    @property
    def wanted(self) -> Path | None:
        return self.models.preferences.settings.tracker.person


@pytest.fixture
def mei(tmp_path: Path) -> Path:
    path = tmp_path / "mei.mien"
    path.write_bytes(next(LIBRARY.glob("*.mien")).read_bytes())
    return path


def test_who_was_chosen_before_is_tracked_from_the_start(tmp_path: Path, mei: Path) -> None:
    window = Window(tmp_path, mei)
    window.wait(lambda: window.given == [mei])
    window.models.preferences.edit_person("person", None, adapted=False)
    assert window.given == [mei, None]
    window.models.preferences.undo.undo()
    window.wait(lambda: window.given == [mei, None, mei])
    window.part.close()


def test_a_file_that_is_gone_leaves_anybody(tmp_path: Path, mei: Path) -> None:
    mei.unlink()
    window = Window(tmp_path, mei)
    coarse = window.models.preferences.settings.tracker.coarse.model_copy(update={"person": mei})
    window.models.preferences.set_coarse(coarse)
    window.wait(lambda: window.wanted is None)
    assert window.given == []
    assert window.models.preferences.settings.tracker.coarse.person is None
    notice = window.models.notices.shown
    assert notice is not None and "mei.mien" in notice.sentence and notice.lasting
    # Whoever is chosen next takes the notice away.
    mei.write_bytes(next(LIBRARY.glob("*.mien")).read_bytes())
    window.models.preferences.edit_person("person", mei, adapted=False)
    window.wait(lambda: window.given == [mei])
    assert window.models.notices.count == 0


def test_only_the_last_choice_counts(tmp_path: Path, mei: Path) -> None:
    window = Window(tmp_path)
    window.models.preferences.edit_person("person", mei, adapted=False)
    window.models.preferences.edit_person("person", None, adapted=False)
    window.wait(lambda: not window.models.tasks.tasks)
    assert window.given == [] and window.wanted is None


def test_adapters_come_with_the_person_who_has_some(tmp_path: Path, mei: Path) -> None:
    window = Window(tmp_path)
    preferences = window.models.preferences
    preferences.edit_person("person", mei, adapted=True)
    assert preferences.settings.tracker.coarse.person == mei
    preferences.edit_person("person", mei, adapted=False)
    assert preferences.settings.tracker.coarse.person is None and window.wanted == mei
    preferences.undo.undo()
    assert preferences.settings.tracker.coarse.person == mei


def test_the_papers_network_takes_nobodys_adapters(tmp_path: Path, mei: Path) -> None:
    window = Window(tmp_path)
    preferences = window.models.preferences
    preferences.set_coarse(preferences.settings.tracker.coarse.model_copy(update={"preset": "paper"}))
    preferences.edit_person("person", mei, adapted=True)
    assert preferences.settings.tracker.person == mei
    assert preferences.settings.tracker.coarse.person is None
