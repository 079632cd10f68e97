"""Prepares the coarse network before the tracker gets it. A companion of the director.

Loading, converting and testing it takes seconds, and the first time half a minute: done on the tracking thread, the
face would stand still meanwhile. A network or adapters that cannot be used leave tracking as it is, and say why.
"""

from __future__ import annotations

from app.live.director import Director
from app.settings import Settings
from app.state.coarse import CoarseStage
from app.state.notices import Notice, NoticeLevel
from app.tasks import Task, TaskState
from tracking.coarse_settings import CoarseSettings

NOTICE = "coarse"


class Coarse:
    """Puts the coarse network's settings in force once it is ready for them, and tells what both networks run on.

    Args:
        director: whose tracker gets it.
    """

    def __init__(self, director: Director) -> None:
        self._director = director
        self._models = director.models
        self._generation = 0
        self._models.preferences.changed.connect(self._on_settings)
        # Not at the start: the first picture should not wait for it.
        director.when_shown(lambda: self._want(self._models.preferences.settings.tracker.coarse))

    def advance(self, now_s: float) -> None:
        """What the wrinkles' network runs on is known once a view has shown some."""
        self._models.coarse.show_detail(self._director.session.detail_engine)

    def close(self) -> None:
        """Nothing is left to do."""
        self._models.preferences.changed.disconnect(self._on_settings)

    def _on_settings(self, before: Settings, after: Settings) -> None:
        if before.tracker.coarse != after.tracker.coarse:
            self._want(after.tracker.coarse)

    def _want(self, wanted: CoarseSettings) -> None:
        self._generation += 1
        generation = self._generation
        if wanted.mode == "off":
            self._models.coarse.show(CoarseStage.OFF)
            self._director.use_prepared(coarse=wanted)
            return
        self._models.notices.clear(NOTICE)
        self._models.coarse.show(CoarseStage.PREPARING)
        self._models.tasks.start(
            self._director.translate("Prepare the coarse network"),
            lambda _: prepare(wanted),
            on_done=lambda task: self._on_ready(task, wanted, generation),
            quiet=True,
        )

    def _on_ready(self, task: Task, wanted: CoarseSettings, generation: int) -> None:
        if generation != self._generation:
            return
        if task.state is TaskState.DONE:
            self._director.use_prepared(coarse=wanted)
            self._models.coarse.show(CoarseStage.ON, task.result)
            return
        if task.state is TaskState.FAILED:
            notice = Notice(NOTICE, NoticeLevel.ERROR, task.sentence, report=task.report, lasting=True)
            self._models.notices.post(notice)
        self._models.preferences.set_coarse(wanted.model_copy(update={"mode": "off"}))


def prepare(wanted: CoarseSettings) -> str:
    """Loads and tests the network once, which leaves it converted for the tracker; says what it runs on.

    Raises:
        WeightsError, EngineError, AvatarFileError: it cannot be used, or not for the person who was named.
    """
    from models.face_model import load_face_model
    from tracking.coarse import CoarsePredictor, chosen_weights
    from tracking.coarse_person import CoarsePerson

    person = None if wanted.person is None else CoarsePerson.read(wanted.person)
    predictor = CoarsePredictor(load_face_model(), chosen_weights(wanted), wanted.engine, person=person)
    try:
        return f"{predictor.header.preset}, {predictor.chosen.text}"
    finally:
        predictor.chosen.engine.close()
