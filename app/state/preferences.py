"""The settings as a model: who changes one is heard by all who show it, and the file follows a moment later."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from psygnal import Signal

from app.settings import Settings, SettingsError, save_settings
from app.state.undo import Change, UndoStack
from tracking.coarse_settings import CoarseSettings
from tracking.smoothing import SmoothingSettings


class Preferences:
    """The current settings.

    Args:
        settings: as loaded.
        path: where they are saved; None takes the user's file.
        undo: where edits that can be taken back go.
    """

    changed = Signal(Settings, Settings)
    """(before, after), whatever changed."""

    def __init__(self, settings: Settings, path: Path | None = None, undo: UndoStack | None = None) -> None:
        self.settings = settings
        self.undo = undo or UndoStack()
        self._path = path
        self._saved = settings

    def set_window(self, **values: Any) -> None:
        """Change fields of the window's settings.

        Raises:
            ValidationError: a value that cannot be.
        """
        window = self.settings.window
        self._put(self.settings.model_copy(update={"window": _changed(window, values)}))

    def edit_window(self, text: str, **values: Any) -> None:
        """As `set_window`, as a step that can be taken back.

        Args:
            text: what the step does, for the menu.
        """
        before = {name: getattr(self.settings.window, name) for name in values}
        if before == values:
            return
        self.undo.do(
            Change(
                text,
                lambda: self.set_window(**values),
                lambda: self.set_window(**before),
                merge="window " + " ".join(sorted(values)),
            )
        )

    def set_outputs(self, **values: Any) -> None:
        """Change parts of what is recorded and sent.

        Raises:
            ValidationError: a value that cannot be.
        """
        outputs = _changed(self.settings.outputs, values)
        self._put(self.settings.model_copy(update={"outputs": outputs}))

    def set_recording(self, **values: Any) -> None:
        """Change fields of how the window records; as `set_outputs`."""
        self.set_outputs(recording=_changed(self.settings.outputs.recording, values).model_dump())

    def set_smoothing(self, smoothing: SmoothingSettings) -> None:
        """Change how faces are smoothed."""
        tracker = self.settings.tracker.model_copy(update={"smoothing": smoothing})
        self._put(self.settings.model_copy(update={"tracker": tracker}))

    def edit_smoothing(self, text: str, smoothing: SmoothingSettings, merge: str = "") -> None:
        """As `set_smoothing`, as a step that can be taken back; steps in a row with one `merge` become one."""
        before = self.settings.tracker.smoothing
        if before != smoothing:
            self.undo.do(Change(text, lambda: self.set_smoothing(smoothing), lambda: self.set_smoothing(before), merge))

    def set_coarse(self, coarse: CoarseSettings) -> None:
        """Change what the coarse network does."""
        tracker = self.settings.tracker.model_copy(update={"coarse": coarse})
        self._put(self.settings.model_copy(update={"tracker": tracker}))

    def edit_coarse(self, text: str, coarse: CoarseSettings) -> None:
        """As `set_coarse`, as a step that can be taken back."""
        before = self.settings.tracker.coarse
        if before != coarse:
            self.undo.do(Change(text, lambda: self.set_coarse(coarse), lambda: self.set_coarse(before)))

    def set_person(self, person: Path | None, coarse: CoarseSettings | None = None) -> None:
        """Change who is in front of the camera, and with it what the coarse network does."""
        before = self.settings.tracker
        tracker = before.model_copy(update={"person": person, "coarse": coarse or before.coarse})
        self._put(self.settings.model_copy(update={"tracker": tracker}))

    def edit_person(self, text: str, person: Path | None, *, adapted: bool) -> None:
        """As `set_person`, as a step that can be taken back.

        Args:
            text: what the step is called.
            person: the avatar file, None for anybody.
            adapted: the file holds adapters; the small coarse network, which they belong to, takes them.
        """
        before = self.settings.tracker
        taken = adapted and before.coarse.preset == "lite"
        coarse = before.coarse.model_copy(update={"person": person if taken else None})
        if (before.person, before.coarse) != (person, coarse):
            self.undo.do(
                Change(
                    text,
                    lambda: self.set_person(person, coarse),
                    lambda: self.set_person(before.person, before.coarse),
                )
            )

    @property
    def unsaved(self) -> bool:
        """Whether the file is behind."""
        return self.settings is not self._saved

    def take_for_saving(self) -> Callable[[], None]:
        """The work of writing the file, for any thread. What changes meanwhile counts as unsaved again.

        The work raises SettingsError where the file cannot be written; call `saving_failed` then.
        """
        settings, path = self.settings, self._path
        self._saved = settings
        return lambda: _save(settings, path)

    def saving_failed(self) -> None:
        """The file is behind after all."""
        self._saved = Settings.model_construct()

    def save(self) -> None:
        """Write the file now, where it is behind.

        Raises:
            SettingsError: it cannot be written.
        """
        if self.unsaved:
            self.take_for_saving()()

    def _put(self, settings: Settings) -> None:
        before = self.settings
        if settings == before:
            return
        self.settings = settings
        self.changed.emit(before, settings)


def _save(settings: Settings, path: Path | None) -> None:
    save_settings(settings, path)


def _changed(model: Any, values: dict[str, Any]) -> Any:
    """A validated copy: `model_copy` alone would take any value."""
    return type(model).model_validate(model.model_dump() | values)


__all__ = ["Preferences", "SettingsError"]
