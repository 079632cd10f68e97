"""Development-time tools that need the tracker: they build files that ship and are no part of the running program."""
