"""The guided capture on a running source: collects on a thread of its own, keeps, or forgets. A companion of the
director."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from psygnal import Signal

from app.errors import sentence_for
from app.live.director import Director
from app.state.capture_guide import CaptureStage, GuidedCaptureState
from app.state.live import Phase
from app.state.notices import Notice, NoticeLevel
from app.tasks import Task, TaskState
from tracking.types import FaceObservation, Image, TrackedFace

if TYPE_CHECKING:
    from tracking.capture_guide import GuideStatus

_log = logging.getLogger(__name__)

SHOW_EVERY_S = 1 / 15
MOST_WAITING = 3
"""Results that wait for the collector; where it is slower than the tracking, the oldest are left out."""
LOOK_EVERY_S = 1.0
"""Between two looks for other people in the picture."""
SILENT_S = 2.0
"""Without a result, after which it is said."""
CLOSE_WAIT_S = 0.3
LIVE_KINDS = ("camera", "demo", "file", "synthetic")
"""Sources with pictures of somebody; sessions and received values have none that could be guided."""


class Crowd(Protocol):
    """Finds every face in a picture, as `LandmarkDetector` does."""

    def detect(self, image: Image) -> list[FaceObservation]:
        """All faces."""

    def close(self) -> None:
        """Free it."""


def _crowd() -> Crowd:
    from tracking.landmarks import LandmarkDetector

    return LandmarkDetector("image", 3)


@dataclass(frozen=True, slots=True)
class Collected:
    """What the collector knows.

    Attributes:
        status: of the guide.
        problem: why nothing can be made of it, once no step is due; empty where something can.
        failed: why collecting came to an end, one sentence; empty while it goes on.
    """

    status: GuideStatus
    problem: str = ""
    failed: str = ""


class Collector:
    """Leads one capture on a thread of its own.

    Args:
        make_crowd: makes the detector of other people; called on the thread.
    """

    def __init__(self, make_crowd: Callable[[], Crowd] = _crowd) -> None:
        from tracking.capture_guide import CaptureGuide

        self.guide = CaptureGuide()
        """For others only once `known.status.step` is None and no wish is under way."""
        self.known = Collected(self.guide.status())
        self.seen_s = time.monotonic()
        """When the last result came."""
        self._make_crowd = make_crowd
        self._faces: deque[TrackedFace] = deque(maxlen=MOST_WAITING)
        self._wishes: deque[Callable[[], None]] = deque()
        self._wake = threading.Event()
        self._closing = False
        self._looked_s = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="mien-capture", daemon=True)
        self._thread.start()

    def take(self, face: TrackedFace) -> None:
        """A result, on the tracking thread: takes microseconds."""
        self.seen_s = time.monotonic()
        self._faces.append(face)
        self._wake.set()

    def skip(self) -> None:
        """Leave the step that is due."""
        self._ask(self.guide.skip)

    def back(self) -> None:
        """To the step before."""
        self._ask(self.guide.back)

    def finish(self) -> None:
        """Leave it at what was seen."""
        self._ask(self.guide.finish)

    def close(self) -> None:
        """End the thread; waits for it less than half a second."""
        self._closing = True
        self._wake.set()
        self._thread.join(CLOSE_WAIT_S)

    def _ask(self, wish: Callable[[], None]) -> None:
        self._wishes.append(wish)
        self._wake.set()

    def _run(self) -> None:
        crowd: Crowd | None = None
        try:
            while not self._closing:
                self._wake.wait()
                self._wake.clear()
                while self._wishes and not self._closing:
                    self._wishes.popleft()()
                    self._publish()
                while self._faces and not self._wishes and not self._closing:
                    face = self._faces.popleft()
                    if self.guide.over:
                        continue
                    self.guide.add(face)
                    if time.monotonic() - self._looked_s >= LOOK_EVERY_S:
                        self._looked_s = time.monotonic()
                        crowd = crowd or self._make_crowd()
                        self.guide.add_look(crowd.detect(face.frame.image), face.observation)
                    self._publish()
        except Exception as error:
            _log.exception("the guided capture failed")
            text = sentence_for(error) or f"The capture failed ({' '.join(str(error).split())}): please report it."
            self.known = Collected(self.known.status, failed=text)
        finally:
            if crowd is not None:
                crowd.close()

    def _publish(self) -> None:
        from tracking.person_capture import CaptureError

        status, problem = self.guide.status(), ""
        if status.step is None:
            try:
                self.guide.capture.check()
            except CaptureError as error:
                problem = str(error)
        self.known = Collected(status, problem)


class GuidedCapture:
    """Begins, watches and ends guided captures.

    Args:
        director: whose session's pictures are used.
        make_crowd: see Collector.
    """

    kept = Signal(str)
    """A capture lies beside the avatars under this name: one can be made of it."""

    def __init__(self, director: Director, make_crowd: Callable[[], Crowd] = _crowd) -> None:
        self._director = director
        self._models = director.models
        self._make_crowd = make_crowd
        self.state = GuidedCaptureState()
        self._collector: Collector | None = None
        self._source = director.models.sources.current
        self._shown_s = 0.0

    @property
    def possible(self) -> bool:
        """Whether there is somebody to guide: a source that runs."""
        live = self._models.live.now
        running = live.phase in (Phase.TRACKING, Phase.SEARCHING, Phase.LOST)
        return running and not live.recorded and self._models.sources.current.kind in LIVE_KINDS

    def begin(self) -> None:
        """Begin a capture, unless one is under way or there is nobody to guide."""
        if self.state.busy or not self.possible:
            return
        self._source = self._models.sources.current
        self._collector = collector = Collector(self._make_crowd)
        session = self._director.session
        session.result_taps = (*session.result_taps, collector.take)
        self.state.begin(collector.known.status)

    def skip(self) -> None:
        """Leave the step that is due for the next one."""
        if self._collector is not None:
            self._collector.skip()

    def back(self) -> None:
        """To the step before, also from the end."""
        if self._collector is not None and self.state.stage is not CaptureStage.KEEPING:
            self._collector.back()

    def finish(self) -> None:
        """Leave it at what was seen."""
        if self._collector is not None:
            self._collector.finish()

    def cancel(self) -> None:
        """Give it up: nothing is kept."""
        if self.state.stage is not CaptureStage.KEEPING:
            self._end()

    def keep(self, name: str, licence: str) -> None:
        """Write what was captured to the disk; `kept` tells when it is done.

        Args:
            name: of the avatar.
            licence: under which terms others may use it, in words.
        """
        collector = self._collector
        if collector is None or self.state.stage is not CaptureStage.REVIEW:
            return
        self.state.keep()
        self._models.tasks.start(
            self._director.translate("Keep the capture"),
            lambda _: _keep(collector, name, licence),
            on_done=lambda task: self._on_kept(task, name),
            quiet=True,
        )

    # --- from the window's timer ----------------------------------------------------------------------------------

    def advance(self, now_s: float) -> None:
        """See how it stands."""
        collector = self._collector
        if collector is None or now_s - self._shown_s < SHOW_EVERY_S:
            return
        self._shown_s = now_s
        known = collector.known
        tr = self._director.translate
        if known.failed:
            self._give_up(known.failed)
        elif self._models.sources.current != self._source and self.state.stage is CaptureStage.RUNNING:
            self._give_up(tr("The guided capture ended, because another source was chosen: nothing of it was kept."))
        else:
            self.state.show(known.status, self._silence(collector), known.problem)

    def close(self) -> None:
        """The program ends."""
        self._end()

    def _silence(self, collector: Collector) -> str:
        """Why no pictures come, one sentence; empty where they do."""
        live, tr = self._models.live.now, self._director.translate
        if live.phase is Phase.HIDDEN:
            return tr("You are hidden: show yourself to go on.")
        if live.phase is Phase.NO_CAMERA:
            return tr("The camera is gone: plug it in again, and it goes on where it was.")
        if live.phase is Phase.ERROR:
            return live.sentence
        if time.monotonic() - collector.seen_s > SILENT_S:
            return tr("No pictures are coming: it goes on with the next one.")
        return ""

    def _on_kept(self, task: Task, name: str) -> None:
        if self._collector is None:
            return
        if task.state is TaskState.DONE:
            self._end()
            self.kept.emit(name)
        else:
            self.state.refuse(task.sentence or self._director.translate("It was not kept: try again."))

    def _give_up(self, sentence: str) -> None:
        self._models.notices.post(Notice("capture", NoticeLevel.WARNING, sentence, lasting=True))
        self._end()

    def _end(self) -> None:
        collector, self._collector = self._collector, None
        if collector is not None:
            session = self._director.session
            session.result_taps = tuple(tap for tap in session.result_taps if tap != collector.take)
            collector.close()
        self.state.end()


def _keep(collector: Collector, name: str, licence: str) -> None:
    """Blocks for a second: for a task's thread.

    Raises:
        AvatarFileError: the name is taken or the disk refuses.
        CaptureError: nothing can be made from it, and why.
    """
    from app.avatar_store import AvatarStore
    from app.jobs.avatar import keep_capture

    keep_capture(collector.guide.capture, name, AvatarStore(), licence)
