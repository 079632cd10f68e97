"""Reads the picture of a background, from a file that may be anything."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rendering.scene import BackgroundPicture
from rendering.scene_settings import SceneSettings

__all__ = ["PictureFileError", "picture_file", "picture_of", "read_picture"]

LARGEST_FILE = 64 * 1024 * 1024
LARGEST_PIXELS = 100_000_000
LONGEST_SIDE = 2560
"""Of what is kept: more does not show behind a head."""
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")


class PictureFileError(Exception):
    """A picture that cannot be used; the message is one sentence for the user."""


def picture_of(settings: SceneSettings) -> BackgroundPicture | None:
    """The picture that a scene shows or is lit by; None where it needs none.

    Raises:
        PictureFileError: it needs one that cannot be used.
    """
    file = picture_file(settings)
    return None if file is None else read_picture(Path(file))


def picture_file(settings: SceneSettings) -> str | None:
    """The file of the picture that a scene shows or is lit by; None where it needs none."""
    wanted = settings.background.kind == "picture" or settings.light.environment.source == "picture"
    return (settings.background.picture or None) if wanted else None


def read_picture(path: Path) -> BackgroundPicture:
    """The picture in a file, upright, made smaller where it is large.

    Raises:
        PictureFileError: it is missing, no picture, or too large.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        if path.stat().st_size > LARGEST_FILE:
            raise PictureFileError(
                f"The picture {path.name} has more than {LARGEST_FILE >> 20} MB: choose a smaller one for the"
                " background."
            )
        with Image.open(path, formats=FORMATS) as image:
            if image.width * image.height > LARGEST_PIXELS:
                raise PictureFileError(
                    f"The picture {path.name} has {image.width} x {image.height} pixels: choose a smaller one for the"
                    " background."
                )
            image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            upright = ImageOps.exif_transpose(image)
            upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE), reducing_gap=2.0)
            flat = Image.new("RGB", upright.size)
            # What is transparent in it is black.
            rgba = upright.convert("RGBA")
            flat.paste(rgba, mask=rgba.getchannel("A"))
            return BackgroundPicture(np.array(flat, np.uint8))
    except (UnidentifiedImageError, Image.DecompressionBombError, ValueError, SyntaxError, EOFError) as error:
        raise PictureFileError(f"{path.name} is no picture that can be read: choose a JPEG, PNG or WebP.") from error
    except OSError as error:
        if path.is_file():
            reason = error.strerror or "the file is damaged"
            raise PictureFileError(f"The picture {path.name} cannot be read ({reason}): choose another one.") from error
        raise PictureFileError(f"The picture {path} is not there: choose another one for the background.") from error
