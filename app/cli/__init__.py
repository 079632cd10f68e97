"""The command line: one file a command, each with its options as a pydantic model and a `run`."""
