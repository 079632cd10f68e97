"""The clip that comes with Mien."""

from pathlib import Path

DEMO_CLIP = Path(__file__).resolve().parent / "assets" / "cap13_edit2.mp4"


def named_input(spec: str) -> str:
    """What the user names as an input, with the word `demo` turned into the clip's path."""
    return str(DEMO_CLIP) if spec == "demo" else spec
