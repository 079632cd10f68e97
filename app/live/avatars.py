"""Loads avatars and keeps how each is driven. A companion of the director: files are read in tasks."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

from app.errors import CommandError
from app.live.director import Director
from app.state.avatars import AvatarChoice
from app.state.notices import Notice, NoticeLevel
from app.tasks import Task, TaskState
from rendering.subject import OWN, Subject
from tracking.retarget.hotkeys import pressed, released
from tracking.retarget.settings import RetargetSettings, load_settings, save_settings, settings_file

MODELS = (".glb", ".gltf", ".vrm")
SAVE_AFTER_S = 1.0


class Avatars:
    """Who can be drawn, and who is.

    Args:
        director: whose head is drawn.
    """

    def __init__(self, director: Director) -> None:
        self._director = director
        self._models = director.models
        self.state = director.models.avatars
        self._opened: list[Path] = []
        self._settings_path: Path | None = None
        self._changed_s: float | None = None
        self._generation = 0
        self._dirty = False

    @property
    def settings_path(self) -> Path | None:
        """Where it is kept how the one that is drawn is driven; None for the tracked person's own head."""
        return self._settings_path

    def look(self) -> None:
        """Read the list anew."""
        opened = tuple(self._opened)
        self._models.tasks.start(
            self._director.translate("Look for avatars"), lambda _: _choices(opened), on_done=self._on_list, quiet=True
        )

    def choose(self, choice: AvatarChoice) -> None:
        """Draw this one."""
        if choice.path is None:
            self._save()
            self._generation += 1
            self._settings_path = None
            self.state.set_subject(OWN, None)
            return
        self.open(choice.path)

    def open(self, path: Path) -> None:
        """Load an avatar's file and draw it."""
        self._save()
        self._generation += 1
        generation = self._generation
        self.state.set_loading(path.stem)
        self._models.tasks.start(
            self._director.translate("Load the avatar {name}", name=path.name),
            lambda _: load_subject(path),
            on_done=lambda task: self._on_loaded(task, path, generation),
            quiet=True,
        )

    def delete(self, choice: AvatarChoice) -> None:
        """Remove one of the user's own, or forget an opened file."""
        if choice.path in self._opened:
            self._opened.remove(choice.path)
        elif choice.own_file and choice.kind == "person":
            from app.avatar_store import AvatarStore

            AvatarStore().delete(choice.name)
        if choice.path == self.state.path:
            self.choose(AvatarChoice("", None))
        self.look()

    def rename(self, choice: AvatarChoice, name: str) -> None:
        """Give one of the user's own another name; how it is driven stays with it."""
        if choice.path is None or not choice.can_be_renamed or name == choice.name:
            return
        path = choice.path
        self._save()
        self._models.tasks.start(
            self._director.translate("Rename the avatar {name}", name=choice.name),
            lambda _: _rename(path, choice.name, name),
            on_done=lambda task: self._on_renamed(task, path),
            quiet=True,
        )

    def export(self, choice: AvatarChoice, target: Path) -> None:
        """Write a copy of an avatar; the user has agreed to replace what is there."""
        if choice.path is None or not choice.can_be_exported:
            return
        path = choice.path
        self._models.tasks.start(
            self._director.translate("Export the avatar {name}", name=choice.name),
            lambda _: _export(path, target),
            on_done=lambda task: self._on_exported(task, choice.name),
            quiet=True,
        )

    def forget_capture(self, name: str) -> None:
        """Delete a guided capture that no avatar was made of."""
        self._models.tasks.start(
            self._director.translate("Delete the capture of {name}", name=name),
            lambda _: _forget(name),
            on_done=lambda task: self._on_forgotten(task),
            quiet=True,
        )

    def drive(self, settings: RetargetSettings) -> None:
        """Drive the one that is drawn in another way; kept with it."""
        if self.state.subject.own or settings == self.state.subject.settings:
            return
        self._changed_s = None
        shown = tuple(name for name in self.state.subject.shown if settings.hotkeys.get(name) is not None)
        self.state.set_subject(replace(self.state.subject, settings=settings, shown=shown), self.state.path)
        self._dirty = True

    def press(self, name: str) -> None:
        """The key of one of the avatar's expressions went down."""
        subject = self.state.subject
        self.state.set_shown(pressed(subject.settings.hotkeys, subject.shown, name))

    def release(self, name: str) -> None:
        """It went up again."""
        subject = self.state.subject
        self.state.set_shown(released(subject.settings.hotkeys, subject.shown, name))

    def clear_expressions(self) -> None:
        """Show none of them."""
        self.state.set_shown(())

    def advance(self, now_s: float) -> None:
        """Write settings a moment after the last change."""
        # Wrinkles of somebody who is not shown are looked for only where they are recorded.
        self._director.session.rest_detail(not self.state.subject.own and not self._models.recording.busy)
        if not self._dirty:
            return
        if self._changed_s is None:
            self._changed_s = now_s
        elif now_s - self._changed_s > SAVE_AFTER_S:
            self._save()

    def close(self) -> None:
        """Write what is not written."""
        self._save()

    def _save(self) -> None:
        if self._dirty and self._settings_path is not None:
            path, settings = self._settings_path, self.state.subject.settings
            self._models.tasks.start(
                self._director.translate("Save the avatar's settings"),
                lambda _: save_settings(settings, path),
                on_done=self._on_saved,
                quiet=True,
            )
        self._dirty = False
        self._changed_s = None

    def _on_list(self, task: Task) -> None:
        if task.state is TaskState.DONE:
            self.state.set_choices(*task.result)

    def _on_loaded(self, task: Task, path: Path, generation: int) -> None:
        if generation != self._generation:
            return
        if task.state is not TaskState.DONE:
            self.state.set_loading("")
            self._post(task.sentence, task.report)
            return
        subject, self._settings_path = task.result
        subject = replace(subject, detail=self._models.preferences.settings.tracker.detail)
        if path.suffix.lower() in MODELS and path not in self._opened:
            self._opened.append(path)
            self.look()
        self._models.notices.clear("avatar")
        self.state.set_subject(subject, path)

    def _on_renamed(self, task: Task, before: Path) -> None:
        if task.state is not TaskState.DONE:
            self._post(task.sentence, task.report)
            return
        self.look()
        if before == self.state.path:
            self.open(task.result)

    def _on_exported(self, task: Task, name: str) -> None:
        if task.state is not TaskState.DONE:
            self._post(task.sentence, task.report)
            return
        text = self._director.translate("{name} is written to {path}.", name=name, path=str(task.result))
        self._models.notices.post(Notice("avatar", NoticeLevel.INFO, text, lasting=True))

    def _on_forgotten(self, task: Task) -> None:
        if task.state is not TaskState.DONE:
            self._post(task.sentence, task.report)
        self.look()

    def _on_saved(self, task: Task) -> None:
        if task.state is TaskState.FAILED:
            self._post(task.sentence, task.report)

    def _post(self, sentence: str, report: str) -> None:
        self._models.notices.post(Notice("avatar", NoticeLevel.ERROR, sentence, report=report, lasting=True))


