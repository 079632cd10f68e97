"""What the window consists of: one Qt class for each model of `app/state`."""
