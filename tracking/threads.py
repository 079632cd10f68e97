"""How many threads the libraries may use."""

from __future__ import annotations


def use_one_thread() -> None:
    """Keeps BLAS and OpenCV to one thread each, for the rest of the process.

    Their matrices and pictures are small here: more threads would only fight with MediaPipe's for the cores.
    """
    import cv2
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)
    cv2.setNumThreads(1)
