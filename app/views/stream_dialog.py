"""Edits one network stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args, get_origin

from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QWidget

from app.views.form_dialog import FormDialog
from app.window.texts import tr
from tracking.streams.base import StreamError
from tracking.streams.settings import StreamSettings, read_stream

TEXTS = {
    "name": "Name",
    "target": "Send to",
    "port": "Port",
    "rate": "Most a second",
    "mirror": "Send the mirror image",
    "arkit": "The 52 ARKit names (perfect sync)",
    "arkit_case": "Spelt",
    "presets": "VRM expressions",
    "bones": "Head, neck and eye bones",
    "jaw": "Jaw bone",
    "root": "Root",
    "neck_share": "Neck's share of a turn",
    "subject": "Subject's name",
    "device": "Device",
    "wait_for_request": "Wait until a receiver asks",
    "listen_on": "Listen on",
    "listen_port": "Port to listen on",
    "names": "Names",
    "face_id": "Number of the face",
}
VALUES = {
    "pascal": "EyeBlinkLeft", "camel": "eyeBlinkLeft", "none": "None", "vrm0": "VRM 0 (Joy, A, Blink_L)",
    "vrm1": "VRM 1 (happy, aa, blinkLeft)", "vtube_studio": "EyeBlinkLeft", "meowface": "eyeBlinkLeft",
}  # fmt: skip
HIDDEN = ("protocol", "on")


class StreamDialog(FormDialog):
    """A field for everything that the stream's settings have.

    Args:
        settings: as they are.
    """

    def __init__(self, settings: StreamSettings, parent: QWidget | None = None) -> None:
        hint = tr("127.0.0.1 is this computer. At any other address others on the network can read what is sent.")
        super().__init__(settings.title, hint, tr("Use"), 460, parent)
        self._settings = settings
        self.fields: dict[str, QWidget] = {}
        self._values: dict[str, Callable[[], object]] = {}
        for name, info in type(settings).model_fields.items():
            if name in HIDDEN:
                continue
            widget, value = _field(getattr(settings, name), info.annotation, TEXTS.get(name, name))
            widget.setToolTip(info.description or "")
            self.fields[name], self._values[name] = widget, value
            self.form.addRow("" if isinstance(widget, QCheckBox) else tr(TEXTS.get(name, name)), widget)

    def _on_act(self) -> None:
        data = self._settings.model_dump() | {name: value() for name, value in self._values.items()}
        try:
            found = read_stream(data)
        except StreamError as error:
            self._complain(str(error))
            return
        self._done(found)


def _field(value: Any, annotation: Any, text: str) -> tuple[QWidget, Callable[[], object]]:
    """A widget for a value of this kind, and what it says."""
    if isinstance(value, bool):
        box = QCheckBox(tr(text))
        box.setChecked(value)
        return box, box.isChecked
    if get_origin(annotation) is not None and isinstance(value, str) and value in get_args(annotation):
        combo = QComboBox()
        for choice in get_args(annotation):
            combo.addItem(tr(VALUES.get(choice, choice)), choice)
        combo.setCurrentIndex(combo.findData(value))
        combo.setAccessibleName(tr(text))
        return combo, combo.currentData
    line = QLineEdit(f"{value:g}" if isinstance(value, float) else str(value))
    line.setAccessibleName(tr(text))
    return line, lambda: line.text().strip()
