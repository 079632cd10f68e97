"""Where the detector puts a landmark on this person's face, as against where the model has it.

A detector's points are not points of the skin: each keeps a habit of its own, an offset in the head's frame that
differs from person to person and stays the same while the face moves. Seen from several sides the offset shows in depth
too. Left alone it would pass for expression. Reconstruction, no published source: one small Kalman-like least-squares
problem per landmark, fed by the frames that also inform the identity.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class LandmarkOffsets:
    """Per-landmark offsets of one person, estimated over a session.

    Args:
        count: N landmarks.
        spread: metres, standard deviation of an offset over people.
        noise: metres, standard deviation of one frame's landmark.
    """

    def __init__(self, count: int, spread: float, noise: float) -> None:
        self._noise = noise
        self._precision = np.repeat((np.eye(3) / spread**2)[None], count, axis=0)
        self._evidence = np.zeros((count, 3))
        self.values: Floats = np.zeros((count, 3))

    def add(self, by_head: Floats, residual: Floats, share: float) -> None:
        """Takes in one frame.

        Args:
            by_head: (N, 2, 3) derivative of pixels by head-frame points.
            residual: (N, 2) projected (with the present offsets) minus observed, pixels.
            share: of the frame's evidence that counts.
        """
        scale = float(np.linalg.norm(by_head[:, 0], axis=1).mean())
        weight = share / (self._noise * scale) ** 2
        transposed = np.swapaxes(by_head, 1, 2)
        information = weight * (transposed @ by_head)
        wanted = np.einsum("nij,nj->ni", by_head, self.values) - residual
        self._precision += information
        self._evidence += weight * np.einsum("nij,nj->ni", transposed, wanted)
        self.values = np.asarray(np.linalg.solve(self._precision, self._evidence[:, :, None])[:, :, 0], np.float64)
