"""Pictures with enough to see to be known again by a part, made from a seed alone, and what people make of them."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw


def photo(seed: int, size: tuple[int, int] = (480, 360)) -> Image.Image:
    """A picture of shapes of every size, grey and coloured, on an uneven ground."""
    rng = np.random.default_rng(seed)
    width, height = size
    ground = rng.uniform(60, 200, (6, 8, 3)).astype(np.uint8)
    image = Image.fromarray(ground).resize(size, Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(image)
    for _ in range(160):
        x, y, side = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(4, 40)
        color = tuple(int(level) for level in rng.uniform(0, 255, 3))
        corners = [(x + side * np.cos(a), y + side * np.sin(a)) for a in np.sort(rng.uniform(0, 2 * np.pi, 4))]
        draw.polygon(corners, fill=color)
    return image


def jpeg(image: Image.Image, quality: int = 85) -> bytes:
    """The picture as a JPEG."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()


def part(image: Image.Image, left: float, top: float, right: float, bottom: float) -> Image.Image:
    """Cut out a part, by shares of the sides."""
    width, height = image.size
    return image.crop((round(left * width), round(top * height), round(right * width), round(bottom * height)))


def screenshot(image: Image.Image) -> Image.Image:
    """The picture as a phone shows it, between black bars with words on them."""
    screen = Image.new("RGB", (540, 1100), (18, 18, 18))
    shown = image.resize((540, 540 * image.height // image.width), Image.Resampling.LANCZOS)
    screen.paste(shown, (0, (1100 - shown.height) // 2))
    draw = ImageDraw.Draw(screen)
    draw.text((20, 20), "12:04     LTE 87%", fill="white", font_size=24)
    draw.text((60, 1050), "Share     Edit     Delete", fill="white", font_size=28)
    return screen


def page(*images: Image.Image) -> Image.Image:
    """A page of an album with up to four pictures on white."""
    sheet = Image.new("RGB", (1000, 760), "white")
    for number, image in enumerate(images):
        small = image.resize((460, 345), Image.Resampling.LANCZOS)
        sheet.paste(small, (20 + 500 * (number % 2), 20 + 375 * (number // 2)))
    return sheet
