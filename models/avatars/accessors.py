"""Typed arrays of a glTF file, every bound checked before anything is read or any memory taken."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.avatars.container import Document, as_int, as_object
from models.avatars.meshopt import MeshoptError, decode

__all__ = ["Accessors"]

COMPONENTS: dict[int, np.dtype[Any]] = {
    5120: np.dtype("<i1"),
    5121: np.dtype("<u1"),
    5122: np.dtype("<i2"),
    5123: np.dtype("<u2"),
    5125: np.dtype("<u4"),
    5126: np.dtype("<f4"),
}
MESHOPT = "EXT_meshopt_compression"
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
MOST_ELEMENTS = 4_000_000
"""Of one accessor: vertices or indices."""
MOST_DECODED = 512 * 1024 * 1024
"""Bytes of all decompressed buffer views together."""


class Accessors:
    """Reads a document's accessors.

    All methods raise AvatarFileError where the file is damaged or asks for too much.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._accessors = document.items("accessors")
        self._views = document.items("bufferViews")
        self._decoded: dict[int, memoryview] = {}
        self._decoded_bytes = 0

    def count(self, index: Any) -> int:
        """Number of elements."""
        return self._head(index)[1]

    def floats(self, index: Any, width: int) -> NDArray[np.float32]:
        """(N, width) float32; whole numbers are scaled where the accessor says that they are normalised."""
        raw, normalised = self._read(index, width)
        if not normalised or raw.dtype.kind == "f":
            return np.asarray(raw, np.float32)
        return np.asarray(np.maximum(raw.astype(np.float32) / float(np.iinfo(raw.dtype).max), -1.0), np.float32)

    def whole(self, index: Any, width: int) -> NDArray[np.int64]:
        """(N, width) whole numbers: indices, joints."""
        raw, _ = self._read(index, width)
        if raw.dtype.kind == "f":
            # Some exporters write joints as floats.
            if not np.isfinite(raw).all() or np.abs(raw).max(initial=0) > 1e9:
                raise self._document.error(f"is damaged: accessor {index} holds no whole numbers.")
            return np.asarray(np.rint(raw), np.int64)
        return np.asarray(raw, np.int64)

    def is_sparse_only(self, index: Any) -> bool:
        """Whether the elements are zeros but for the accessor's sparse ones: how morph targets are often written."""
        entry = self._head(index)[0]
        return "bufferView" not in entry

    def view_bytes(self, index: Any) -> memoryview:
        """The bytes of a buffer view, decompressed where it is compressed."""
        number = as_int(index)
        if not 0 <= number < len(self._views):
            raise self._document.error(f"is damaged: it refers to buffer view {index} of {len(self._views)}.")
        view = self._views[number]
        extensions = as_object(view.get("extensions"))
        if MESHOPT in extensions:
            return self._decompressed(number, as_object(extensions[MESHOPT]))
        return self._slice(view, f"buffer view {number}")

    def _slice(self, view: dict[str, Any], what: str) -> memoryview:
        buffer, offset, length = (
            as_int(view.get(k), d) for k, d in (("buffer", -1), ("byteOffset", 0), ("byteLength", -1))
        )
        if not 0 <= buffer < len(self._document.buffers):
            raise self._document.error(f"is damaged: {what} has no buffer.")
        data = self._document.buffers[buffer]
        if offset < 0 or length < 0 or offset + length > len(data):
            raise self._document.error(f"is damaged: {what} reaches beyond its buffer.")
        return data[offset : offset + length]

    def _decompressed(self, number: int, entry: dict[str, Any]) -> memoryview:
        if number in self._decoded:
            return self._decoded[number]
        count, stride = as_int(entry.get("count")), as_int(entry.get("byteStride"))
        if not 0 <= count <= MOST_ELEMENTS * 4 or not 1 <= stride <= 256:
            raise self._document.error(f"is damaged: compressed buffer view {number} has no sensible size.")
        self._decoded_bytes += count * stride
        if self._decoded_bytes > MOST_DECODED:
            raise self._document.error(f"is too large: its compressed parts take more than {MOST_DECODED >> 20} MB.")
        source = self._slice(entry, f"compressed buffer view {number}")
        mode, kind = str(entry.get("mode")), str(entry.get("filter", "NONE"))
        try:
            out = decode(np.frombuffer(source, np.uint8), count, stride, mode, kind)
        except MeshoptError as error:
            raise self._document.error(f"is damaged: compressed buffer view {number} {error}.") from error
        self._decoded[number] = memoryview(out)  # type: ignore[arg-type]
        return self._decoded[number]

    def _head(self, index: Any) -> tuple[dict[str, Any], int, np.dtype[Any], int]:
        """Entry, count, component type and width of an accessor."""
        number = as_int(index)
        if not 0 <= number < len(self._accessors):
            raise self._document.error(f"is damaged: it refers to accessor {index} of {len(self._accessors)}.")
        entry = self._accessors[number]
        count = as_int(entry.get("count"))
        kind, shape = COMPONENTS.get(as_int(entry.get("componentType"))), WIDTHS.get(str(entry.get("type")))
        if count < 0 or kind is None or shape is None:
            raise self._document.error(f"is damaged: accessor {number} has no size or type that is known.")
        if count > MOST_ELEMENTS:
            raise self._document.error(f"is too large: a list of {count:,} entries; {MOST_ELEMENTS:,} are read.")
        return entry, count, kind, shape

    def _read(self, index: Any, width: int) -> tuple[NDArray[Any], bool]:
        entry, count, kind, shape = self._head(index)
        if shape != width:
            raise self._document.error(f"is damaged: accessor {index} has {shape} numbers an entry, not {width}.")
        if "bufferView" in entry:
            data = self._strided(entry.get("bufferView"), as_int(entry.get("byteOffset"), 0), count, kind, width)
        else:
            data = np.zeros((count, width), kind)
        if "sparse" in entry:
            data = self._with_sparse(data.copy(), as_object(entry["sparse"]), kind, width, as_int(index))
        return data, entry.get("normalized") is True

    def _strided(self, view: Any, offset: int, count: int, kind: np.dtype[Any], width: int) -> NDArray[Any]:
        data = self.view_bytes(view)
        size = kind.itemsize * width
        entry = self._views[as_int(view)]
        stride = as_int(entry.get("byteStride"), 0) or size
        compressed = as_object(as_object(entry.get("extensions")).get(MESHOPT))
        # The extension's stride is the one its bytes were written with.
        stride = as_int(compressed.get("byteStride"), 0) or stride
        if not size <= stride <= 1024:
            raise self._document.error(f"is damaged: buffer view {view} has a stride of {stride} bytes.")
        if offset < 0 or (count and offset + (count - 1) * stride + size > len(data)):
            raise self._document.error(f"is damaged: an accessor reaches beyond buffer view {view}.")
        if not count:
            return np.zeros((0, width), kind)
        return np.ndarray((count, width), kind, data, offset, (stride, kind.itemsize))

    def _with_sparse(
        self, data: NDArray[Any], sparse: dict[str, Any], kind: np.dtype[Any], width: int, index: int
    ) -> NDArray[Any]:
        count = as_int(sparse.get("count"))
        where, values = as_object(sparse.get("indices")), as_object(sparse.get("values"))
        index_kind = COMPONENTS.get(as_int(where.get("componentType")))
        if not 0 <= count <= len(data) or index_kind is None or index_kind.kind != "u":
            raise self._document.error(f"is damaged: the sparse part of accessor {index} has no sensible size.")
        places = self._strided(where.get("bufferView"), as_int(where.get("byteOffset"), 0), count, index_kind, 1)[:, 0]
        if count and int(places.max()) >= len(data):
            raise self._document.error(f"is damaged: the sparse part of accessor {index} reaches beyond it.")
        data[places] = self._strided(values.get("bufferView"), as_int(values.get("byteOffset"), 0), count, kind, width)
        return data
