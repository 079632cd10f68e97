"""Who is drawn for a tracked face: the tracked person, a person's avatar, or somebody else's."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.channels import CHANNEL_COUNT
from models.geometry.camera import Camera
from rendering.place import HeadPlace
from rendering.scene import HairStyle, Scene
from tracking.detail_settings import DetailSettings
from tracking.retarget.settings import RetargetSettings
from tracking.types import FaceParameters, TrackedFace, TrackingState

if TYPE_CHECKING:
    from models.avatars import Avatar
    from models.avatars.person_file import PersonAvatar
    from models.face_model import FaceModel
    from tracking.person_wrinkles import PersonWrinkles
    from tracking.retarget import Driven

__all__ = ["OWN", "Subject", "SubjectDriver", "SubjectPictures"]

SEEN = (TrackingState.TRACKING, TrackingState.HOLDING)
USUAL_AWAY_M = 0.6
"""Metres from the camera at which somebody is drawn who was never tracked."""
IDLE_FOLD_S = 0.5
"""Between two looks for the wrinkles of somebody who idles: little changes, and the networks cost much."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is drawn.

    Attributes:
        name: for people.
        person: an avatar of a person, drawn with the program's own head; None otherwise.
        avatar: a third-party avatar; None otherwise. With neither, the tracked person.
        settings: how the tracked face drives it.
        shown: names of the hotkeys' expressions that are on, the newest last.
        detail: with which networks a person's skin is folded, and whether.
    """

    name: str = ""
    person: PersonAvatar | None = None
    avatar: Avatar | None = None
    settings: RetargetSettings = field(default_factory=RetargetSettings)
    shown: tuple[str, ...] = ()
    detail: DetailSettings = field(default_factory=DetailSettings)

    @property
    def own(self) -> bool:
        """The tracked person's own head."""
        return self.person is None and self.avatar is None

    def same_look(self, other: Subject) -> bool:
        """Whether nothing but the settings differs."""
        return self.person is other.person and self.avatar is other.avatar


OWN = Subject()


class SubjectDriver:
    """Drives a subject frame by frame; each new result moves it once, however often it is drawn.

    Args:
        subject: who; may be replaced by one of the same look at any time.
        model: face model of persons.
        wrinkles: fold a person's skin where the subject wants it, on a thread of its own, see `PersonWrinkles`; then it
            has to be closed.

    Raises:
        ValueError: the person was made with another face model.
    """

    def __init__(self, subject: Subject, model: FaceModel, *, wrinkles: bool = False) -> None:
        from tracking.retarget import Retargeter  # with all of retargeting: only where somebody is driven

        self.subject = subject
        self._model = model
        self._retargeter = Retargeter(subject.settings)
        self._retargeter.show(subject.shown)
        self._face: TrackedFace | None = None
        self._driven: Driven | None = None
        self._shown: TrackedFace | None = None
        self._seen: FaceParameters | None = None
        """The last that were tracked."""
        self._folded_s = -np.inf
        self._wrinkles: PersonWrinkles | None = None
        person = subject.person
        if person is not None:
            if person.manifest.face_model != model.name or len(person.identity) > model.identity_count:
                raise ValueError(f"{person.manifest.name} was made with another face model: make it again.")
            self._identity = model.identity(person.identity)
            if wrinkles and subject.detail.enabled:
                self._wrinkles = _wrinkles_of(subject, person, model, self._identity)

    def take(self, subject: Subject) -> None:
        """Other settings, other expressions."""
        self.subject = subject
        self._retargeter.show(subject.shown)
        if self._retargeter.settings != subject.settings:
            self._retargeter.settings = subject.settings
            self._face = None

    def driven(self, face: TrackedFace) -> Driven:
        """What a third-party avatar does."""
        if face is not self._face or self._driven is None:
            self._face = face
            self._driven = self._retargeter.apply(
                face.parameters if face.state in SEEN else None, face.frame.captured_ns / 1e9
            )
        return self._driven

    def face(self, face: TrackedFace) -> TrackedFace:
        """The face with the person's shape and what drives it; its wrinkles are the avatar's own or none, never those
        of the tracked person."""
        if face is self._face and self._shown is not None:
            return self._shown
        driven = self.driven(face)
        self._seen = face.parameters or self._seen
        turned = replace(
            self._seen or _somebody(face),
            identity=self._identity,
            expression=driven.values,
            rotation=driven.rotation,
            gaze=driven.gaze,
        )
        posed = self._model.pose(self._identity, driven.values, driven.gaze)
        relief = self._relief(face, posed.vertices)
        self._shown = replace(
            face, parameters=turned, vertices=posed.vertices, normals=posed.normals, displacement=relief
        )
        return self._shown

    def _relief(self, face: TrackedFace, vertices: NDArray[np.float32]) -> NDArray[np.float32] | None:
        if self._wrinkles is None:
            return None
        now_s = face.frame.captured_ns / 1e9
        if face.made_up and 0.0 <= now_s - self._folded_s < IDLE_FOLD_S:
            return self._wrinkles.latest
        self._folded_s = now_s
        return self._wrinkles.follow(vertices)

    def close(self) -> None:
        """End what runs beside; to be called once nothing is driven any more."""
        if self._wrinkles is not None:
            self._wrinkles.close()

    def scene(self, scene: Scene) -> Scene:
        """The scene with the person's hair and eyes."""
        person = self.subject.person
        if person is None:
            return scene
        return replace(scene, hair=HairStyle.of(person.manifest.hair), iris=person.manifest.iris)


