"""Wrinkles of a person's avatar: the person's skin, folded by the expression of whoever drives it.

The supplement's animation rule, D(source picture, driving tension): the avatar's pictures are encoded once, and a
driven frame costs mixing their encodings and the decoder. An avatar without such pictures has its texture instead;
networks were trained on pictures in some light, and the texture has next to none, so that folds come out softer.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from models.avatars.person_file import PersonAvatar
from models.avatars.person_sources import MixedSkin
from models.face_model import FaceModel
from models.face_model.detail_map import FULL_SIZE, DetailMap
from tracking.detail_network import DetailNetwork, EncodedSkin
from tracking.mailbox import Mailbox

__all__ = ["PersonSkin", "PersonWrinkles"]

_log = logging.getLogger(__name__)

Floats = NDArray[np.float32]
REST_SHARE = 1.0
"""Of the time that a decoding took, the thread rests: tracking and drawing need the processor, too."""
FOLLOW_S = 0.08
"""Time constant with which the shown relief follows the decoded one."""


class PersonSkin:
    """A person's encoded skin, and its relief under any expression. Not thread-safe.

    Args:
        model: the face model.
        person: the avatar.
        identity: the person's coefficients.
        network: see DetailNetwork.

    Raises:
        EngineError: the device failed.
    """

    def __init__(self, model: FaceModel, person: PersonAvatar, identity: Floats, network: DetailNetwork) -> None:
        self._network = network
        self._map = DetailMap(model)
        self._neutral = model.neutral(identity)
        sources = person.sources
        self._mixed: MixedSkin | None = None
        if sources is None:
            texture = cv2.resize(person.texture, (FULL_SIZE, FULL_SIZE), interpolation=cv2.INTER_AREA)
            # A texture has no hidden parts: what no frame showed was filled when it was made.
            seen = self._map.raster.covered.astype(np.float32)
            self._skin = network.encode(DetailMap.window(np.asarray(texture, np.uint8)), seen)
            return
        encoded = [
            network.encode(picture, visibility).parts
            for picture, visibility in zip(sources.pictures, sources.visibility, strict=True)
        ]
        shown = [model.pose(identity, expression).vertices for expression in sources.expressions]
        tensions = np.stack([self._map.tension(self._neutral, vertices) for vertices in shown])
        self._mixed = MixedSkin(encoded, tensions, sources.visibility)

    def relief(self, vertices: Floats) -> Floats:
        """(320, 320) millimetres along the outward normal, over the whole face map.

        Args:
            vertices: (V, 3) metres, the person with an expression, head frame.

        Raises:
            EngineError: the device failed.
        """
        tension = self._map.tension(self._neutral, vertices)
        skin = self._skin if self._mixed is None else EncodedSkin(self._mixed.at(tension))
        found = self._network.decode(skin, tension) * self._map.mask
        return np.asarray(DetailMap.whole(found), np.float32)


class PersonWrinkles:
    """Keeps the relief of a driven person fresh, on a thread of its own; the newest expression wins.

    Where the networks cannot be used there is no relief, and `problem` says why.

    Args:
        make: makes the skin, on the thread, since the first start compiles the networks.
    """

    def __init__(self, make: Callable[[], PersonSkin]) -> None:
        self.problem = ""
        """Why there are no wrinkles; empty while all is well."""
        self._make = make
        self._latest: Floats | None = None
        self._latest_s = -np.inf
        self._closing = threading.Event()
        self._wanted: Mailbox[Floats] = Mailbox()
        self._thread = threading.Thread(target=self._work, name="mien-person-wrinkles", daemon=True)
        self._thread.start()

    @property
    def latest(self) -> Floats | None:
        """The newest relief, None before the first."""
        return self._latest

    def follow(self, vertices: Floats) -> Floats | None:
        """Takes the posed person and gives the newest relief, None before the first. Does not block."""
        self._wanted.put(vertices, wait=False)
        return self._latest

    def close(self) -> None:
        """Tells the thread to end, and does not wait: it may be compiling the networks, and a window asks."""
        self._closing.set()
        self._wanted.close(discard=True)

    def _work(self) -> None:
        try:
            skin = self._make()
            while (vertices := self._wanted.take()) is not None:
                begun = time.perf_counter()
                self._show(skin.relief(vertices), time.monotonic())
                self._closing.wait((time.perf_counter() - begun) * REST_SHARE)
        except Exception as error:
            # Whatever fails here must not take the drawing with it.
            _log.warning("An avatar's wrinkles are off: %s", error)
            self.problem, self._latest = " ".join(str(error).split()) or type(error).__name__, None

    def _show(self, relief: Floats, now_s: float) -> None:
        elapsed, before = now_s - self._latest_s, self._latest
        if before is not None and elapsed < 1.0:
            relief = before + (relief - before) * np.float32(1 - np.exp(-elapsed / FOLLOW_S))
        self._latest, self._latest_s = relief, now_s
