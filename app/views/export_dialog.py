"""Asks how to export a session."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QFileDialog, QLineEdit, QWidget

from app.state.player import clock_text
from app.views.form_dialog import FormDialog, with_button
from app.views.widgets import muted
from app.window.texts import tr
from recordings.exporters import FORMATS, Format

VIEWS = {
    "textured": "Textured", "clay": "Clay", "wireframe": "Mesh", "tension": "Tension", "overlay": "Over picture",
    "input": "Picture alone",
}  # fmt: skip
RATES = (None, 24.0, 25.0, 30.0, 50.0, 60.0)
SIZES = (None, (640, 480), (1280, 720), (1920, 1080), (1080, 1080), (1080, 1920))


@dataclass(frozen=True, slots=True)
class ExportWish:
    """What the user wants.

    Attributes:
        sessions: their folders.
        format: name of the format.
        out: file or folder.
        start_s, end_s: range; None for the session's own.
        fps: None as recorded.
        view, size: of pictures; None where the format has none, or as recorded.
        audio, wrinkles, background: as in the command.
    """

    sessions: tuple[Path, ...]
    format: str
    out: Path
    start_s: float | None = None
    end_s: float | None = None
    fps: float | None = None
    view: str | None = None
    size: tuple[int, int] | None = None
    audio: bool = True
    wrinkles: bool = False
    background: bool = False

    def arguments(self) -> list[str]:
        """The command line that does it."""
        args = ["export", *map(str, self.sessions), "--format", self.format, "--out", str(self.out)]
        for name, value in (("--start", self.start_s), ("--end", self.end_s), ("--fps", self.fps)):
            args += [name, f"{value:.4f}"] if value is not None else []
        args += ["--view", self.view] if self.view is not None else []
        args += ["--size", str(self.size[0]), str(self.size[1])] if self.size is not None else []
        args += [] if self.audio else ["--no-audio"]
        args += ["--wrinkles"] if self.wrinkles else []
        return args + (["--background"] if self.background else [])


class ExportDialog(FormDialog):
    """Format, place, and what belongs to the format.

    Args:
        sessions: folders; several are exported one after another into a folder.
        span: start and end of the range that is marked in the player; None for all of it.
        has_relief: the session holds wrinkles.
        has_pictures: the session holds pictures.
    """

    def __init__(
        self,
        sessions: tuple[Path, ...],
        span: tuple[float, float] | None = None,
        *,
        has_relief: bool = True,
        has_pictures: bool = True,
        parent: QWidget | None = None,
    ) -> None:
        name = sessions[0].name if len(sessions) == 1 else tr("{count} sessions", count=len(sessions))
        hint = tr("As the command `export` does. The window stays usable meanwhile.")
        self.holds = muted()
        super().__init__(tr("Export {name}", name=name), hint, tr("Export"), 560, parent, below=self.holds)
        self._sessions = sessions
        self._span = span
        self._has_relief = has_relief
        self.format = QComboBox()
        for item in FORMATS.values():
            self.format.addItem(tr(item.title), item.name)
        self.format.setCurrentIndex(list(FORMATS).index("glb"))
        self.out = QLineEdit()
        self.marked = QCheckBox()
        if span is not None:
            self.marked.setText(tr("Only from {start} to {end}", start=clock_text(span[0]), end=clock_text(span[1])))
            self.marked.setChecked(True)
        self.marked.setVisible(span is not None)
        self.rate = QComboBox()
        for rate in RATES:
            self.rate.addItem(tr("As recorded") if rate is None else tr("{fps:g} a second", fps=rate), rate)
        self.view = QComboBox()
        for value, text in VIEWS.items():
            if has_pictures or value not in ("overlay", "input"):
                self.view.addItem(tr(text), value)
        self.dimensions = QComboBox()
        for size in SIZES:
            self.dimensions.addItem(tr("As recorded") if size is None else f"{size[0]} × {size[1]}", size)
        self.audio = QCheckBox(tr("With sound"))
        self.audio.setChecked(True)
        self.wrinkles = QCheckBox(tr("With wrinkles"))
        self.wrinkles.setChecked(has_relief)
        self.background = QCheckBox(tr("With background"))
        self.format.currentIndexChanged.connect(self._on_format)
        for box in (self.audio, self.wrinkles):
            box.toggled.connect(self._tell)
        self.view.currentIndexChanged.connect(self._tell)
        self._arrange()
        self._on_format()

    @property
    def chosen(self) -> Format:
        """The format that is chosen."""
        return FORMATS[self.format.currentData()]

    def _arrange(self) -> None:
        self.form.addRow(tr("Format"), self.format)
        self.form.addRow(tr("To"), with_button(self.out, self._choose))
        self.form.addRow(tr("Frames"), self.rate)
        self.form.addRow(tr("Shows"), self.view)
        self.form.addRow(tr("Size"), self.dimensions)
        for box in (self.marked, self.audio, self.wrinkles, self.background):
            self.form.addRow("", box)

    def _on_format(self) -> None:
        chosen = self.chosen
        for widget in (self.view, self.dimensions):
            self.form.setRowVisible(widget, chosen.pictures)
        self.form.setRowVisible(self.audio, chosen.name in ("mp4", "webm"))
        self.form.setRowVisible(self.background, chosen.name == "png")
        self.form.setRowVisible(self.wrinkles, chosen.relief and not chosen.pictures and self._has_relief)
        self._tell()
        folder = self._sessions[0].resolve()
        if len(self._sessions) > 1:
            self.out.setText(str(folder.parent / "exported"))
        else:
            self.out.setText(str(folder.parent / f"{folder.name}{chosen.suffix or '_' + chosen.name}"))

    def _tell(self, *_: object) -> None:
        """What somebody who gets the file learns."""
        chosen = self.chosen
        parts = [tr("movements of face, head and eyes")]
        if chosen.pictures and self.view.currentData() in ("overlay", "input"):
            parts = [tr("pictures of you and the room")]
        elif chosen.shape:
            parts.append(tr("the shape of your face"))
        if chosen.name in ("mp4", "webm") and self.audio.isChecked():
            parts.append(tr("your voice, if it was recorded"))
        self.holds.setText(tr("The file will hold: {things}.", things=", ".join(parts)))

    def _choose(self) -> None:
        dialog = QFileDialog(self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.selectFile(self.out.text())
        dialog.fileSelected.connect(self.out.setText)
        dialog.open()

    def _on_act(self) -> None:
        text = self.out.text().strip()
        if not text:
            self._complain(tr("No place for the export is named: choose one."), self.out)
            return
        chosen = self.chosen
        span = self._span if self.marked.isChecked() else None
        wish = ExportWish(
            self._sessions,
            chosen.name,
            Path(text).expanduser(),
            start_s=None if span is None else span[0],
            end_s=None if span is None else span[1],
            fps=self.rate.currentData(),
            view=self.view.currentData() if chosen.pictures else None,
            size=self.dimensions.currentData() if chosen.pictures else None,
            audio=self.audio.isChecked(),
            wrinkles=chosen.relief and not chosen.pictures and self._has_relief and self.wrinkles.isChecked(),
            background=self.background.isChecked() and chosen.name == "png",
        )
        self._done(wish)
