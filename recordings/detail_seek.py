"""Finds the relief of a time without reading all of it before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recordings import records
from recordings.manifest import SessionFileError
from recordings.mcap_reader import RecordFile, read_details

__all__ = ["DetailSeeker"]

BACK_S = 2.0
"""Reading begins so much before the wanted time: the map that holds then may be that old, and older ones are found by
reading from the beginning."""


class DetailSeeker:
    """Reads a recording's relief from any time on.

    Args:
        path: of the MCAP file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offsets: list[int] | None = None

    def read(self, start_s: float) -> Iterator[tuple[float, NDArray[np.float32]]]:
        """See `DetailTrack.read`."""
        offset = self._before(start_s - BACK_S)
        maps = read_details(self._path, start_s=start_s, offset=offset)
        first = next(maps, None)
        if offset and (first is None or first[0] > start_s):
            # No map within the last seconds: the one that holds is older.
            yield from read_details(self._path, start_s=start_s)
            return
        if first is not None:
            yield first
            yield from maps

    def _before(self, time_s: float) -> int:
        """Offset of the last chunk that begins before a time; 0 for the file's beginning."""
        if time_s <= 0:
            return 0
        file = RecordFile(self._path)
        if self._offsets is None:
            self._offsets = file.chunk_offsets()
        low, high = 0, len(self._offsets)
        while low < high:
            middle = (low + high) // 2
            if self._time_at(file, self._offsets[middle]) < time_s:
                low = middle + 1
            else:
                high = middle
        return self._offsets[low - 1] if low else 0

    @staticmethod
    def _time_at(file: RecordFile, offset: int) -> float:
        """Time of the first record from a chunk on; infinite where none can be read."""
        try:
            for _, record in file.messages(records.FACE, records.DETAIL, offset=offset):
                return float(record.time_ns) / 1e9
        except SessionFileError:
            pass  # a damaged place is after everything: what lies before it is searched
        return float("inf")
