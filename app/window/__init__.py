"""The window: start-up, frame, menus, style. Qt."""
