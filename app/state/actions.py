"""Everything that a key can do in the window, with its default key."""

from __future__ import annotations

from app.state.shortcuts import ActionInfo

FILE, EDIT, VIEW, FACE, OUTPUT, HELP = "File", "Edit", "View", "Face", "Output", "Help"

ACTIONS = (
    ActionInfo("file.open", "Open file or folder…", FILE, "Ctrl+O"),
    ActionInfo("file.demo", "Open the demo clip", FILE, "Ctrl+D"),
    ActionInfo("file.session", "Open a session…", FILE, "Ctrl+Shift+D"),
    ActionInfo("file.close", "Close the source", FILE, "Ctrl+W"),
    ActionInfo("file.track", "Track a file…", FILE, "Ctrl+T"),
    ActionInfo("file.export", "Export sessions…", FILE, "Ctrl+E"),
    ActionInfo("file.quit", "Quit", FILE, "Ctrl+Q"),
    ActionInfo("edit.undo", "Undo", EDIT, "Ctrl+Z"),
    ActionInfo("edit.redo", "Redo", EDIT, "Ctrl+Shift+Z"),
    ActionInfo("edit.settings", "Settings…", EDIT, "Ctrl+,"),
    ActionInfo("view.textured", "Textured", VIEW, "1"),
    ActionInfo("view.clay", "Clay", VIEW, "2"),
    ActionInfo("view.wireframe", "Mesh", VIEW, "3"),
    ActionInfo("view.tension", "Tension", VIEW, "4"),
    ActionInfo("view.overlay", "Over picture", VIEW, "5"),
    ActionInfo("view.recentre", "Recentre", VIEW, "R"),
    ActionInfo("view.lock", "Keep the head straight", VIEW, "L"),
    ActionInfo("view.mirror", "Mirror", VIEW, "M"),
    ActionInfo("view.freeze", "Freeze", VIEW, "Space"),
    ActionInfo("view.panels", "Show panels", VIEW, "F10"),
    ActionInfo("view.fullscreen", "Full screen", VIEW, "F11"),
    ActionInfo("face.neutral", "Calibrate neutral face", FACE, "N"),
    ActionInfo("face.hide", "Hide me", FACE, "H"),
    ActionInfo("face.no_expressions", "Clear expressions", FACE, "0"),
    ActionInfo("face.source_mirrored", "The source is mirrored", FACE),
    ActionInfo("face.low_power", "Low power", FACE, "Ctrl+L"),
    ActionInfo("output.record", "Record", OUTPUT, "Ctrl+R"),
    ActionInfo("output.marker", "Set a marker", OUTPUT, "Ctrl+M"),
    ActionInfo("output.camera", "Virtual camera", OUTPUT, "Ctrl+Shift+V"),
    ActionInfo("output.window", "Clean output window", OUTPUT, "Ctrl+Shift+O"),
    ActionInfo("help.shortcuts", "Keyboard shortcuts", HELP, "F1"),
    ActionInfo("help.report", "System report…", HELP),
    ActionInfo("help.about", "About Mien", HELP),
)
VIEWS = ("textured", "clay", "wireframe", "tension", "overlay")
