"""The pictures of an avatar file: their size is known before they are decoded, and limited."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from models.avatars.accessors import Accessors
from models.avatars.container import Document, as_int, as_object, data_uri
from models.avatars.errors import AvatarFileError

__all__ = ["AvatarTexture", "load_textures"]

LARGEST_SIDE = 2048
"""Pixels that a texture keeps; larger ones are averaged down."""
LARGEST_ENCODED = 8192
"""Pixels a side of a picture that is decoded at all, or as many in another shape."""
TEXTURE_MEMORY = 256 * 1024 * 1024
"""Bytes of all textures of an avatar, decoded."""
MOST_TEXTURES = 256
FORMATS = ("PNG", "JPEG", "WEBP")
DECODERS = 2
"""Threads; each holds one full-size picture for a moment."""


@dataclass(frozen=True, slots=True)
class AvatarTexture:
    """One picture.

    Attributes:
        pixels: (H, W, 3) or (H, W, 4) uint8 sRGB, top row first.
        wrap: for u and v: `repeat`, `clamp_to_edge` or `mirrored_repeat`.
    """

    pixels: NDArray[np.uint8]
    wrap: tuple[str, str] = ("repeat", "repeat")


def load_textures(document: Document, accessors: Accessors, wanted: Iterable[int]) -> dict[int, AvatarTexture]:
    """Decodes the textures that materials use.

    Args:
        wanted: indices into the file's "textures".

    Returns:
        By index. Two textures of one picture share its pixels.

    Raises:
        AvatarFileError: a picture is missing, damaged, too large, of another format or kept elsewhere.
    """
    textures, images = document.items("textures"), document.items("images")
    source: dict[int, int] = {}
    for index in sorted(set(wanted)):
        if not 0 <= index < len(textures):
            raise document.error(f"is damaged: a material uses texture {index} of {len(textures)}.")
        source[index] = _image_of(textures[index])
        if not 0 <= source[index] < len(images):
            raise document.error(f"is damaged: texture {index} has no picture in PNG, JPEG or WebP.")
    used = sorted(set(source.values()))
    if len(used) > MOST_TEXTURES:
        raise document.error(f"has {len(used)} textures; {MOST_TEXTURES} are read.")
    encoded = {i: _bytes_of(document, accessors, images[i], i) for i in used}
    sizes = {i: _checked_size(document, data, i) for i, data in encoded.items()}
    side = _side_for(sizes.values())
    with ThreadPoolExecutor(DECODERS, "avatar-texture") as pool:
        pictures = dict(zip(used, pool.map(lambda i: _decoded(document, encoded[i], i, side), used), strict=True))
    samplers = document.items("samplers")
    return {index: AvatarTexture(pictures[i], _wrap(textures[index], samplers)) for index, i in source.items()}


def _image_of(texture: dict[str, Any]) -> int:
    webp = as_object(as_object(texture.get("extensions")).get("EXT_texture_webp"))
    return as_int(webp.get("source"), as_int(texture.get("source")))


def _bytes_of(document: Document, accessors: Accessors, image: dict[str, Any], index: int) -> bytes:
    if "bufferView" in image:
        return bytes(accessors.view_bytes(image["bufferView"]))
    return data_uri(document, image.get("uri"), f"picture {index}")


def _open(document: Document, data: bytes, index: int) -> Image.Image:
    """Reads the head of a picture, no pixels."""
    try:
        with warnings.catch_warnings():
            # Our own limit is checked right after; Pillow's warning would be a second one.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            return Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise _too_large(document, index, "too many pixels") from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise document.error(f"is damaged: picture {index} is no PNG, JPEG or WebP.") from error


def _checked_size(document: Document, data: bytes, index: int) -> tuple[int, int]:
    with _open(document, data, index) as picture:
        width, height = picture.size
    if width * height > LARGEST_ENCODED**2 or min(width, height) < 1:
        raise _too_large(document, index, f"{width} x {height} pixels")
    return width, height


def _too_large(document: Document, index: int, what: str) -> AvatarFileError:
    return document.error(
        f"has a texture of {what} (picture {index}); up to {LARGEST_ENCODED} x {LARGEST_ENCODED} are read: "
        "make it smaller."
    )


def _side_for(sizes: Iterable[tuple[int, int]]) -> int:
    """The largest side at which all textures together stay within their memory."""
    known, side = list(sizes), LARGEST_SIDE

    def total(limit: int) -> float:
        return sum(w * h * 4 * min(1.0, limit / max(w, h)) ** 2 for w, h in known)

    while side > 64 and total(side) > TEXTURE_MEMORY:
        side //= 2
    return side


def _decoded(document: Document, data: bytes, index: int, side: int) -> NDArray[np.uint8]:
    """(H, W, 3 or 4) uint8, no side longer than `side`."""
    try:
        with _open(document, data, index) as picture:
            if picture.format == "JPEG":
                # Decodes at a half, a quarter or an eighth where that is enough.
                picture.draft("RGB", (side, side))
            if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
                pixels = np.asarray(picture.convert("RGBA"))
            else:
                pixels = np.asarray(picture.convert("RGB"))
    except AvatarFileError:
        raise
    except (OSError, ValueError, SyntaxError, MemoryError, Image.DecompressionBombError) as error:
        raise document.error(f"is damaged: picture {index} cannot be decoded.") from error
    height, width = pixels.shape[:2]
    if max(width, height) > side:
        scale = side / max(width, height)
        size = (max(round(width * scale), 1), max(round(height * scale), 1))
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    if pixels.shape[2] == 4 and int(pixels[..., 3].min()) == 255:
        pixels = pixels[..., :3]
    return np.ascontiguousarray(pixels)


def _wrap(texture: dict[str, Any], samplers: list[dict[str, Any]]) -> tuple[str, str]:
    names = {33071: "clamp_to_edge", 33648: "mirrored_repeat"}
    index = as_int(texture.get("sampler"))
    sampler = samplers[index] if 0 <= index < len(samplers) else {}
    s, t = (names.get(as_int(sampler.get(k)), "repeat") for k in ("wrapS", "wrapT"))
    return s, t
