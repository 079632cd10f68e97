"""The dock that has to do with the camera: source, its picture, what to draw over it, and what would help."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.state.guidance import Hint
from app.state.live import Live, LiveState, Phase
from app.state.source_list import SourceList
from app.state.view import ViewState
from app.views.preview import Preview
from app.views.source_panel import SourcePanel
from app.views.widgets import Segmented, restyle
from app.window.icons import pixmap
from app.window.style import Style
from app.window.texts import tr

HINTS = {
    Hint.DARK: "It is too dark: turn on a lamp in front of you.",
    Hint.BACKLIT: "The light is behind you: turn away from the window, or put a lamp in front.",
    Hint.BRIGHT: "The picture is overexposed: dim the light or lower the camera's exposure.",
    Hint.EDGE: "Your face is cut off: move towards the middle of the picture.",
    Hint.FAR: "You are far away: come closer, or zoom the camera in.",
    Hint.NEAR: "You are very near: lean back a little.",
    Hint.SLOW_CAMERA: "The camera is slow: more light or a smaller format makes it faster.",
}


class CameraPanel(QWidget):
    """Source, preview, overlay, guidance.

    Args:
        sources, view, live: the models behind it.
        style: colours.
    """

    def __init__(
        self, sources: SourceList, view: ViewState, live: LiveState, style: Style, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._view = view
        self.source = SourcePanel(sources, style)
        self.preview = Preview(view, style)
        self.overlay = Segmented(
            [
                ("none", tr("Off"), tr("Nothing over the picture")),
                ("outline", tr("Outline"), tr("The fitted face's contours")),
                ("points", tr("Points"), tr("The 478 landmarks that were detected")),
                ("mesh", tr("Mesh"), tr("The landmarks, joined")),
            ],
            tr("Over the picture"),
        )
        self.overlay.chosen.connect(lambda value: setattr(view, "overlay", value))
        self.box = QCheckBox(tr("Box"))
        self.box.setToolTip(tr("Frame the face"))
        self.box.clicked.connect(lambda on: setattr(view, "box", on))
        self.guidance = GuidanceLine(live, style)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.overlay, 1)
        row.addWidget(self.box)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.source)
        column.addWidget(self.preview)
        column.addLayout(row)
        column.addWidget(self.guidance)
        column.addStretch(1)
        view.events.connect(self._on_view)
        self._on_view()

    def _on_view(self, *_: object) -> None:
        self.overlay.show_choice(self._view.overlay)
        self.box.setChecked(self._view.box)


class GuidanceLine(QFrame):
    """One line that says what would make the tracking better, or that all is well.

    Args:
        live: whose hint is shown.
        style: colours.
    """

    def __init__(self, live: LiveState, style: Style, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("guidance")
        self._live = live
        self._style = style
        self._mark = QLabel()
        self._mark.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.text = QLabel()
        self.text.setWordWrap(True)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 6, 8, 6)
        row.setSpacing(8)
        row.addWidget(self._mark)
        row.addWidget(self.text, 1)
        live.changed.connect(self._on_live)
        style.changed.connect(lambda: self._on_live(live.now))
        self._shown: object = None
        self._on_live(live.now)

    def _on_live(self, live: Live) -> None:
        c = self._style.colours
        shown = (live.hint, live.phase, live.recorded, c)
        if shown == self._shown:
            return
        self._shown = shown
        if live.hint is not None:
            text, name, colour = tr(HINTS[live.hint]), "warning", c.caution
        elif live.recorded:
            text, name, colour = tr("As it was recorded."), "info", c.muted
        elif live.phase is Phase.TRACKING:
            text, name, colour = tr("Light and position are fine."), "good", c.good
        elif live.phase in (Phase.SEARCHING, Phase.LOST):
            text, name, colour = tr("Look into the camera; the whole face has to be seen."), "info", c.muted
        else:
            text, name, colour = "", "", c.muted
        self.setProperty("on", "true" if live.hint is not None else "false")
        restyle(self)
        self.text.setText(text)
        self.text.setProperty("role", "" if live.hint is not None else "muted")
        restyle(self.text)
        self._mark.setVisible(bool(name))
        if name:
            self._mark.setPixmap(pixmap(name, colour, self._style.px(16), self.devicePixelRatioF()))
