"""The clip that comes with Mien."""

from pathlib import Path

DEMO_CLIP = Path(__file__).resolve().parent / "assets" / "cap13_edit2.mp4"
