"""Decoder of EXT_meshopt_compression, written from the extension's description of the bit streams.

https://github.com/KhronosGroup/glTF/tree/main/extensions/2.0/Vendor/EXT_meshopt_compression: attributes (version 0),
triangles and index sequences, and the three filters. Reads never leave the stream: a damaged one is refused.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["MeshoptError", "decode"]

Bytes = NDArray[np.uint8]

GROUP = 16
"""Values that share one width in the attribute stream."""
BLOCK_BYTES, BLOCK_LARGEST = 8192, 256
ATTRIBUTE_TAIL, TRIANGLE_TAIL, SEQUENCE_TAIL = 32, 16, 4


class MeshoptError(Exception):
    """A stream that cannot be decoded; the message goes on after "buffer view N "."""


def decode(source: Bytes, count: int, stride: int, mode: str, kind: str) -> Bytes:
    """Decompresses one buffer view.

    Args:
        source: the compressed bytes.
        count: entries; the caller has limited count times stride.
        stride: bytes of an entry.
        mode: `ATTRIBUTES`, `TRIANGLES` or `INDICES`.
        kind: filter: `NONE`, `OCTAHEDRAL`, `QUATERNION` or `EXPONENTIAL`.

    Returns:
        (count * stride,) bytes.

    Raises:
        MeshoptError: the stream is damaged or of another version.
    """
    source = np.ascontiguousarray(source)
    if mode == "ATTRIBUTES":
        out = _attributes(source, count, stride)
        return _filtered(out, count, stride, kind)
    if stride not in (2, 4) or kind != "NONE":
        raise MeshoptError("has indices of an unknown kind")
    indices = np.zeros(count, np.uint32)
    if mode == "TRIANGLES":
        if count % 3 or len(source) < 1 + count // 3 + TRIANGLE_TAIL or source[0] & 0xF0 != 0xE0 or source[0] & 15 > 1:
            raise MeshoptError("does not begin as a triangle stream")
        good = _triangles(source, indices)
    elif mode == "INDICES":
        if len(source) < 1 + count + SEQUENCE_TAIL or source[0] & 0xF0 != 0xD0 or source[0] & 15 > 1:
            raise MeshoptError("does not begin as an index stream")
        good = _sequence(source, indices)
    else:
        raise MeshoptError(f"is compressed in a way that is not known ({mode[:20]})")
    if not good:
        raise MeshoptError("ends too early")
    return (indices if stride == 4 else indices.astype(np.uint16)).view(np.uint8)


def _attributes(source: Bytes, count: int, stride: int) -> Bytes:
    if stride % 4 or stride > 256:
        raise MeshoptError(f"has entries of {stride} bytes")
    if len(source) < 1 + max(stride, ATTRIBUTE_TAIL) or source[0] != 0xA0:
        raise MeshoptError("does not begin as an attribute stream of version 0")
    out = np.zeros((count, stride), np.uint8)
    if not _attribute_blocks(source, out):
        raise MeshoptError("ends too early")
    return out.reshape(-1)


@njit(cache=True, nogil=True)
def _attribute_blocks(source: Bytes, out: Bytes) -> bool:
    count, stride = out.shape
    end = source.size - max(stride, ATTRIBUTE_TAIL)
    block = min(BLOCK_BYTES // stride // GROUP * GROUP, BLOCK_LARGEST)
    last = source[source.size - stride :].copy()
    values = np.zeros(BLOCK_LARGEST, np.uint8)
    at = 1
    for first in range(0, count, block):
        size = min(block, count - first)
        groups = (size + GROUP - 1) // GROUP
        for k in range(stride):
            header = at
            at += (groups + 3) // 4
            if at > end:
                return False
            for g in range(groups):
                width = (source[header + g // 4] >> ((g % 4) * 2)) & 3
                if width == 0:
                    values[g * GROUP : (g + 1) * GROUP] = 0
                    continue
                if width == 3:
                    if at + GROUP > end:
                        return False
                    values[g * GROUP : (g + 1) * GROUP] = source[at : at + GROUP]
                    at += GROUP
                    continue
                bits = 2 if width == 1 else 4
                full = (1 << bits) - 1
                packed = at
                at += GROUP * bits // 8
                for i in range(GROUP):
                    where = packed + i * bits // 8
                    if where >= end:
                        return False
                    value = (source[where] >> (8 - bits - (i * bits) % 8)) & full
                    if value == full:
                        # Too large for its bits: the value follows the group.
                        if at >= end:
                            return False
                        value = source[at]
                        at += 1
                    values[g * GROUP + i] = value
            before = last[k]
            for i in range(size):
                step = values[i]
                before = np.uint8((before + ((step >> 1) ^ (np.uint8(0) - (step & 1)))) & 255)
                out[first + i, k] = before
            last[k] = before
    return bool(at <= end)


@njit(cache=True, nogil=True)
def _number(source: Bytes, at: int, end: int) -> tuple[int, int]:
    """A number in groups of seven bits, and where the stream goes on; -1 where it ends too early."""
    value, shift = 0, 0
    for _ in range(5):
        if at >= end:
            return 0, -1
        byte = int(source[at])
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            break
        shift += 7
    return value & 0xFFFFFFFF, at


@njit(cache=True, nogil=True)
def _signed(value: int) -> int:
    return (value >> 1) ^ -(value & 1)


@njit(cache=True, nogil=True)
def _sequence(source: Bytes, out: NDArray[np.uint32]) -> bool:
    end = source.size - SEQUENCE_TAIL
    last = np.zeros(2, np.int64)
    at = 1
    for i in range(out.size):
        value, at = _number(source, at, end)
        if at < 0:
            return False
        which = value & 1
        last[which] = (last[which] + _signed(value >> 1)) & 0xFFFFFFFF
        out[i] = last[which]
    return True


@njit(cache=True, nogil=True)
def _triangles(source: Bytes, out: NDArray[np.uint32]) -> bool:
    edges = np.full((16, 2), -1, np.int64)
    vertices = np.full(16, -1, np.int64)
    edge, vertex, following, last = 0, 0, 0, 0
    reach = 13 if source[0] & 15 >= 1 else 15
    end = source.size - TRIANGLE_TAIL
    at = 1 + out.size // 3
    for i in range(0, out.size, 3):
        code = int(source[1 + i // 3])
        if code < 0xF0:
            shared = edges[(edge - 1 - (code >> 4)) & 15]
            a, b = shared[0], shared[1]
            third = code & 15
            keep = 1
            if third < reach:
                if third == 0:
                    c = following
                    following += 1
                else:
                    c = vertices[(vertex - 1 - third) & 15]
                    keep = 0
            else:
                if third != 15:
                    c = last + (third - (third ^ 3))
                else:
                    value, at = _number(source, at, end)
                    if at < 0:
                        return False
                    c = last + _signed(value)
                last = c
            vertices[vertex] = c
            vertex = (vertex + keep) & 15
            edges[edge, 0], edges[edge, 1] = c, b
            edges[(edge + 1) & 15, 0], edges[(edge + 1) & 15, 1] = a, c
            edge = (edge + 2) & 15
        else:
            explicit = code >= 0xFE
            if explicit:
                if at >= end:
                    return False
                more = int(source[at])
                at += 1
                if more == 0:
                    following = 0
            else:
                more = int(source[end + (code & 15)])
            first, second, third = (15 if code == 0xFF else 0), more >> 4, more & 15
            a = b = c = 0
            if first == 0:
                a = following
                following += 1
            if second == 0:
                b = following
                following += 1
            else:
                b = vertices[(vertex - second) & 15]
            if third == 0:
                c = following
                following += 1
            else:
                c = vertices[(vertex - third) & 15]
            if explicit:
                for k in range(3):
                    if (first if k == 0 else second if k == 1 else third) != 15:
                        continue
                    value, at = _number(source, at, end)
                    if at < 0:
                        return False
                    last += _signed(value)
                    if k == 0:
                        a = last
                    elif k == 1:
                        b = last
                    else:
                        c = last
            vertices[vertex] = a
            vertex = (vertex + 1) & 15
            vertices[vertex] = b
            vertex = (vertex + (1 if second == 0 or (explicit and second == 15) else 0)) & 15
            vertices[vertex] = c
            vertex = (vertex + (1 if third == 0 or (explicit and third == 15) else 0)) & 15
            edges[edge, 0], edges[edge, 1] = b, a
            edges[(edge + 1) & 15, 0], edges[(edge + 1) & 15, 1] = c, b
            edges[(edge + 2) & 15, 0], edges[(edge + 2) & 15, 1] = a, c
            edge = (edge + 3) & 15
        out[i], out[i + 1], out[i + 2] = a & 0xFFFFFFFF, b & 0xFFFFFFFF, c & 0xFFFFFFFF
    return True


def _filtered(data: Bytes, count: int, stride: int, kind: str) -> Bytes:
    if kind == "NONE":
        return data
    if kind == "OCTAHEDRAL" and stride in (4, 8):
        signed: NDArray[Any] = data.view(np.int8) if stride == 4 else data.view(np.int16)
        return _octahedral(signed.reshape(count, 4)).reshape(-1).view(np.uint8)
    if kind == "QUATERNION" and stride == 8:
        return _quaternion(data.view(np.int16).reshape(count, 4)).reshape(-1).view(np.uint8)
    if kind == "EXPONENTIAL":
        packed = data.view(np.int32)
        with np.errstate(over="ignore"):
            wide = np.ldexp(((packed << 8) >> 8).astype(np.float32), packed >> 24)
        return np.asarray(wide, np.float32).view(np.uint8)
    raise MeshoptError(f"has a filter that is not known ({kind[:20]})")


def _octahedral(packed: NDArray[Any]) -> NDArray[Any]:
    largest = float(np.iinfo(packed.dtype).max)
    x, y = packed[:, 0].astype(np.float64), packed[:, 1].astype(np.float64)
    z = packed[:, 2] - np.abs(x) - np.abs(y)
    fold = np.minimum(z, 0.0)
    x = x + np.where(x >= 0, fold, -fold)
    y = y + np.where(y >= 0, fold, -fold)
    unit = np.stack([x, y, z], axis=1)
    length = np.linalg.norm(unit, axis=1, keepdims=True)
    out = packed.copy()
    out[:, :3] = _rounded(unit * (largest / np.maximum(length, 1e-12)))
    return out


def _quaternion(packed: NDArray[np.int16]) -> NDArray[np.int16]:
    scale = 1.0 / (np.sqrt(2.0) * (packed[:, 3].astype(np.int64) | 3))
    xyz = packed[:, :3] * scale[:, None]
    w = np.sqrt(np.maximum(1.0 - (xyz**2).sum(axis=1), 0.0))
    parts = _rounded(np.column_stack([xyz, w]) * 32767.0).astype(np.int16)
    largest = (packed[:, 3] & 3).astype(np.int64)
    rows, out = np.arange(len(packed)), np.empty_like(packed)
    for k in range(3):
        out[rows, (largest + 1 + k) & 3] = parts[:, k]
    out[rows, largest] = parts[:, 3]
    return out


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Halves away from zero, as the extension says."""
    return np.trunc(values + np.where(values >= 0, 0.5, -0.5))
