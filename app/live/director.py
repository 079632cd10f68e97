"""Connects the session with the models that the window shows. No Qt; for the thread that shows things."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from app.errors import sentence_for
from app.live.marker import RunMarker
from app.live.models import Models
from app.live.session import NONE, Session
from app.live.session_types import Polled
from app.live.source_notices import Translate, post_source, post_unclean_end
from app.settings import Settings
from app.state.live import Live, Phase, phase_of
from app.state.notices import Notice, NoticeLevel
from app.state.source_list import CameraChoice
from app.tasks import Task, TaskState
from app.window_settings import SourceSettings
from tracking.calibration_store import CalibrationStore
from tracking.coarse_settings import CoarseSettings
from tracking.settings import TrackerSettings
from tracking.types import TrackedFace

STATUS_EVERY_S = 0.25
SHOWN_AFTER_S = 10.0
"""When `when_shown` gives up waiting for a first picture."""
_NOTHING_COMES = (Phase.NO_CAMERA, Phase.ENDED, Phase.ERROR, Phase.HIDDEN)
SAVE_AFTER_S = 1.0
LOW_POWER_STRIDE = 2


def english(text: str, **values: object) -> str:
    """The text as it is: where no window translates."""
    return text.format(**values) if values else text


class Companion(Protocol):
    """A part of the program with work of its own beside the director: recording, outputs, playing."""

    def advance(self, now_s: float) -> None:
        """Let time pass; on the thread that shows things, several times a second."""

    def close(self) -> None:
        """The program ends: finish, in less than half a second."""


class Director:
    """What happens when the user wants something, and what the models say about what happens.

    Args:
        models: changed here and by the views.
        session: polled.
        store: calibrations.
        marker: of this run.
        tr: translates sentences.
        remember_source: keep what was opened for the next start; not for a demo. Sessions are never kept.
    """

    def __init__(
        self,
        models: Models,
        session: Session,
        *,
        store: CalibrationStore | None = None,
        marker: RunMarker | None = None,
        tr: Translate = english,
        remember_source: bool = True,
    ) -> None:
        self.models = models
        self.session = session
        self.store = store or CalibrationStore()
        self.marker = marker or RunMarker()
        self.people: list[str] = []
        self.companions: list[Companion] = []
        """Told of time and of the end; each part of the window adds its own."""
        self.view_fps = 0.0
        """Set by the window: pictures a second that the view draws."""
        self._tr = self.translate = tr
        self._remember = remember_source
        self._shown: TrackedFace | None = None
        self._status_s = self._judged_s = 0.0
        self._changed_s: float | None = None
        self._started_s = time.monotonic()
        self._waiting: list[Callable[[], None]] = []
        self._prepared: dict[str, object] = {"coarse": CoarseSettings(), "person": None}
        self._applied = models.preferences.settings
        models.view.take(models.preferences.settings.window)
        models.view.events.connect(self._on_view)
        models.preferences.changed.connect(self._on_settings)

    # --- start and end --------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to load, and see what the last run left."""
        self.session.set_stride(LOW_POWER_STRIDE if self.models.preferences.settings.window.low_power else 1)
        self.session.start()
        left = self.marker.begin()
        if left is not None:
            post_unclean_end(self.models.notices, left, self._tr)
        person = self.models.preferences.settings.window.person
        self.models.tasks.start(
            self._tr("Look for calibrations"), self._load_people, on_done=self._on_people, quiet=True
        )
        if person:
            self.use_person(person)
        self.look_for_cameras()

    def close(self) -> bool:
        """End everything; blocks for less than a second.

        Returns:
            False where a thread hangs and is left to itself.
        """
        for companion in self.companions:
            companion.close()
        ended = self.session.close()
        self.models.tasks.close(0.2)
        try:
            self.models.preferences.save()
        except Exception as error:
            if sentence_for(error) is None:
                raise
        self.marker.end()
        return ended

    # --- what the user wants --------------------------------------------------------------------------------------

    def open_source(self, source: SourceSettings) -> None:
        """Track this source from now on; `kind` none closes the present one."""
        models = self.models
        self._shown = None
        if self._remember and source.kind != "session":
            models.preferences.set_window(source=source)
        models.sources.set_current(source)
        models.notices.clear("source")
        models.notices.clear("source warning")
        models.live.reset_guidance()
        models.view.frozen = False
        if models.view.hidden and source.kind != "none":
            models.view.hidden = False
        self.session.open(source)
        self._status_s = 0.0

    def look_for_cameras(self) -> None:
        """Fetch the list of cameras anew."""
        self.models.tasks.start(
            self._tr("Look for cameras"), lambda _: _cameras(), on_done=self._on_cameras, quiet=True
        )

    def calibrate(self, person: str, now_s: float) -> None:
        """Measure this person's neutral face, after a countdown."""
        if self.models.live.now.phase in (Phase.TRACKING, Phase.SEARCHING, Phase.LOST):
            self.models.view.frozen = False
            self.models.calibration.begin(person, now_s)

    def cancel_calibration(self) -> None:
        """Give it up."""
        self.session.cancel_measuring()
        self.models.calibration.cancel()

    def use_person(self, person: str) -> None:
        """Take this person's neutral face out of the values; empty for nobody's."""
        self.models.preferences.set_window(person=person)
        if not person:
            self.session.calibrate(None)
            return
        self.models.tasks.start(
            self._tr("Load the calibration"),
            lambda _: self.store.load(person),
            on_done=self._on_calibration_loaded,
            quiet=True,
        )

    def retry(self) -> None:
        """Open the source again after an error."""
        self._shown = None
        self.models.notices.clear("source")
        self.session.reopen()

    def when_shown(self, act: Callable[[], None]) -> None:
        """Do this once the first picture is on the screen, or none is to come: for what would hold it up by loading
        libraries."""
        self._waiting.append(act)

    # --- from the window's timer ----------------------------------------------------------------------------------

    def fresh_face(self) -> TrackedFace | None:
        """The newest result, once; None where there is no newer one or it is not to be shown."""
        view = self.models.view
        if view.frozen or view.hidden:
            return None
        face = self.session.latest()
        if face is None or face is self._shown:
            return None
        self._shown = face
        return face

    def note_shown(self, face: TrackedFace, now_s: float) -> None:
        """A fresh face is about to be shown: judge its conditions, a few times a second."""
        if now_s - self._judged_s < STATUS_EVERY_S:
            return
        self._judged_s = now_s
        fps = self.models.live.now.capture_fps
        camera = self.models.sources.current.kind == "camera" and fps > 0
        self.models.live.note_face(face, fps if camera else None, now_s)

    def advance(self, now_s: float) -> None:
        """Let time pass: a few times a second the models learn what happened on other threads."""
        self._advance_calibration(now_s)
        for companion in self.companions:
            companion.advance(now_s)
        if self._waiting and not self._picture_awaited():
            due, self._waiting = self._waiting, []
            for act in due:
                act()
        if now_s - self._status_s < STATUS_EVERY_S:
            return
        self._status_s = now_s
        self.models.tasks.poll()
        self._update_live(self.session.poll())
        self._save_when_due(now_s)

    def _picture_awaited(self) -> bool:
        models = self.models
        if self.session.displayed or time.monotonic() - self._started_s >= SHOWN_AFTER_S:
            return False
        return models.sources.current.kind != "none" and models.live.now.phase not in _NOTHING_COMES

    def _update_live(self, polled: Polled) -> None:
        models = self.models
        status = polled.status
        phase = phase_of(status, polled.face, opening=polled.opening, hidden=models.view.hidden)
        error = polled.problem or (status.error if status is not None else None)
        if polled.problem is not None:
            phase = Phase.ERROR
        live = Live(phase=phase)
        if status is not None:
            live = Live(
                phase=phase,
                fps=round(status.tracking_fps, 1),
                capture_fps=round(status.capture_fps, 1),
                view_fps=self.view_fps,
                latency_ms=status.display_latency_ms or status.latency_ms,
                dropped=status.dropped,
                captured=status.captured,
                stages=status.stages,
                warning=status.warning or "",
            )
        if polled.face is not None:
            live = replace(live, detail=polled.face.detail, detail_note=polled.face.detail_note)
        live = replace(live, recorded=models.sources.current.kind == "session")
        if error is not None:
            live = replace(live, sentence=error.sentence, remedy=error.remedy)
        post_source(models.notices, live, self._tr)
        models.live.update(live)

    def _advance_calibration(self, now_s: float) -> None:
        state = self.models.calibration
        if state.advance(now_s):
            self.session.measure_neutral(state.person)
        if not state.busy:
            return
        if self.models.live.now.phase not in (Phase.TRACKING, Phase.SEARCHING, Phase.LOST):
            self.session.cancel_measuring()
            state.finish(self._tr("The source ended: open it and try again."), now_s, good=False)
            return
        state.progress(self.session.capture_progress)
        outcome = self.session.take_capture()
        if outcome is None:
            return
        if outcome.calibration is None:
            state.finish(outcome.sentence, now_s, good=False)
            return
        calibration = outcome.calibration
        self.session.calibrate(calibration)
        self.models.preferences.set_window(person=calibration.person)
        sentence = self._tr("The neutral face of {person} is in use.", person=calibration.person)
        state.finish(sentence, now_s, good=True)
        self.models.tasks.start(
            self._tr("Store the calibration"),
            lambda _: (self.store.save(calibration), self.store.people())[1],
            on_done=self._on_people,
            quiet=True,
        )

    # --- what tasks found -----------------------------------------------------------------------------------------

    def _load_people(self, task: Task) -> list[str]:
        return self.store.people()

    def _on_people(self, task: Task) -> None:
        if task.state is TaskState.DONE:
            self.people = task.result
            self.models.calibration.changed.emit()
        else:
            self._post_failure("calibration", task)

    def _on_calibration_loaded(self, task: Task) -> None:
        if task.state is TaskState.FAILED:
            self._post_failure("calibration", task)
        elif task.result is None:
            self.models.preferences.set_window(person="")
        else:
            self.session.calibrate(task.result)

    def _on_cameras(self, task: Task) -> None:
        self.models.sources.set_cameras(task.result if task.state is TaskState.DONE else ())

    def _post_failure(self, key: str, task: Task) -> None:
        self.models.notices.post(Notice(key, NoticeLevel.ERROR, task.sentence, report=task.report, lasting=True))

    # --- settings -------------------------------------------------------------------------------------------------

    def _on_view(self, event: object) -> None:
        models = self.models
        models.preferences.set_window(**models.view.persistent())
        self._follow_hiding()

    def _follow_hiding(self) -> None:
        """Hiding closes the source, so that the camera's lamp goes out; showing oneself opens it again."""
        models = self.models
        if models.view.hidden and models.live.now.phase is not Phase.HIDDEN:
            self.session.open(NONE)
            self._shown = None
            self._status_s = 0.0
        elif not models.view.hidden and models.live.now.phase is Phase.HIDDEN:
            models.live.update(Live(phase=Phase.LOADING))
            self.session.open(models.sources.current)
            self._status_s = 0.0

    def _on_settings(self, before: Settings, after: Settings) -> None:
        self._changed_s = time.monotonic()
        if self._ready(before.tracker) != self._ready(after.tracker):
            self.session.configure(self._ready(after.tracker))
        if before.window.low_power != after.window.low_power:
            self.session.set_stride(LOW_POWER_STRIDE if after.window.low_power else 1)
        for name, value in self.models.view.persistent().items():
            if getattr(after.window, name) != value:
                setattr(self.models.view, name, getattr(after.window, name))

    def use_prepared(self, **parts: object) -> None:
        """Track with these parts of the settings, the coarse network or the person: what they need is ready."""
        ready = self._prepared | parts
        if ready != self._prepared:
            self._prepared = ready
            self.session.configure(self._ready(self.models.preferences.settings.tracker))

    def _ready(self, tracker: TrackerSettings) -> TrackerSettings:
        """With what has to be prepared as it is in force, not as it is wanted."""
        return tracker.model_copy(update=self._prepared)

    def _save_when_due(self, now_s: float) -> None:
        """Write settings a moment after the last change, on a thread: a disk may be slow."""
        if self._changed_s is None or now_s - self._changed_s < SAVE_AFTER_S:
            return
        self._changed_s = None
        if self.models.preferences.unsaved:
            work = self.models.preferences.take_for_saving()
            self.models.tasks.start(self._tr("Save the settings"), lambda _: work(), on_done=self._on_saved, quiet=True)

    def _on_saved(self, task: Task) -> None:
        if task.state is TaskState.FAILED:
            self.models.preferences.saving_failed()
            self._post_failure("settings", task)


def _cameras() -> tuple[CameraChoice, ...]:
    from tracking.sources import list_cameras

    return tuple(CameraChoice(camera.index, camera.name) for camera in list_cameras())
