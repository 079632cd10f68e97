"""What a person meets: the command line, settings and, with a display, the window."""
