"""The main window: puts the views together and drives them from one timer."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

from PySide6.QtCore import QByteArray, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QCloseEvent, QResizeEvent
from PySide6.QtWidgets import QToolBar, QVBoxLayout, QWidget

from app.live.director import Director
from app.live.report import LogTail, report_text
from app.state.actions import VIEWS
from app.state.live import Phase
from app.state.notices import Notice
from app.state.shortcuts import ShortcutMap
from app.views.banner import Banner
from app.views.calibration_card import CalibrationCard
from app.views.camera_panel import CameraPanel
from app.views.expression import ExpressionBars
from app.views.heads import make_head
from app.views.plots import Plots
from app.views.stage import Stage, StartCard
from app.views.status_line import StatusLine
from app.views.tasks_panel import TasksPanel
from app.views.tuning_panel import TuningPanel
from app.views.wake import Waker
from app.views.widgets import Segmented
from app.window.actions import Actions
from app.window.avatars import AvatarsPart
from app.window.commands import DOCKS_VERSION, WindowCommands
from app.window.dialogs import Dialogs
from app.window.docks import DockPlace, Side, TabTitles, add_docks, restore_docks
from app.window.global_keys import GlobalKeys
from app.window.idling import IdlePart
from app.window.meter import FrameMeter
from app.window.output_window import OutputWindow
from app.window.playing import PlayerPart
from app.window.recording import RecordingPart
from app.window.sending import OutputsPart
from app.window.staging import StagingPart
from app.window.style import Style
from app.window.texts import tr
from app.window_settings import SourceSettings
from tracking.types import TrackedFace

BUSY_MS, IDLING_MS, IDLE_MS = 20, 70, 120
"""How often the timer looks what has changed: with a source, with an avatar that idles without one, with neither. New
results do not wait for it."""
PANEL_EVERY_S, PLOT_EVERY_S = 1 / 18, 1 / 16
LOW_POWER_EVERY_S = 1 / 13


class MainWindow(WindowCommands):
    """The window of the program.

    Args:
        director: what the window shows and asks for.
        shortcuts: actions and keys.
        style: colours and sizes.
        log: last lines of the log, for reports.
    """

    first_picture = Signal()
    """The first tracked face has reached the screen."""
    clip_ended = Signal()
    """A source that does not start over has come to its end."""

    def __init__(self, director: Director, shortcuts: ShortcutMap, style: Style, log: LogTail | None = None) -> None:
        super().__init__()
        self.director = director
        self.models = director.models
        self._style = style
        self._log = log
        self.meter = FrameMeter()
        self._seen_first = False
        self._model_shown = False
        self._panel_s = self._plot_s = self._shown_s = 0.0
        self.output: OutputWindow | None = None
        self.setWindowTitle("Mien")
        self.setAcceptDrops(True)
        self._make_views()
        self.actions_ = Actions(self, shortcuts, style)
        self.dialogs = Dialogs(self, director, shortcuts, style)
        self._arrange()
        self._connect(shortcuts)
        self._restore()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start(IDLE_MS)
        self._waker = Waker(self._on_result, self)
        director.session.on_result = self._waker.wake

    # --- making ---------------------------------------------------------------------------------------------------

    def _make_views(self) -> None:
        models, style = self.models, self._style
        self.head = make_head(models.view, models.preferences.settings.window.drawing)
        self.stage = Stage(self.head, models.view, models.live)
        self.banner = Banner(models.notices, style, self._report)
        self.start_card = StartCard(models.sources, models.live)
        self.calibration_card = CalibrationCard(models.calibration)
        self.stage.add_banner(self.banner)
        self.stage.add_card(self.start_card)
        self.stage.add_card(self.calibration_card)
        self.camera = CameraPanel(models.sources, models.view, models.live, style)
        self.tuning = TuningPanel(models.preferences, models.view, models.calibration)
        self.bars = ExpressionBars(style)
        self.plots = Plots(style)
        self.tasks = TasksPanel(models.tasks)
        self.status = StatusLine(models.live, models.tasks)
        self.player = PlayerPart(self.director, style)
        self.record = RecordingPart(self.director)
        self.sending = OutputsPart(self.director, self.head)
        self.avatars = AvatarsPart(self.director, self.head, style)
        self.idle = IdlePart(models, self._heads, self.stage, self.start_card, self._pace)
        self.staging = StagingPart(self.director, self.avatars.avatars, style)

    def _arrange(self) -> None:
        self.actions_.fill_menus()
        bar = QToolBar(tr("Tools"))
        bar.setObjectName("tools")
        bar.setMovable(False)
        bar.setIconSize(QSize(20, 20))
        bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        texts = {name: self.actions_.by_name[f"view.{name}"] for name in VIEWS}
        self.views = Segmented([(n, a.text(), a.toolTip()) for n, a in texts.items()], tr("View"))
        self.actions_.fill_tools(bar, self.views)
        self.addToolBar(bar)
        self.tool_bar = bar
        self._tools_width = bar.sizeHint().width()
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(2, 0, 2, 0)
        column.addWidget(self.stage)
        self.setCentralWidget(middle)
        self.docks = add_docks(
            self,
            [
                DockPlace("camera", "Camera", Side.LEFT, self.camera),
                DockPlace("tuning", "Adjust", Side.LEFT, self.tuning),
                DockPlace("expression", "Expression", Side.RIGHT, self.bars),
                DockPlace("plots", "Over time", Side.RIGHT, self.plots, "expression"),
                DockPlace("tasks", "Tasks", Side.RIGHT, self.tasks, "expression"),
                self.record.place,
                self.sending.place,
                self.avatars.place,
                self.staging.place,
                self.player.place,
            ],
            self._style,
        )
        TabTitles(self, list(self.docks.values()))
        for name in ("expression", "tuning"):
            self.docks[name].raise_()
        menu = self.actions_.menus["View"]
        panels = menu.addMenu(tr("Panels"))
        for dock in self.docks.values():
            panels.addAction(dock.toggleViewAction())
        reset = QAction(tr("Reset panels"), self)
        reset.triggered.connect(self.reset_docks)
        panels.addSeparator()
        panels.addAction(reset)
        self.statusBar().setSizeGripEnabled(False)
        self.statusBar().addWidget(self.status, 1)
        self.statusBar().setMinimumHeight(self._style.px(40))
        self._first_docks = self._docks_before = self.saveState(DOCKS_VERSION)

    def _connect(self, shortcuts: ShortcutMap) -> None:
        models, director = self.models, self.director
        self.camera.source.chosen.connect(director.open_source)
        self.camera.source.receiver_wanted.connect(self.dialogs.receiver)
        self.camera.source.refresh_wanted.connect(director.look_for_cameras)
        self.start_card.chosen.connect(director.open_source)
        for panel in (self.camera.source, self.start_card):
            panel.file_wanted.connect(self.choose_file)
        self.tuning.calibrate_wanted.connect(self.calibrate)
        self.tuning.person_chosen.connect(director.use_person)
        self.calibration_card.cancelled.connect(director.cancel_calibration)
        self.status.low_power_wanted.connect(lambda _: self._toggle_low_power())
        self.status.tasks_wanted.connect(lambda: self.show_dock("tasks"))
        self.banner.action_wanted.connect(self._on_notice_action)
        self.views.chosen.connect(lambda name: setattr(models.view, "view", name))
        self.head.displayed.connect(self._on_displayed)
        self.head.failed.connect(self._on_drawing_failed)
        self.docks["plots"].visibilityChanged.connect(self._on_plots_visible)
        self.player.connect(self, self.dialogs)
        self.record.connect(self.actions_, self.dialogs, self.status)
        self.sending.connect(self, self.actions_, self.status)
        self.avatars.connect(self, self.dialogs, shortcuts)
        self.staging.connect()
        self.everywhere = GlobalKeys(shortcuts, self.press_everywhere, self.tell_key_problem, parent=self)
        models.view.events.connect(self._on_view)
        models.preferences.changed.connect(self._on_settings)
        models.live.phase_changed.connect(self._on_phase)
        models.live.changed.connect(self.tuning.show_detail)
        models.sources.current_changed.connect(self._on_source)
        models.notices.changed.connect(self.stage.arrange)
        models.calibration.changed.connect(self._on_calibration)
        models.preferences.undo.changed.connect(self._on_undo)
        self.actions_.connect(
            {
                "file.open": self.choose_file,
                "file.demo": lambda: director.open_source(SourceSettings(kind="demo")),
                "file.session": self.choose_session,
                "file.export": self.player.export,
                "file.close": lambda: director.open_source(SourceSettings()),
                "file.track": self.dialogs.track,
                "file.quit": self.close,
                **{f"edit.{name}": getattr(models.preferences.undo, name) for name in ("undo", "redo")},
                "edit.settings": self.dialogs.settings,
                **{f"view.{name}": partial(setattr, models.view, "view", name) for name in VIEWS},
                "view.recentre": models.view.recentre,
                "view.lock": lambda: self._toggle("locked"),
                "view.mirror": lambda: self._toggle("mirror"),
                "view.freeze": self._freeze,
                "view.panels": self.toggle_panels,
                "view.fullscreen": self.toggle_fullscreen,
                "face.neutral": self.calibrate,
                "face.hide": lambda: self._toggle("hidden"),
                "face.no_expressions": self.avatars.avatars.clear_expressions,
                "face.source_mirrored": self._toggle_source_mirrored,
                "face.low_power": self._toggle_low_power,
                "output.window": self.toggle_output,
                "help.shortcuts": self.dialogs.shortcuts,
                "help.report": self.dialogs.report,
                "help.about": self.dialogs.about,
            }
        )
        for show in (self._on_view, self._on_undo, self._on_source):
            show()
        self.status.low_power.setChecked(models.preferences.settings.window.low_power)
        self.actions_.check("view.panels", True)
        self.actions_.check("face.low_power", models.preferences.settings.window.low_power)

    def _restore(self) -> None:
        settings = self.models.preferences.settings.window
        self.resize(QSize(1280, 800).boundedTo(self.screen().availableSize()))
        if settings.geometry:
            self.restoreGeometry(QByteArray.fromBase64(settings.geometry.encode()))
        if not settings.docks:
            return self._size_docks()
        restore_docks(self, QByteArray.fromBase64(settings.docks.encode()), DOCKS_VERSION)

    # --- the timer ------------------------------------------------------------------------------------------------

    def _tick(self) -> None:
        now = time.monotonic()
        self.meter.note_tick(now)
        if not self._model_shown and self.director.session.ready_to_draw and self.director.session.model is not None:
            self._model_shown = True
            self.head.set_model(self.director.session.model)
            self.camera.preview.set_model(self.director.session.model)
            if self.output is not None:
                self.output.head.set_model(self.director.session.model)
        self._on_result()
        self.idle.advance(now)
        self.director.view_fps = self.meter.view_fps(now)
        self.director.advance(now)

    def _on_result(self) -> None:
        """Show what the tracking has found, if it is new."""
        now = time.monotonic()
        low_power = self.models.preferences.settings.window.low_power
        if low_power and now - self._shown_s < LOW_POWER_EVERY_S:
            return
        face = self.director.fresh_face()
        if face is not None:
            self._shown_s = now
            self._show(face, now, low_power)

    def _show(self, face: TrackedFace, now: float, low_power: bool) -> None:
        """Hand a result to all who show it, in one go: each repaint composes the whole window."""
        self.director.note_shown(face, now)
        self.idle.idling.note_face(face, now)
        for head in self._heads():
            head.show_face(face)
        self.camera.preview.show_face(face)
        if now - self._panel_s >= PANEL_EVERY_S:
            self._panel_s = now
            self.bars.show_values(None if face.parameters is None else face.parameters.expression)
            self.avatars.note_face(face)
        self.plots.add(face, now)
        if not low_power and now - self._plot_s >= PLOT_EVERY_S:
            self._plot_s = now
            self.plots.refresh()

    def _on_displayed(self, face: TrackedFace) -> None:
        if face.made_up:
            return
        self.director.session.note_displayed(face)
        self.meter.note_displayed(face, time.monotonic())
        if not self._seen_first and face.vertices is not None:
            self._seen_first = True
            self.first_picture.emit()

    # --- what changes ---------------------------------------------------------------------------------------------

    def _on_phase(self, phase: Phase) -> None:
        self._pace()
        if phase in (Phase.NO_SOURCE, Phase.ERROR, Phase.NO_CAMERA, Phase.HIDDEN, Phase.LOADING):
            message = "" if phase is Phase.LOADING else tr("No picture")
            self.camera.preview.show_face(None, message)
            self.bars.show_values(None)
        self.idle.leave()
        if phase is Phase.ENDED:
            self.clip_ended.emit()
        can = phase in (Phase.TRACKING, Phase.SEARCHING, Phase.LOST)
        self.actions_.by_name["face.neutral"].setEnabled(can)
        self.tuning.calibrate.setEnabled(can)
        self.actions_.by_name["file.close"].setEnabled(phase is not Phase.NO_SOURCE)

    def _pace(self) -> None:
        phase = self.models.live.now.phase
        live = phase in (Phase.TRACKING, Phase.SEARCHING, Phase.LOST, Phase.LOADING, Phase.NO_CAMERA)
        self._timer.setInterval(BUSY_MS if live else IDLING_MS if self.models.avatars.idling else IDLE_MS)

    def open_avatar(self, path: Path) -> None:
        self.avatars.avatars.open(path)

    def _freeze(self) -> None:
        """A session stops; anything else goes on behind the last picture."""
        if self.player.toggle():
            self.actions_.check("view.freeze", self.models.view.frozen)
        else:
            self._toggle("frozen")

    def _on_view(self, *_: object) -> None:
        view = self.models.view
        self.views.show_choice(view.view)
        for name, on in (
            ("view.lock", view.locked),
            ("view.mirror", view.mirror),
            ("view.freeze", view.frozen),
            ("face.hide", view.hidden),
        ):
            self.actions_.check(name, on)

    def _on_settings(self, *_: object) -> None:
        window = self.models.preferences.settings.window
        self._style.set(window.theme, window.text_scale)
        self.actions_.check("face.low_power", window.low_power)
        self.status.low_power.setChecked(window.low_power)

    def _on_calibration(self) -> None:
        self.tuning.show_people(self.director.people)
        self.stage.arrange()

    def _on_undo(self) -> None:
        undo = self.models.preferences.undo
        for name, text, word in (("edit.undo", undo.undo_text, tr("Undo")), ("edit.redo", undo.redo_text, tr("Redo"))):
            action = self.actions_.by_name[name]
            action.setEnabled(text is not None)
            action.setText(f"{word} {text}" if text else word)

    def _on_plots_visible(self, visible: bool) -> None:
        if visible and not self.plots.built:
            self.models.tasks.start(
                tr("Load the plots"), lambda _: Plots.load(), on_done=lambda _: self.plots.build(), quiet=True
            )

    # --- what the user wants --------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        # Pictures alone where there is no room for words, before a tool disappears.
        words = self.width() >= self._tools_width
        style = Qt.ToolButtonStyle.ToolButtonTextBesideIcon if words else Qt.ToolButtonStyle.ToolButtonIconOnly
        if self.tool_bar.toolButtonStyle() is not style:
            self.tool_bar.setToolButtonStyle(style)
        super().resizeEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        self._timer.stop()
        self.everywhere.close()
        self._waker.close()
        if self.output is not None:
            self.output.close()
        self.dialogs.close()
        panels_shown = self.actions_.by_name["view.panels"].isChecked()
        docks = self.saveState(DOCKS_VERSION) if panels_shown else self._docks_before
        self.models.preferences.set_window(
            geometry=bytes(self.saveGeometry().toBase64().data()).decode(),
            docks=bytes(docks.toBase64().data()).decode(),
        )
        self.head.close_canvas()
        super().closeEvent(event)

    def _on_source(self) -> None:
        source = self.models.sources.current
        action = self.actions_.by_name["face.source_mirrored"]
        action.setEnabled(source.kind in ("camera", "file"))
        action.setChecked(source.mirrored)

    def _report(self, notice: Notice) -> str:
        return report_text(notice.sentence, notice.report, self._log)
