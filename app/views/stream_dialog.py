"""Edits one network stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args, get_origin

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.views.widgets import muted
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


class StreamDialog(QDialog):
    """A field for everything that the stream's settings have.

    Args:
        settings: as they are.
    """

    wanted = Signal(object)
    """The stream as the user wants it."""

    def __init__(self, settings: StreamSettings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self.setWindowTitle(settings.title)
        self.fields: dict[str, QWidget] = {}
        self._values: dict[str, Callable[[], object]] = {}
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        form.setVerticalSpacing(10)
        for name, info in type(settings).model_fields.items():
            if name in HIDDEN:
                continue
            widget, value = _field(getattr(settings, name), info.annotation, TEXTS.get(name, name))
            widget.setToolTip(info.description or "")
            self.fields[name], self._values[name] = widget, value
            form.addRow("" if isinstance(widget, QCheckBox) else tr(TEXTS.get(name, name)), widget)
        self.problem = QLabel()
        self.problem.setWordWrap(True)
        self.problem.setProperty("role", "problem")
        self.problem.hide()
        self.save = QPushButton(tr("Use"))
        self.save.setDefault(True)
        self.save.clicked.connect(self._on_save)
        cancel = QPushButton(tr("Cancel"))
        cancel.clicked.connect(self.reject)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(cancel)
        row.addWidget(self.save)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(12)
        column.addWidget(
            muted(tr("127.0.0.1 is this computer. At any other address others on the network can read what is sent."))
        )
        column.addLayout(form)
        column.addWidget(self.problem)
        column.addLayout(row)
        self.setMinimumWidth(460)

    def _on_save(self) -> None:
        data = self._settings.model_dump() | {name: value() for name, value in self._values.items()}
        try:
            found = read_stream(data)
        except StreamError as error:
            self.problem.setText(str(error))
            self.problem.show()
            return
        self.wanted.emit(found)
        self.accept()


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
