"""Asks what to track into a folder of results."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QFileDialog, QHBoxLayout, QLineEdit, QWidget

from app.live.commands import output_folder_for
from app.settings import Settings
from app.state.actions import VIEWS
from app.views.form_dialog import FormDialog, with_button
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


class TrackDialog(FormDialog):
    """Input, folder, whether to render a video."""

    def __init__(self, parent: QWidget | None = None) -> None:
        hint = tr("Gives a table of all values and a manifest, as the command `track` does. The window stays usable.")
        super().__init__(tr("Track a file"), hint, tr("Track"), 560, parent)
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
        self.input.textChanged.connect(self._on_input)
        self.form.addRow(tr("Input"), with_button(self.input, self._choose_input))
        self.form.addRow(tr("Results"), with_button(self.folder, self._choose_folder))
        video = QHBoxLayout()
        video.addWidget(self.rendered)
        video.addWidget(self.view, 1)
        self.form.addRow("", video)
        self.form.addRow("", self.mirrored)
        self.form.addRow("", self.raw)

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

    def _on_act(self) -> None:
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
        self._done(wish)
