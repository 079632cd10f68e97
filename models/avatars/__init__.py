"""Third-party avatars: glTF, GLB and VRM files.

`load_avatar` reads one; docs/avatars.md says what is supported and how names are matched.
"""

from typing import TYPE_CHECKING

from models.late_names import late_names

if TYPE_CHECKING:
    from models.avatars.avatar import (
        Avatar,
        AvatarMaterial,
        AvatarMesh,
        Bind,
        Expression,
        EyeRange,
        Licence,
        Morphs,
        Skeleton,
        Toon,
    )
    from models.avatars.errors import AvatarFileError
    from models.avatars.load import load_avatar
    from models.avatars.textures import AvatarTexture

__all__ = [
    "Avatar",
    "AvatarFileError",
    "AvatarMaterial",
    "AvatarMesh",
    "AvatarTexture",
    "Bind",
    "Expression",
    "EyeRange",
    "Licence",
    "Morphs",
    "Skeleton",
    "Toon",
    "load_avatar",
]

__getattr__ = late_names(
    __name__,
    {
        **dict.fromkeys(__all__, "avatar"),
        "AvatarFileError": "errors",
        "load_avatar": "load",
        "AvatarTexture": "textures",
    },
)