def _choices(opened: tuple[Path, ...]) -> tuple[tuple[AvatarChoice, ...], tuple[str, ...]]:
    """Who there is, and the captures that nothing was made of yet."""
    from app.avatar_store import AvatarStore
    from app.avatar_work import kept_captures

    found = [AvatarChoice("", None)]
    store = AvatarStore()
    for entry in store.entries():
        own = not entry.shipped
        found.append(
            AvatarChoice(entry.name, entry.path, entry.thumbnail, "person", entry.problem, own, adapted=entry.adapted)
        )
    found += [AvatarChoice(path.stem, path, None, "model", own_file=True) for path in opened if path.is_file()]
    return tuple(found), tuple(kept_captures(store.folder))


def _rename(path: Path, name: str, new: str) -> Path:
    """Where the avatar lies afterwards.

    Raises:
        AvatarFileError: the new name is taken or no name, or the disk refuses.
        RetargetFileError: how it is driven cannot be written under the new name.
    """
    from app.avatar_store import AvatarStore

    store = AvatarStore()
    before = _settings_of(path, name)
    store.rename(name, new)
    renamed = store.path(new)
    if before.is_file():
        save_settings(load_settings(before), _settings_of(renamed, new))
        before.unlink(missing_ok=True)
    return renamed


def _export(path: Path, target: Path) -> Path:
    """What was written.

    Raises:
        AvatarFileError: the avatar cannot be read, or the disk refuses.
    """
    from models.avatars.person_file import SUFFIX, read_person, write_person

    if target.suffix.lower() != SUFFIX:
        target = target.with_name(target.name + SUFFIX)
    write_person(read_person(path), target)
    return target


def _forget(name: str) -> None:
    from app.avatar_store import AvatarStore

    AvatarStore().unfinished(name).unlink(missing_ok=True)


def _settings_of(path: Path, name: str) -> Path:
    """Where the settings for an avatar's file are kept."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return settings_file(user_data_path("mien", appauthor=False) / "retarget", name, digest)


def load_subject(path: Path) -> tuple[Subject, Path]:
    """Who a file holds, with the settings that were kept for it, and where those are kept.

    Raises:
        AvatarFileError: it cannot be used.
        CommandError: it is no avatar's file.
    """
    from models.avatars.person_file import SUFFIX, read_person

    kind = path.suffix.lower()
    if kind == SUFFIX:
        person: Any = read_person(path)
        name, subject = person.manifest.name, Subject(person.manifest.name, person=person)
    elif kind in MODELS:
        from models.avatars import load_avatar
        from tracking.retarget import automatic_settings

        avatar = load_avatar(path)
        name, subject = avatar.name, Subject(avatar.name, avatar=avatar, settings=automatic_settings(avatar))
    else:
        raise CommandError(f"{path.name} is no avatar: choose a file that ends in .mien, .vrm, .glb or .gltf.")
    kept = _settings_of(path, name)
    if kept.is_file():
        subject = replace(subject, settings=load_settings(kept))
    return subject, kept
