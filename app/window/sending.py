"""The outputs' part of the main window: panel, dock, state line, and what is drawn for the virtual camera."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel, QWidget

from app.live.director import Director
from app.live.outputs import Outputs
from app.views.head_surface import HeadSurface
from app.views.outputs_panel import OutputsPanel
from app.views.picture_feed import PictureFeed
from app.views.status_line import StatusLine
from app.views.stream_dialog import StreamDialog
from app.window.actions import Actions
from app.window.docks import DockPlace, Side
from app.window.texts import tr
from rendering.virtual_camera.feed import feed_scene, feed_size
from tracking.streams.settings import StreamSettings


class OutputsPart:
    """Made before the docks are; `connect` once they are there.

    Args:
        director: whose session is sent.
        head: draws for the virtual camera.
    """

    def __init__(self, director: Director, head: HeadSurface) -> None:
        self._director = director
        self._head = head
        self.outputs = Outputs(director)
        director.companions.append(self.outputs)
        self.panel = OutputsPanel(self.outputs.state, director.models.preferences)
        self.place = DockPlace("outputs", "Outputs", Side.LEFT, self.panel, "tuning")
        self.mark = QLabel()
        self.mark.setObjectName("statusState")
        self.mark.setProperty("state", "good")
        self.mark.hide()
        self.dialog: StreamDialog | None = None

    def connect(self, window: QWidget, actions: Actions, status: StatusLine) -> None:
        """Connect panel, menu and state line, and start what is switched on."""
        self._window, self._actions = window, actions
        status.slots.addWidget(self.mark)
        self.panel.edit_wanted.connect(self._edit)
        self.panel.retry_wanted.connect(self.outputs.restart_camera)
        self.outputs.state.changed.connect(self._on_state)
        actions.connect({"output.camera": self._toggle_camera})
        self._director.models.preferences.changed.connect(lambda *_: self._follow_camera())
        self.outputs.start()
        self._follow_camera()

    def _toggle_camera(self) -> None:
        camera = self.outputs.settings.virtual_camera
        wanted = camera.model_copy(update={"on": not camera.on})
        self._director.models.preferences.set_outputs(virtual_camera=wanted.model_dump())

    def _follow_camera(self) -> None:
        settings = self.outputs.settings.virtual_camera
        self._actions.check("output.camera", settings.on)
        if not settings.on:
            self._head.feed = None
            return
        self._head.feed = PictureFeed(
            size=lambda face, most: feed_size(settings, (face.frame.image.shape[1], face.frame.image.shape[0]), most),
            scene=lambda scene: feed_scene(settings, scene),
            take=self.outputs.take_picture,
        )

    def _on_state(self) -> None:
        state = self.outputs.state
        self.mark.setVisible(state.sending > 0)
        if state.sending:
            self.mark.setText("●  " + tr("Sending ({count})", count=state.sending))
            outside = tr("Leaving this computer: {places}", places=", ".join(state.outside))
            self.mark.setToolTip(outside if state.outside else tr("To programs on this computer"))

    def _edit(self, number: int) -> None:
        streams = self.outputs.settings.streams
        if self.dialog is not None:
            self.dialog.close()
        dialog = StreamDialog(streams[number], self._window)
        dialog.wanted.connect(lambda stream: self._replace(number, stream))
        dialog.finished.connect(lambda _: setattr(self, "dialog", None))
        self.dialog = dialog
        dialog.open()

    def _replace(self, number: int, stream: StreamSettings) -> None:
        streams = [each.model_dump() for each in self.outputs.settings.streams]
        streams[number] = stream.model_dump()
        self._director.models.preferences.set_outputs(streams=streams)
