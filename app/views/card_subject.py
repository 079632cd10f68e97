"""Draws whoever is chosen with the card, inside the window's own context."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rendering import HeadRenderer, Scene
from rendering.place import HeadPlace
from rendering.subject import OWN, Subject, SubjectDriver
from tracking.types import TrackedFace

if TYPE_CHECKING:
    from models.face_model import FaceModel
    from rendering.avatar import AvatarRenderer


class CardSubject:
    """All methods need the canvas to be current and GLOO_LOCK to be held.

    Args:
        model: face model of persons.
    """

    def __init__(self, model: FaceModel) -> None:
        self.refusal = ""
        """Why the last choice cannot be drawn; empty where it can."""
        self._model = model
        self._subject = OWN
        self._driver: SubjectDriver | None = None
        self._avatar: AvatarRenderer | None = None
        self._place = HeadPlace()

    @property
    def subject(self) -> Subject:
        """Who is drawn."""
        return OWN if self._driver is None else self._driver.subject

    def choose(self, subject: Subject, head: HeadRenderer) -> None:
        """Draw this one from now on; one that cannot be drawn leaves the last one."""
        if subject is self._subject:
            return
        before, self._subject = self._subject, subject
        if subject.same_look(before):
            if self._driver is not None:
                self._driver.take(subject)
            if self._avatar is not None and subject.settings != before.settings:
                self._avatar.take(subject.settings)
            return
        try:
            driver = None if subject.own else SubjectDriver(subject, self._model, wrinkles=True)
        except ValueError as error:
            self.refusal = str(error)
            return
        self.delete()
        person = subject.person
        if subject.avatar is not None:
            from rendering.avatar import AvatarRenderer

            self._avatar = AvatarRenderer(subject.avatar, head.scene, subject.settings, gradual=True)
        elif person is None:
            head.set_texture(None)
        else:
            head.set_texture(person.texture, lit=person.manifest.texture_light)
        self._driver = driver

    def draw(self, head: HeadRenderer, face: TrackedFace, scene: Scene, size: tuple[int, int]) -> None:
        """One picture into whatever framebuffer is current."""
        driver = self._driver
        scene = self._place.placed(scene, face, mirrored=driver is not None and driver.subject.settings.mirror)
        if driver is not None and self._avatar is not None:
            self._avatar.scene = scene
            self._avatar.draw(driver.driven(face), size, face.frame.image)
            return
        head.scene = scene if driver is None else driver.scene(scene)
        head.draw(face if driver is None else driver.face(face), size)

    def delete(self) -> None:
        """Free what is on the card, and end what runs beside."""
        if self._driver is not None:
            self._driver.close()
            self._driver = None
        if self._avatar is not None:
            self._avatar.delete()
            self._avatar = None
