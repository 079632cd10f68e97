"""Pictures in memory that two processes share."""

from __future__ import annotations

import multiprocessing
import threading
import time
from multiprocessing.shared_memory import SharedMemory

import numpy as np
import pytest

from rendering.virtual_camera.frames import FramesError, Shape, SharedFrames
from tests.helpers.virtual_camera import noise


class TestFrames:
    def _pair(self) -> tuple[SharedFrames, SharedFrames]:
        lock = multiprocessing.get_context("spawn").Lock()
        writer = SharedFrames(Shape(64, 36), lock)
        return writer, SharedFrames(Shape(64, 36), lock, writer.name)

    def test_the_newest_is_read_once(self) -> None:
        writer, reader = self._pair()
        into = np.zeros((36, 64, 3), np.uint8)
        assert not reader.take(into)
        for seed in range(5):
            writer.put(noise(seed, 64, 36))
        assert reader.take(into)
        np.testing.assert_array_equal(into, noise(4, 64, 36))
        assert not reader.take(into)
        reader.report(10, 2, 29.5)
        assert writer.reported() == (10, 2, 29.5)
        reader.close()
        writer.destroy()
        with pytest.raises(FileNotFoundError):
            SharedMemory(writer.name)
        with pytest.raises(ValueError, match="closed"):
            writer.put(into)

    def test_no_picture_is_ever_torn(self) -> None:
        writer, reader = self._pair()
        into = np.zeros((36, 64, 3), np.uint8)
        stop = threading.Event()

        def write() -> None:
            value = 0
            while not stop.is_set():
                value = (value + 1) % 256
                writer.put(np.full((36, 64, 3), value, np.uint8))

        thread = threading.Thread(target=write)
        thread.start()
        try:
            taken = 0
            # Half a second on a machine of one's own, and as long as it takes on a busy one.
            deadline = time.monotonic() + 30
            while taken < 500 and time.monotonic() < deadline:
                if reader.take(into):
                    taken += 1
                    assert (into == into[0, 0, 0]).all()
        finally:
            stop.set()
            thread.join()
            reader.close()
            writer.destroy()
        assert taken == 500

    def test_a_reader_that_died_with_the_lock_stops_nobody(self) -> None:
        writer, reader = self._pair()
        reader._lock.acquire()
        start = time.monotonic()
        with pytest.raises(FramesError):
            writer.put(noise(0, 64, 36))
        assert time.monotonic() - start < 1.0
        reader._lock.release()
        reader.close()
        writer.destroy()
