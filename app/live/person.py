"""Reads the file of the person in front of the camera before the tracker gets it. A companion of the director.

A file that is gone or cannot be used leaves tracking as it is, learns the face as anybody's, and says why.
"""

from __future__ import annotations

from pathlib import Path

from app.live.director import Director
from app.settings import Settings
from app.state.notices import Notice, NoticeLevel
from app.tasks import Task, TaskState

NOTICE = "tracked person"


class TrackedPerson:
    """Puts the choice of the person in force once the file has been read.

    Args:
        director: whose tracker gets it.
    """

    def __init__(self, director: Director) -> None:
        self._director = director
        self._models = director.models
        self._models.preferences.changed.connect(self._on_settings)
        if (person := self._models.preferences.settings.tracker.person) is not None:
            self._want(person)

    def advance(self, now_s: float) -> None:
        """Nothing happens by itself."""

    def close(self) -> None:
        """Nothing is left to do."""
        self._models.preferences.changed.disconnect(self._on_settings)

    def _on_settings(self, before: Settings, after: Settings) -> None:
        if before.tracker.person != after.tracker.person:
            self._want(after.tracker.person)

    def _want(self, wanted: Path | None) -> None:
        if wanted is None:
            self._director.use_prepared(person=None)
            return
        self._models.notices.dismiss(NOTICE)
        self._models.tasks.start(
            self._director.translate("Read the person"),
            lambda _: check(wanted),
            on_done=lambda task: self._on_read(task, wanted),
            quiet=True,
        )

    def _on_read(self, task: Task, wanted: Path) -> None:
        if wanted != self._models.preferences.settings.tracker.person:
            return
        if task.state is TaskState.DONE:
            self._director.use_prepared(person=wanted)
        elif task.state is TaskState.FAILED:
            notice = Notice(NOTICE, NoticeLevel.ERROR, task.sentence, report=task.report, lasting=True)
            self._models.notices.post(notice)
            coarse = self._models.preferences.settings.tracker.coarse
            without = coarse.model_copy(update={"person": None}) if coarse.person == wanted else coarse
            self._models.preferences.set_person(None, without)


def check(path: Path) -> None:
    """Reads the file as the tracker will.

    Raises:
        AvatarFileError: it cannot be used.
    """
    from models.face_model import load_face_model
    from tracking.known_person import KnownPerson

    KnownPerson.read(path, load_face_model())
