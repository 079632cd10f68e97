"""Face models: one interface, our shipped head, and converters for the user's own FLAME and ICT-FaceKit files."""

from models.face_model.model import Embedding, FaceModel, ModelFileError, PosedFace, load_face_model

__all__ = ["Embedding", "FaceModel", "ModelFileError", "PosedFace", "load_face_model"]
