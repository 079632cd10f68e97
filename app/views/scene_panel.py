"""How whoever is drawn is staged: background, camera, light."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QGridLayout,
    QLabel,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from app.state.scene import SceneState
from app.state.view import ViewState
from app.views.colour_button import ColourButton
from app.views.light_box import LightBox
from app.views.widgets import Segmented, heading, muted, restyle, rule
from app.window.style import Style
from app.window.texts import tr
from rendering.scene_settings import LightSettings, SceneSettings

KINDS = {
    "studio": "Studio",
    "colour": "Colour",
    "picture": "Picture",
    "camera": "Blurred camera",
    "key": "Key colour",
    "transparent": "Transparent",
}
TOLD = {
    "camera": "What the camera sees, blurred on this computer. While you are hidden, one colour.",
    "key": "For programs that take a colour out: edges are hard, so that none of it is left.",
    "transparent": "The output window shows what is behind it, where the system can; a virtual camera the studio.",
}


class ScenePanel(QWidget):
    """Every change shows at once.

    Args:
        state: the scene.
        view: whether the picture is mirrored.
        style: sizes.
    """

    edited = Signal(object, str, str)
    """SceneSettings, what the step does, and which steps in a row are one."""
    let_go = Signal()
    """The next change is a step of its own."""

    def __init__(self, state: SceneState, view: ViewState, style: Style, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._view = view
        self._filling = False
        self.kinds = QComboBox()
        self.kinds.setAccessibleName(tr("Background"))
        for kind, text in KINDS.items():
            self.kinds.addItem(tr(text), kind)
        self.kinds.activated.connect(lambda at: self._background(tr("background"), "", kind=self.kinds.itemData(at)))
        self.colour = self._colour_button(tr("Colour…"), "colour", style)
        self.key = self._colour_button(tr("Key colour…"), "key", style)
        self.picture = QPushButton(tr("Choose…"))
        self.picture.setAccessibleName(tr("Choose the background's picture"))
        self.picture.clicked.connect(self.choose_picture)
        self.blur = QSlider(Qt.Orientation.Horizontal)
        self.blur.setRange(0, 100)
        self.blur.setAccessibleName(tr("Blur"))
        self.blur.valueChanged.connect(lambda value: self._background(tr("blur"), "blur", blur=value / 100))
        self.blur.sliderReleased.connect(self.let_go)
        self.told = muted()
        self.framing = Segmented(
            [
                ("follow", tr("Follow"), tr("The head stays in the middle")),
                (
                    "stay",
                    tr("Stay"),
                    tr("The head moves in the picture as you do; Recentre puts it into the middle"),
                ),
            ],
            tr("Camera"),
        )
        self.framing.chosen.connect(lambda value: self._change(tr("camera"), "", framing=value))
        self.fov = QSlider(Qt.Orientation.Horizontal)
        self.fov.setRange(8, 90)
        self.fov.setAccessibleName(tr("Field of view"))
        self.fov.setToolTip(tr("Narrow flattens a face as portraits do, wide brings out what is near"))
        self.fov.valueChanged.connect(lambda value: self._change(tr("field of view"), "fov", fov_deg=float(value)))
        self.fov.sliderReleased.connect(self.let_go)
        self.fov_value = muted(wrap=False)
        self.light = LightBox(style)
        self.light.edited.connect(self._on_light)
        self.light.let_go.connect(self.let_go)
        self.reset = QPushButton(tr("Reset the scene"))
        self.reset.clicked.connect(lambda: self.edited.emit(SceneSettings(), tr("scene"), ""))
        self._pages: dict[str, QWidget] = {}
        self._arrange()
        state.changed.connect(self._on_state)
        view.events.mirror.connect(self._on_state)
        self._on_state()

    def choose_picture(self) -> None:
        """Ask for a file."""
        dialog = QFileDialog(self, tr("Choose a picture"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilter(tr("Pictures") + " (*.jpg *.jpeg *.png *.webp *.bmp *.tif *.tiff)")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.take_picture)
        dialog.open()

    def take_picture(self, path: str) -> None:
        """Show this file's picture."""
        self._background(tr("background"), "", kind="picture", picture=str(Path(path).absolute()))

    def _arrange(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(heading(tr("Background")))
        column.addWidget(self.kinds)
        labelled = QWidget()
        row = QGridLayout(labelled)
        row.setContentsMargins(0, 0, 0, 0)
        label = QLabel(tr("Blur"))
        label.setBuddy(self.blur)
        row.addWidget(label, 0, 0)
        row.addWidget(self.blur, 0, 1)
        self._pages = {"colour": self.colour, "picture": self.picture, "camera": labelled, "key": self.key}
        for page in self._pages.values():
            column.addWidget(page)
        column.addWidget(self.told)
        column.addWidget(rule())
        column.addWidget(heading(tr("Camera")))
        column.addWidget(self.framing)
        grid = QGridLayout()
        label = QLabel(tr("Field of view"))
        label.setBuddy(self.fov)
        grid.addWidget(label, 0, 0)
        grid.addWidget(self.fov, 0, 1)
        grid.addWidget(self.fov_value, 0, 2)
        column.addLayout(grid)
        column.addWidget(rule())
        column.addWidget(heading(tr("Light")))
        column.addWidget(self.light)
        column.addWidget(rule())
        column.addWidget(self.reset)
        column.addStretch(1)

    def _colour_button(self, text: str, field: str, style: Style) -> ColourButton:
        button = ColourButton(text, style)
        button.chosen.connect(lambda colour: self._background(tr("background"), field, **{field: colour}))
        button.done.connect(self.let_go)
        return button

    def _on_state(self, *_: object) -> None:
        settings, problem = self._state.settings, self._state.problem
        background = settings.background
        self._filling = True
        self.kinds.setCurrentIndex(self.kinds.findData(background.kind))
        for kind, page in self._pages.items():
            page.setVisible(kind == background.kind)
        self.colour.show_colour(background.colour)
        self.key.show_colour(background.key)
        self.blur.setValue(round(100 * background.blur))
        name = Path(background.picture).name if background.picture else ""
        name = self.picture.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, 220)
        self.picture.setText(name or tr("Choose…"))
        self.picture.setToolTip(background.picture or "")
        told = problem
        if not told and background.kind == "picture" and not background.picture:
            told = tr("Choose a picture.")
        self.told.setText(told or tr(TOLD.get(background.kind, "")))
        self.told.setVisible(bool(self.told.text()))
        self.told.setProperty("role", "problem" if problem else "muted")
        restyle(self.told)
        self.framing.show_choice(settings.framing)
        self.fov.setValue(round(settings.fov_deg))
        self.fov_value.setText(f"{round(settings.fov_deg)}°")
        self.light.mirrored = self._view.mirror
        self.light.show_light(settings.light, picture=bool(background.picture))
        self.reset.setEnabled(settings != SceneSettings())
        self._filling = False

    def _on_light(self, light: LightSettings, what: str) -> None:
        self._change(tr("light"), f"light {what}" if what else "", light=light)

    def _background(self, text: str, merge: str, **values: object) -> None:
        background = self._state.settings.background.model_copy(update=values)
        self._change(text, merge and f"background {merge}", background=background)

    def _change(self, text: str, merge: str, **values: object) -> None:
        if self._filling:
            return
        self.edited.emit(self._state.settings.model_copy(update=values), text, merge)
