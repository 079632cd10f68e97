"""The player's part of the main window: its panel, its dock, what its buttons do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from app.live.director import Director
from app.live.playing import Playing
from app.views.player_panel import PlayerPanel
from app.window.commands import SESSION_FILE, WindowCommands
from app.window.dialogs import Dialogs
from app.window.docks import DockPlace, Side
from app.window.style import Style
from app.window.texts import tr

if TYPE_CHECKING:
    from recordings.playback import Player


class PlayerPart:
    """Made before the docks are; `connect` once they are there.

    Args:
        director: whose session is played.
        style: colours.
    """

    def __init__(self, director: Director, style: Style) -> None:
        self._director = director
        self._state = director.models.player
        self.panel = PlayerPanel(self._state, style)
        self.place = DockPlace("player", "Player", Side.BOTTOM, self.panel, hidden=True)
        director.companions.append(Playing(director.session, self._state, director.models.tasks, tr))

    def connect(self, window: WindowCommands, dialogs: Dialogs) -> None:
        """Connect buttons, menu and dock."""
        self._window, self._dialogs = window, dialogs
        self.panel.export_wanted.connect(self._export)
        self.panel.save_wanted.connect(self._save)
        self.panel.reprocess_wanted.connect(self._reprocess)
        self._state.opened.connect(self._on_opened)

    def toggle(self) -> bool:
        """Play or stop, where a session is open; whether it was."""
        if self._state.player is None:
            return False
        self._state.toggle()
        return True

    def export(self) -> None:
        """Export the session that is open, or one that is chosen."""
        if self._state.player is not None:
            self._export()
        else:
            self._window._ask_session(lambda folder: self._dialogs.export(sessions_in(Path(folder))))

    def _on_opened(self) -> None:
        player = self._state.player
        self._window.docks["player"].setVisible(player is not None)
        if player is not None:
            self.panel.timeline.show_markers(markers_of(player))

    def _export(self) -> None:
        player = self._state.player
        if player is not None:
            self._dialogs.export((player.session.folder,), player)

    def _save(self) -> None:
        player, settings = self._state.player, self._state.clean_up
        if player is None or not settings.any:
            return
        folder = player.session.folder
        args = ["clean", str(folder), "--smooth-s", str(settings.smooth_s)]
        args += ["--smooth-head-s", str(settings.smooth_head_s), "--fill-gaps-s", str(settings.fill_gaps_s)]
        args += ["--spikes"] if settings.spikes else []
        self._dialogs.run(tr("Save {name} cleaned", name=folder.name), args, folder.with_name(f"{folder.name}-clean"))

    def _reprocess(self) -> None:
        player = self._state.player
        if player is None:
            return
        folder = player.session.folder
        args = ["reprocess", str(folder)]
        person = self._director.models.preferences.settings.window.person
        args += ["--calibration", person] if person else []
        again = folder.with_name(f"{folder.name}-reprocessed")
        self._dialogs.run(tr("Track {name} again", name=folder.name), args, again)


def sessions_in(folder: Path) -> tuple[Path, ...]:
    """The session that a folder is, or those that lie in it."""
    if (folder / SESSION_FILE).is_file():
        return (folder,)
    return tuple(sorted(path.parent for path in folder.glob(f"*/{SESSION_FILE}"))) or (folder,)


def markers_of(player: Player) -> list[tuple[float, str]]:
    """Markers and the starts of takes: time in seconds and name."""
    takes = player.session.manifest.takes
    found = [(mark.time_s, mark.name) for mark in takes.markers]
    return sorted(found + [(take.start_s, tr("Take {name}", name=take.name)) for take in takes.takes])
