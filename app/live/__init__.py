"""The live session behind the window: loads, opens, tracks, calibrates, on threads of its own. No Qt."""
