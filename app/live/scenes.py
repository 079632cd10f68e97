"""Keeps a scene for each avatar and puts it into the view. A companion of the director: files are read in tasks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_data_path

from app.live.avatars import Avatars
from app.live.director import Director
from app.state.notices import Notice, NoticeLevel
from app.state.scene import SceneState
from app.state.undo import Change
from app.tasks import Task, TaskState
from rendering import BackgroundPicture
from rendering.scene_settings import SceneFileError, SceneSettings

SAVE_AFTER_S = 1.0
SUFFIX = ".scene.json"


@dataclass(frozen=True, slots=True)
class _Read:
    """What files gave.

    Attributes:
        settings: None where only the picture was read.
        file: that the picture was looked for in.
        picture: None where there is none.
        scene_problem, picture_problem: one sentence each, empty for none.
    """

    settings: SceneSettings | None
    file: str | None = None
    picture: BackgroundPicture | None = None
    scene_problem: str = ""
    picture_problem: str = ""


class Scenes:
    """The scene of whoever is drawn.

    Args:
        director: whose view is staged.
        avatars: whose head is drawn.
    """

    def __init__(self, director: Director, avatars: Avatars) -> None:
        self._director = director
        self._models = director.models
        self._avatars = avatars
        self.state = SceneState()
        self._known: dict[Path, SceneSettings] = {}
        self._unsaved: set[Path] = set()
        self._changed_s: float | None = None
        self._file: str | None = None
        """Of the picture that was read last, or is being read."""
        self._picture: BackgroundPicture | None = None
        self._problem = ""
        self._owner = self._place()
        self._models.avatars.subject_changed.connect(self._on_subject)

    def start(self) -> None:
        """Read the scene of whoever is drawn at first."""
        self._fetch()

    def edit(self, text: str, settings: SceneSettings, merge: str = "") -> None:
        """Change the scene, as a step that can be taken back.

        Args:
            text: what the step does, for the menu.
            merge: see `Change`.
        """
        owner, before = self._owner, self.state.settings
        if settings == before:
            return
        self._models.preferences.undo.do(
            Change(
                text,
                lambda: self._put(owner, settings),
                lambda: self._put(owner, before),
                merge=f"scene {owner.name} {merge}" if merge else "",
            )
        )

    def advance(self, now_s: float) -> None:
        """Write scenes a moment after the last change."""
        if not self._unsaved:
            return
        if self._changed_s is None:
            self._changed_s = now_s
        elif now_s - self._changed_s > SAVE_AFTER_S:
            work = self._take_unsaved()
            self._models.tasks.start(
                self._director.translate("Save the scene"), lambda _: _save(work), on_done=self._on_saved, quiet=True
            )

    def close(self) -> None:
        """Write what is not written."""
        self._models.avatars.subject_changed.disconnect(self._on_subject)
        try:
            _save(self._take_unsaved())
        except SceneFileError:
            pass  # the program ends: nobody would read it

    def _place(self) -> Path:
        """Where the scene of whoever is drawn is kept: beside the settings of how it is driven."""
        driven = self._avatars.settings_path
        if driven is None:
            return user_data_path("mien", appauthor=False) / "retarget" / f"own{SUFFIX}"
        return driven.with_suffix(SUFFIX)

    def _on_subject(self) -> None:
        place = self._place()
        if place == self._owner:
            return
        self._owner = place
        self._models.notices.clear("scene")
        if place in self._known:
            self._show()
        else:
            self._fetch()

    def _fetch(self) -> None:
        owner = self._owner
        self._models.tasks.start(
            self._director.translate("Load the scene"),
            lambda _: _read(owner),
            on_done=lambda task: self._on_read(task, owner),
            quiet=True,
        )

    def _on_read(self, task: Task, owner: Path) -> None:
        found = task.result if task.state is TaskState.DONE else _Read(SceneSettings())
        # What was edited meanwhile is newer.
        self._known.setdefault(owner, found.settings or SceneSettings())
        if found.scene_problem:
            self._post(found.scene_problem, "scene file")
        if owner == self._owner:
            self._file, self._picture, self._problem = found.file, found.picture, found.picture_problem
            self._show()

    def _put(self, owner: Path, settings: SceneSettings) -> None:
        self._known[owner] = settings
        self._unsaved.add(owner)
        self._changed_s = None
        if owner == self._owner:
            self._show()

    def _show(self) -> None:
        """Put the present scene into the view; its picture follows once it is read."""
        from rendering.look import look_of
        from rendering.scene_picture import picture_file

        settings = self._known.get(self._owner, SceneSettings())
        wanted = picture_file(settings)
        if wanted is not None and wanted != self._file:
            self._file, self._problem = wanted, ""
            self._models.tasks.start(
                self._director.translate("Load the background"),
                lambda _: _read_picture(settings),
                on_done=self._on_picture,
                quiet=True,
            )
        picture = self._picture if wanted is not None else None
        problem = self._problem if wanted is not None else ""
        self._models.view.look = look_of(settings, picture)
        self.state.show(settings, problem)
        if problem:
            self._post(problem, "scene")
        else:
            self._models.notices.clear("scene")

    def _on_picture(self, task: Task) -> None:
        found = task.result if task.state is TaskState.DONE else _Read(None)
        if found.file == self._file:
            self._picture, self._problem = found.picture, found.picture_problem
            self._show()

    def _take_unsaved(self) -> dict[Path, SceneSettings]:
        work = {owner: self._known[owner] for owner in self._unsaved}
        self._unsaved.clear()
        self._changed_s = None
        return work

    def _on_saved(self, task: Task) -> None:
        if task.state is TaskState.FAILED:
            self._post(task.sentence, "scene file", task.report)

    def _post(self, sentence: str, key: str, report: str = "") -> None:
        self._models.notices.post(Notice(key, NoticeLevel.WARNING, sentence, report=report, lasting=bool(report)))


def _save(scenes: dict[Path, SceneSettings]) -> None:
    from rendering.scene_settings import save_scene

    for path, settings in scenes.items():
        save_scene(settings, path)


def _read(path: Path) -> _Read:
    """The scene in a file with its picture; the default one where there is none or it cannot be used."""
    from rendering.scene_settings import load_scene

    if not path.is_file():
        return _Read(SceneSettings())
    try:
        settings = load_scene(path)
    except SceneFileError as error:
        return _Read(SceneSettings(), scene_problem=f"{error} The usual scene is shown.")
    found = _read_picture(settings)
    return _Read(settings, found.file, found.picture, "", found.picture_problem)


def _read_picture(settings: SceneSettings) -> _Read:
    from rendering.scene_picture import PictureFileError, picture_file, picture_of

    file = picture_file(settings)
    try:
        return _Read(None, file, picture_of(settings))
    except PictureFileError as error:
        return _Read(None, file, None, picture_problem=str(error))