def _somebody(face: TrackedFace) -> FaceParameters:
    """Straight before the camera, where nobody has been tracked yet."""
    height, width = face.frame.image.shape[:2]
    camera = Camera.from_fov(width, height)
    values, gaze = np.zeros(CHANNEL_COUNT, np.float32), np.zeros((2, 2), np.float32)
    return FaceParameters(np.zeros(0, np.float32), values, np.eye(3), np.array([0.0, 0.0, USUAL_AWAY_M]), gaze, camera)


def _wrinkles_of(
    subject: Subject, person: PersonAvatar, model: FaceModel, identity: NDArray[np.float32]
) -> PersonWrinkles:
    from tracking.person_wrinkles import PersonSkin, PersonWrinkles

    def make() -> PersonSkin:
        from tracking.detail_network import DetailNetwork

        network = DetailNetwork(model.name, subject.detail.weights, subject.detail.engine)
        return PersonSkin(model, person, identity, network)

    return PersonWrinkles(make)


class SubjectPictures:
    """Draws off-screen whoever is chosen, on the thread that makes it. See `OffscreenRenderer`.

    Args:
        model: face model.
        scene: at first.
        wrinkles: see SubjectDriver.

    Raises:
        RenderingUnavailableError: there is no usable OpenGL.
    """

    def __init__(self, model: FaceModel, scene: Scene, *, wrinkles: bool = False) -> None:
        self._model = model
        self._scene = scene
        self._with_wrinkles = wrinkles
        self._driver: SubjectDriver | None = None
        self._renderer: Any = None
        self._place = HeadPlace()
        self._open_head()

    @property
    def subject(self) -> Subject:
        """Who is drawn."""
        return OWN if self._driver is None else self._driver.subject

    def choose(self, subject: Subject) -> None:
        """Draw this one from now on; a fraction of a second where the look changes.

        Raises:
            ValueError: see SubjectDriver.
        """
        current = self.subject
        if subject.same_look(current):
            if self._driver is not None and subject is not current:
                self._driver.take(subject)
                if subject.avatar is not None and subject.settings != current.settings:
                    self._renderer.renderer.take(subject.settings)
            return
        driver = None if subject.own else SubjectDriver(subject, self._model, wrinkles=self._with_wrinkles)
        if self._driver is not None:
            self._driver.close()
        if subject.avatar is not None:
            from rendering.avatar_offscreen import AvatarPictures

            self._renderer.close()
            self._renderer = AvatarPictures(subject.avatar, self._scene, subject.settings, own_thread=False)
        else:
            if current.avatar is not None:
                self._renderer.close()
                self._open_head()
            person = subject.person
            if person is None:
                self._renderer.set_texture(None)
            else:
                self._renderer.set_texture(person.texture, lit=person.manifest.texture_light)
        self._driver = driver

    def render(self, face: TrackedFace, scene: Scene, size: tuple[int, int], *, alpha: bool) -> NDArray[np.uint8]:
        """One picture, see `OffscreenRenderer.render`."""
        driver = self._driver
        scene = self._place.placed(scene, face, mirrored=driver is not None and driver.subject.settings.mirror)
        if driver is None:
            self._renderer.scene = scene
            return _array(self._renderer.render(face, size=size, alpha=alpha))
        self._renderer.scene = driver.scene(scene)
        if driver.subject.avatar is not None:
            return _array(self._renderer.render(driver.driven(face), size, alpha=alpha, picture=face.frame.image))
        return _array(self._renderer.render(driver.face(face), size=size, alpha=alpha))

    def close(self) -> None:
        """Free everything."""
        if self._driver is not None:
            self._driver.close()
        self._renderer.close()

    def __enter__(self) -> SubjectPictures:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open_head(self) -> None:
        from rendering.offscreen import OffscreenRenderer

        self._renderer = OffscreenRenderer(self._model, self._scene, own_thread=False)


def _array(pixels: Any) -> NDArray[np.uint8]:
    return np.asarray(pixels, np.uint8)
