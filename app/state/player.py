"""The session that is being played, for the timeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psygnal import Signal

from recordings.cleanup import CleanUp

if TYPE_CHECKING:
    from recordings.overview import Overview
    from recordings.playback import PlaybackState, Player

SPEEDS = (0.25, 0.5, 1.0, 1.5, 2.0, 4.0)


class PlayerState:
    """What the timeline shows and asks for. Nothing but a player's own thread-safe methods is called here."""

    opened = Signal()
    """Another session is open, or none."""
    changed = Signal()
    """Position, speed, range or what is cleaned."""
    overview_changed = Signal()
    """Pictures, sound and curves are there."""

    def __init__(self) -> None:
        self.player: Player | None = None
        self.now: PlaybackState | None = None
        self.overview: Overview | None = None
        self.clean_up = CleanUp()

    @property
    def bounds(self) -> tuple[float, float]:
        """First and last time of the session in seconds; (0, 0) without one."""
        if self.player is None:
            return 0.0, 0.0
        times = self.player.session.track.time_s
        return float(times[0]), float(times[-1])

    def attach(self, player: Player | None) -> None:
        """Another session is open."""
        if player is self.player:
            return
        self.player, self.overview, self.clean_up = player, None, CleanUp()
        self.now = None if player is None else player.state()
        self.opened.emit()
        self.changed.emit()

    def poll(self) -> None:
        """See how far it is; from the timer of the thread that shows things."""
        if self.player is None:
            return
        now = self.player.state()
        if now != self.now:
            self.now = now
            self.changed.emit()

    def set_overview(self, player: Player, overview: Overview) -> None:
        """What was found out about a session, unless another one is open by now."""
        if player is self.player:
            self.overview = overview
            self.overview_changed.emit()

    def toggle(self) -> None:
        """Play or stop."""
        if self.player is not None:
            self.player.play(not self.player.state().playing)
            self.poll()

    def seek(self, time_s: float) -> None:
        """Go to a time."""
        if self.player is not None:
            self.player.seek(time_s)

    def step(self, frames: int) -> None:
        """Go so many frames on and stop there."""
        if self.player is not None:
            self.player.step(frames)
            self.poll()

    def set_speed(self, speed: float) -> None:
        """1 is as recorded."""
        if self.player is not None:
            self.player.set_speed(speed)
            self.poll()

    def set_loop(self, loop: bool) -> None:
        """Over and over, or once."""
        if self.player is not None:
            self.player.set_loop(loop)
            self.poll()

    def mark_start(self) -> None:
        """The range begins here."""
        if self.player is not None and self.now is not None:
            self.player.set_range(self.now.position_s, self.now.end_s)
            self.poll()

    def mark_end(self) -> None:
        """The range ends here."""
        if self.player is not None and self.now is not None:
            self.player.set_range(self.now.start_s, self.now.position_s)
            self.poll()

    def clear_marks(self) -> None:
        """Play all of it."""
        if self.player is not None:
            self.player.set_range()
            self.poll()

    def set_clean_up(self, settings: CleanUp) -> None:
        """Play cleaned curves."""
        if self.player is not None and settings != self.clean_up:
            self.clean_up = settings
            self.player.clean_up(settings)
            self.changed.emit()


def clock_text(seconds: float) -> str:
    """M:SS.s or H:MM:SS of a time."""
    tenths = round(max(0.0, seconds) * 10)
    whole, hours = tenths // 10, tenths // 36_000
    if hours:
        return f"{hours}:{whole // 60 % 60:02d}:{whole % 60:02d}"
    return f"{whole // 60}:{whole % 60:02d}.{tenths % 10}"
