"""Face models: one interface, our shipped head, and converters for the user's own FLAME and ICT-FaceKit files."""

from typing import TYPE_CHECKING

from models.late_names import late_names

if TYPE_CHECKING:
    from models.face_model.model import Embedding, FaceModel, PosedFace, load_face_model
    from models.face_model.schema import ModelFileError

__all__ = ["Embedding", "FaceModel", "ModelFileError", "PosedFace", "load_face_model"]

__getattr__ = late_names(
    __name__,
    {
        **dict.fromkeys(("Embedding", "FaceModel", "PosedFace", "load_face_model"), "model"),
        "ModelFileError": "schema",
    },
)
