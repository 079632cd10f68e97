"""Reads arrays out of a pickle without running anything in it.

Only the handful of constructors that numpy and scipy arrays (and chumpy's wrappers around them) need are let through,
and those of chumpy and scipy are replaced by inert containers. Anything else ends the reading.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
from numpy._core import multiarray

from models.face_model.schema import ModelFileError

LARGEST_FILE = 600 * 1024 * 1024


class Inert:
    """Stands for an object of a library that is not needed: keeps its state, does nothing."""

    def __init__(self, *arguments: Any) -> None:
        self.arguments = arguments
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


def _encode(text: str, encoding: str) -> bytes:
    """`_codecs.encode` for the one use that numpy pickles have for it."""
    if encoding != "latin1":
        raise pickle.UnpicklingError("unexpected text encoding")
    return text.encode("latin1")


_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): _encode,
    ("__builtin__", "set"): set,
    ("builtins", "set"): set,
}
for _module in ("numpy.core.multiarray", "numpy._core.multiarray"):
    _ALLOWED[(_module, "_reconstruct")] = multiarray._reconstruct
    _ALLOWED[(_module, "scalar")] = multiarray.scalar
for _module in ("scipy.sparse.csc", "scipy.sparse._csc"):
    _ALLOWED[(_module, "csc_matrix")] = Inert
for _name in ("Ch", "add", "subtract"):
    _ALLOWED[("chumpy.ch", _name)] = Inert
_ALLOWED[("copy_reg", "_reconstructor")] = lambda cls, base, state: cls()
_ALLOWED[("copyreg", "_reconstructor")] = _ALLOWED[("copy_reg", "_reconstructor")]
_ALLOWED[("__builtin__", "object")] = object
_ALLOWED[("builtins", "object")] = object


class _ArrayUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """Only what the list names."""
        found = _ALLOWED.get((module, name))
        if found is None:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return found


def read_arrays_from_pickle(path: Path) -> dict[str, Any]:
    """The dictionary in a pickle of arrays; nothing outside the allow-list is ever looked up.

    Raises:
        ModelFileError: missing, too large, not a pickle, or asking for anything but arrays.
    """
    if not path.is_file():
        raise ModelFileError(f"There is no file {path}; name the pickle that you downloaded.")
    if path.stat().st_size > LARGEST_FILE:
        raise ModelFileError(f"{path} is larger than {LARGEST_FILE // 2**20} MB, which no face model is.")
    try:
        content = _ArrayUnpickler(io.BytesIO(path.read_bytes()), encoding="latin1").load()
    except pickle.UnpicklingError as error:
        raise ModelFileError(f"{path} was refused: {error}, and a model file has no need of that.") from error
    except Exception as error:  # a damaged pickle can fail in any of its opcodes
        raise ModelFileError(f"{path} cannot be read as a pickle of arrays ({error}).") from error
    if not isinstance(content, dict):
        raise ModelFileError(f"{path} holds no dictionary of arrays; is it the model file?")
    return content


def as_array(value: Any, name: str) -> np.ndarray[Any, np.dtype[Any]]:
    """A dense array out of what a model pickle may hold under a name.

    Raises:
        ModelFileError: it is neither an array, a chumpy wrapper around one, nor a sparse matrix.
    """
    if isinstance(value, Inert):
        state = value.state if isinstance(value.state, dict) else {}
        if "x" in state:
            value = state["x"]
        elif {"data", "indices", "indptr", "_shape"} <= state.keys():
            from scipy.sparse import csc_matrix

            value = csc_matrix((state["data"], state["indices"], state["indptr"]), shape=state["_shape"]).toarray()
    if not isinstance(value, np.ndarray) or value.dtype == object:
        raise ModelFileError(f"{name} is no array in this file; is it the model file?")
    return value
