"""The parts of the guided capture's dialog: what to do now, what came of it, and the list of steps."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFormLayout, QGridLayout, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from app.views.capture_marks import FaceRing
from app.views.widgets import muted, restyle
from app.window.icons import pixmap
from app.window.style import Style
from app.window.texts import tr
from tracking.capture_guide import GuideStatus, StepState
from tracking.capture_steps import STEPS

LONGEST = 100


class NowPage(QWidget):
    """What to do now.

    Args:
        style: colours and sizes.
    """

    def __init__(self, style: Style, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._done = 0
        self.ring = FaceRing(style)
        self.number = muted(wrap=False)
        self.instruction = QLabel()
        self.instruction.setProperty("role", "instruction")
        self.hint = QLabel()
        self.hint.setProperty("role", "heading")
        for label in (self.instruction, self.hint):
            label.setWordWrap(True)
        texts = QVBoxLayout()
        texts.setSpacing(8)
        texts.addStretch(1)
        for label in (self.number, self.instruction, self.hint):
            texts.addWidget(label)
        texts.addStretch(2)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(22)
        row.addWidget(self.ring, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addLayout(texts, 1)

    def show_status(self, status: GuideStatus, paused: str) -> None:
        """Where the capture stands, and why nothing counts at the moment; empty where it does."""
        if status.step is None:
            return
        if not status.settling:
            self._done = status.done
        just_done = status.settling and status.done > self._done
        self.number.setText(tr("Step {n} of {all}", n=status.number, all=len(STEPS)))
        self.instruction.setText(tr(status.step.instruction))
        hint = paused or status.hint or (tr("Good.") if just_done else "")
        self.hint.setText(tr(hint) if hint else "")
        self.ring.show_progress(status.progress, done=just_done and not paused, paused=bool(paused))


class ReviewPage(QWidget):
    """What came of it, and what the avatar shall be called."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = QLabel()
        self.title.setProperty("role", "instruction")
        self.missing = muted()
        self.problem = QLabel()
        self.problem.setProperty("role", "problem")
        self.problem.setWordWrap(True)
        self.name = QLineEdit(tr("Me"))
        self.licence = QLineEdit()
        self.licence.setPlaceholderText(tr("nothing: they have to ask"))
        for field, text in ((self.name, tr("Name")), (self.licence, tr("Others may use it under"))):
            field.setMaxLength(LONGEST)
            field.setAccessibleName(text)
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        form.setVerticalSpacing(8)
        form.addRow(tr("Name"), self.name)
        form.addRow(tr("Others may use it under"), self.licence)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.title)
        column.addWidget(self.missing)
        column.addLayout(form)
        column.addWidget(muted(tr("By making it you say that it shows yourself, or somebody who agreed to it.")))
        column.addWidget(self.problem)
        column.addStretch(1)

    def show_state(self, status: GuideStatus, problem: str, *, keeping: bool) -> None:
        """What is missing, and why nothing can be made of it; empty where something can."""
        left = [tr(step.title).lower() for step in status.missing]
        if keeping:
            self.title.setText(tr("Being kept…"))
        else:
            self.title.setText(tr("Not everything was seen") if left else tr("Everything was seen"))
        text = tr("Missing: {steps}. An avatar can be made all the same; Back leads there.", steps=", ".join(left))
        self.missing.setText(text if left else tr("Thank you: that is all that is needed."))
        self.problem.setText(tr(problem) if problem else "")
        self.problem.setVisible(bool(problem))
        for field in (self.name, self.licence):
            field.setEnabled(not keeping)


class StepList(QWidget):
    """The steps in two columns, with ticks.

    Args:
        style: colours and sizes.
    """

    def __init__(self, style: Style, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._style = style
        self._states: tuple[StepState, ...] = ()
        self.marks: list[QLabel] = []
        self.texts: list[QLabel] = []
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(3)
        rows = -(-len(STEPS) // 2)
        for n, step in enumerate(STEPS):
            mark, text = QLabel(), QLabel(tr(step.title))
            self.marks.append(mark)
            self.texts.append(text)
            grid.addWidget(mark, n % rows, 2 * (n // rows))
            grid.addWidget(text, n % rows, 2 * (n // rows) + 1)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1)

    def show_states(self, states: tuple[StepState, ...]) -> None:
        """How each step stands."""
        if states != self._states:
            self._states = states
            self.restyle()

    def restyle(self) -> None:
        """Draw the marks anew."""
        c, side = self._style.colours, self._style.px(16)
        marks = {StepState.DONE: ("good", c.good), StepState.CURRENT: ("play", c.bar)}
        words = {
            StepState.DONE: tr("done"),
            StepState.CURRENT: tr("now"),
            StepState.SKIPPED: tr("skipped"),
            StepState.WAITING: tr("to do"),
        }
        for mark, text, step, state in zip(self.marks, self.texts, STEPS, self._states, strict=False):
            mark.setFixedWidth(side)
            if state in marks:
                name, colour = marks[state]
                mark.setPixmap(pixmap(name, colour, side, self.devicePixelRatioF()))
            else:
                mark.clear()
            title = tr(step.title)
            text.setText(tr("{step}, skipped", step=title) if state is StepState.SKIPPED else title)
            text.setAccessibleName(f"{title}: {words[state]}")
            role = {StepState.CURRENT: "heading", StepState.DONE: None}.get(state, "muted")
            if text.property("role") != role:
                text.setProperty("role", role)
                restyle(text)
