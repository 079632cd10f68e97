"""Asks what to track into a folder of results."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.live.director import output_folder_for
from app.settings import Settings
from app.state.actions import VIEWS
from app.views.widgets import muted
from app.window.texts import tr

VIEW_TEXTS = dict(zip(VIEWS, ("Textured", "Clay", "Mesh", "Tension", "Over picture"), strict=True))


@dataclass(frozen=True, slots=True)
class TrackWish:
    """What the user wants tracked.

    Attributes:
        input: video, picture or folder.
        folder: of the results.
        view: of the rendered video, None for no video.
        mirrored: the input is mirrored.
        raw: values neither calibrated nor smoothed.
    """

    input: Path
    folder: Path
    view: str | None
    mirrored: bool
    raw: bool

    def arguments(self, settings: Settings) -> list[str]:
        """The command line that does it, with the window's smoothing and calibration."""
        args = ["track", str(self.input), "--out", str(self.folder)]
        if self.view is not None:
            args += ["--render", str(self.folder / "rendered.mp4"), "--view", self.view]
        if self.mirrored:
            args.append("--input-is-mirrored")
        if self.raw:
            return [*args, "--raw"]
        if settings.window.person:
            args += ["--calibration", settings.window.person]
        return args


class TrackDialog(QDialog):
    """Input, folder, whether to render a video."""

    wanted = Signal(object)
    """The user wants this TrackWish done."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Track a file"))
        self.input = QLineEdit()
        self.input.setPlaceholderText(tr("A video, a picture or a folder"))
        self.folder = QLineEdit()
        self.folder.setPlaceholderText(tr("Where the results go"))
        self.rendered = QCheckBox(tr("Also render a video"))
        self.view = QComboBox()
        for name, text in VIEW_TEXTS.items():
            self.view.addItem(tr(text), name)
        self.view.setAccessibleName(tr("What the video shows"))
        self.view.setEnabled(False)
        self.rendered.toggled.connect(self.view.setEnabled)
        self.mirrored = QCheckBox(tr("The input is mirrored"))
        self.raw = QCheckBox(tr("Neither calibrate nor smooth"))
        self.problem = QLabel()
        self.problem.setWordWrap(True)
        self.problem.hide()
        self.start = QPushButton(tr("Track"))
        self.start.setDefault(True)
        self.start.clicked.connect(self._on_start)
        cancel = QPushButton(tr("Cancel"))
        cancel.clicked.connect(self.reject)
        self.input.textChanged.connect(self._on_input)
        self._arrange(cancel)

    def _arrange(self, cancel: QPushButton) -> None:
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        form.setVerticalSpacing(10)
        form.addRow(tr("Input"), self._with_button(self.input, self._choose_input))
        form.addRow(tr("Results"), self._with_button(self.folder, self._choose_folder))
        video = QHBoxLayout()
        video.addWidget(self.rendered)
        video.addWidget(self.view, 1)
        form.addRow("", video)
        form.addRow("", self.mirrored)
        form.addRow("", self.raw)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(cancel)
        row.addWidget(self.start)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(12)
        column.addWidget(
            muted(
                tr("Gives a table of all values and a manifest, as the command `track` does. The window stays usable.")
            )
        )
        column.addLayout(form)
        column.addWidget(self.problem)
        column.addLayout(row)
        self.setMinimumWidth(560)

    def _with_button(self, field: QLineEdit, choose: object) -> QHBoxLayout:
        button = QPushButton(tr("Choose…"))
        button.setAutoDefault(False)
        button.clicked.connect(choose)
        row = QHBoxLayout()
        row.addWidget(field, 1)
        row.addWidget(button)
        return row

    def _choose_input(self) -> None:
        self._ask(QFileDialog.FileMode.ExistingFile, self.input)

    def _choose_folder(self) -> None:
        self._ask(QFileDialog.FileMode.Directory, self.folder)

    def _ask(self, mode: QFileDialog.FileMode, field: QLineEdit) -> None:
        dialog = QFileDialog(self)
        dialog.setFileMode(mode)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(field.setText)
        dialog.open()

    def _on_input(self, text: str) -> None:
        if text.strip():
            self.folder.setText(str(output_folder_for(Path(text.strip()).expanduser())))

    def _on_start(self) -> None:
        source = Path(self.input.text().strip()).expanduser()
        folder = self.folder.text().strip()
        if not self.input.text().strip() or not source.exists():
            self._complain(tr("There is no such file or folder: choose the input again."), self.input)
            return
        if not folder:
            self._complain(tr("No folder for the results is named: choose one."), self.folder)
            return
        view = self.view.currentData() if self.rendered.isChecked() else None
        wish = TrackWish(source, Path(folder).expanduser(), view, self.mirrored.isChecked(), self.raw.isChecked())
        self.wanted.emit(wish)
        self.accept()

    def _complain(self, sentence: str, field: QLineEdit) -> None:
        self.problem.setText(sentence)
        self.problem.show()
        field.setFocus()
