"""A person's hair, as far as the kept pictures show it: whether there is any, its colour, its outline."""

from __future__ import annotations

from collections.abc import Sequence

from models.avatars.hair_outline import hair_outline
from models.avatars.person_colours import hair_colour, hair_colour_of
from models.avatars.person_manifest import HairPart
from models.avatars.person_texture import PersonTexture, SkinView
from models.face_model.model import FaceModel

__all__ = ["person_hair"]


def person_hair(model: FaceModel, views: Sequence[SkinView], skin: PersonTexture) -> HairPart:
    """What is not seen stays as usual: brown, even hair.

    Args:
        model: the face model.
        views: pictures of the person.
        skin: made of them; tells the light.
    """
    seen = hair_colour(model, views, skin)
    if seen is not None and not seen[1]:
        return HairPart(colour=seen[0], visible=False)
    outline = hair_outline(model, views)
    if outline is None:
        return HairPart() if seen is None else HairPart(colour=seen[0])
    # Of a face from the front no scalp is seen, but what stands out above it; a bald skull that is larger than the
    # model's does, too.
    colour, hairy = hair_colour_of(outline.colours, outline.normals, skin) if seen is None else seen
    return HairPart(colour=colour, relief_m=outline.relief) if hairy else HairPart(colour=colour, visible=False)
