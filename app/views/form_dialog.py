"""What dialogs that ask for one thing have in common."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QFormLayout, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.views.widgets import muted
from app.window.texts import tr


class FormDialog(QDialog):
    """A hint, a form, a sentence when something is wrong, and two buttons.

    Args:
        title: of the window.
        hint: what is worth knowing before filling it in.
        act: text of the button that does it; it calls `_on_act`.
        width: at least, pixels.
        below: stands between the form and the buttons.

    Attributes:
        form: for the rows.
        problem: what is wrong; hidden until then.
        act: the button that does it.
    """

    wanted = Signal(object)
    """What the user asks for."""

    def __init__(
        self, title: str, hint: str, act: str, width: int, parent: QWidget | None, *, below: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.form = QFormLayout()
        self.form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        self.form.setVerticalSpacing(10)
        self.problem = QLabel()
        self.problem.setWordWrap(True)
        self.problem.setProperty("role", "problem")
        self.problem.hide()
        self.act = QPushButton(act)
        self.act.setDefault(True)
        self.act.clicked.connect(self._on_act)
        cancel = QPushButton(tr("Cancel"))
        cancel.clicked.connect(self.reject)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(cancel)
        row.addWidget(self.act)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(12)
        column.addWidget(muted(hint))
        column.addLayout(self.form)
        if below is not None:
            column.addWidget(below)
        column.addWidget(self.problem)
        column.addLayout(row)
        self.setMinimumWidth(width)

    def _on_act(self) -> None:
        raise NotImplementedError

    def _done(self, wish: object) -> None:
        """What is asked for is complete."""
        self.wanted.emit(wish)
        self.accept()

    def _complain(self, sentence: str, field: QWidget | None = None) -> None:
        """Says what is wrong and leads to the field to change."""
        self.problem.setText(sentence)
        self.problem.show()
        if field is not None:
            field.setFocus()


def with_button(field: QLineEdit, choose: object) -> QHBoxLayout:
    """A field with a button that helps to fill it in."""
    button = QPushButton(tr("Choose…"))
    button.setAutoDefault(False)
    button.clicked.connect(choose)
    row = QHBoxLayout()
    row.addWidget(field, 1)
    row.addWidget(button)
    return row
