"""A real window on a virtual screen, with the real tracker, away from the user's own files."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent

pytest.importorskip("PySide6.QtWidgets")

from app.live.marker import RunMarker
from app.settings import Settings, save_settings
from app.state.live import Phase
from app.window.run import Opened, make_application, open_window
from app.window_settings import SourceSettings
from tracking import TrackerSettings
from tracking.detail_settings import DetailSettings

LONG_MS = 30_000
WITHOUT_DETAIL = Settings(tracker=TrackerSettings(detail=DetailSettings(enabled=False)))
Until = Callable[..., None]


@pytest.fixture(scope="session")
def qapp() -> Iterator[object]:
    """Made as the program makes it: contexts are shared."""
    yield make_application()


@pytest.fixture(autouse=True)
def garbage_stays_on_this_thread() -> Iterator[None]:
    """As in the program, see `app.window.garbage`: widgets in cycles must not end on a thread of the tracker."""
    gc.disable()
    yield
    gc.collect(1)
    gc.enable()


@pytest.fixture(scope="module", autouse=True)
def no_widget_is_left_to_other_tests() -> Iterator[None]:
    """What old generations hold ends here, not on a thread of a test that follows."""
    yield
    gc.collect()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folders, empty."""
    monkeypatch.setenv("MIEN_CONFIG", str(tmp_path / "settings.json"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    # Each window would load the detail networks anew, for seconds, on a thread that cannot be told to stop meanwhile.
    save_settings(WITHOUT_DETAIL)
    return tmp_path


@pytest.fixture
def until(qapp: object) -> Until:
    """Runs the event loop until a condition holds; fails after `seconds`."""

    def run(condition: Callable[[], bool], seconds: float = 30.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                pytest.fail(f"the condition did not come true within {seconds:g} seconds")
            QCoreApplication.processEvents()
            time.sleep(0.003)

    return run


@pytest.fixture
def window(home: Path, qapp: object, until: Until) -> Iterator[Opened]:
    """An open window without a source; closed afterwards, quickly, with no thread left."""
    opened = open_window(SourceSettings(kind="none"), marker=RunMarker(home / "running.json"))
    yield opened
    start = time.monotonic()
    assert opened.close()
    assert time.monotonic() - start < 10.0
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


@pytest.fixture
def tracking(window: Opened, until: Until) -> Opened:
    """A window that tracks the demo clip."""
    window.director.open_source(SourceSettings(kind="demo"))
    until(lambda: window.window.models.live.now.phase is Phase.TRACKING)
    until(lambda: window.window.head.drawn_count > 3)
    return window
