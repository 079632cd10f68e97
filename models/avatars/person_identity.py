"""The shape of an avatar's person for the face model that is in use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.avatars.errors import AvatarFileError
from models.face_model import FaceModel

if TYPE_CHECKING:
    from models.avatars.person_file import PersonAvatar

__all__ = ["identity_for"]


def identity_for(avatar: PersonAvatar, model: FaceModel) -> NDArray[np.float32]:
    """(K,) the avatar's identity for a face model.

    Raises:
        AvatarFileError: it was made for another face model.
    """
    if avatar.manifest.face_model != model.name or len(avatar.identity) > model.identity_count:
        raise AvatarFileError(
            f"The avatar {avatar.manifest.name!r} was made for the face model {avatar.manifest.face_model!r}, this is"
            f" {model.name!r}: make it again from its pictures."
        )
    return model.identity(avatar.identity)
