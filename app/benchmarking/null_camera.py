"""A back end of pyvirtualcam that takes pictures and drops them: measures all but the driver."""

from __future__ import annotations

from typing import Any

import pyvirtualcam


class NullCamera:
    """See pyvirtualcam's documentation of back ends."""

    def __init__(self, **facts: Any) -> None:
        self.received = 0

    def close(self) -> None:
        """Nothing to free."""

    def send(self, frame: Any) -> None:
        """Take a picture as a driver does: by copying it."""
        frame.copy()
        self.received += 1

    def device(self) -> str:
        """What other programs would see."""
        return "nothing"

    def native_fourcc(self) -> int | None:
        """None converts nothing."""
        return None


pyvirtualcam.register_backend("null", NullCamera)
