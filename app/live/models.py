"""Everything that the window shows, in one place."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.state.avatars import AvatarsState
from app.state.calibration import CalibrationState
from app.state.coarse import CoarseState
from app.state.live import LiveState
from app.state.notices import NoticeBoard
from app.state.outputs import OutputsState
from app.state.player import PlayerState
from app.state.preferences import Preferences
from app.state.recording import RecordingState
from app.state.source_list import SourceList
from app.state.view import ViewState
from app.tasks import TaskList


@dataclass(slots=True)
class Models:
    """Everything that the window shows; each view is given the part that it needs."""

    preferences: Preferences
    view: ViewState = field(default_factory=ViewState)
    live: LiveState = field(default_factory=LiveState)
    sources: SourceList = field(default_factory=SourceList)
    calibration: CalibrationState = field(default_factory=CalibrationState)
    player: PlayerState = field(default_factory=PlayerState)
    recording: RecordingState = field(default_factory=RecordingState)
    outputs: OutputsState = field(default_factory=OutputsState)
    avatars: AvatarsState = field(default_factory=AvatarsState)
    coarse: CoarseState = field(default_factory=CoarseState)
    tasks: TaskList = field(default_factory=TaskList)
    notices: NoticeBoard = field(default_factory=NoticeBoard)
