"""Kinds of pairs in which two things come together: a poor or smaller needle and a changed witness, a loss and a date.

A poor needle raises what a program has to allow for, and a change in the library must show all the same.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from random import Random

from PIL import Image, ImageEnhance

from benchmarks.edits import Case, Source, encode, resized
from benchmarks.filters import changed_where_it_shows, log_uniform, mosaic, noisy
from benchmarks.kinds import COPIES, CURVES, LACKING, PAGES, STILL, Make, PairKind
from benchmarks.own_kinds import healed
from benchmarks.saving import decoded, jpeg, needle_file
from benchmarks.screens import Draw, calendar, number_plate, price_label, slide, spreadsheet
from benchmarks.still_camera import moved_object
from fixtures import pictures

_QUARTERS = (15, 30, 45, 60, 120, 180, 1440)
"""Minutes between pictures of an interval timer; corrections of a time zone are multiples of 15 minutes too."""
_SOME_DAY = datetime(2019, 6, 12, 14, 31, 27)  # noqa: DTZ001 - cameras write local time without a zone


def changed_part(image: Image.Image, dice: Random) -> Image.Image | None:
    """Pixelate or heal a part where it shows."""
    if dice.random() < 0.4:
        return healed(image, dice)
    blocks = dice.randint(6, 12)
    share = log_uniform(dice, 0.01, 0.04)
    return changed_where_it_shows(image, share, lambda part: mosaic(part, blocks), dice, least=8)


def _poor_needle(source: Source, dice: Random) -> Case | None:
    changed = changed_part(source.image, dice)
    return None if changed is None else Case(encode(source.image, quality=dice.randint(45, 70)), jpeg(changed, dice))


def _smaller_needle(source: Source, dice: Random) -> Case | None:
    changed = changed_part(source.image, dice)
    small = resized(source.image, dice.uniform(0.5, 0.9))
    return None if changed is None else Case(jpeg(small, dice, 75, 95), jpeg(changed, dice))


def _turned_needle(source: Source, dice: Random) -> Case | None:
    changed = changed_part(source.image, dice)
    how = dice.choice((Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270))
    return None if changed is None else Case(jpeg(source.image.transpose(how), dice), jpeg(changed, dice))


def _other_formats(source: Source, dice: Random) -> Case | None:
    changed = changed_part(source.image, dice)
    if changed is None:
        return None
    needle, witness = dice.sample(("HEIF", "AVIF", "WEBP", "PNG", "JPEG"), 2)
    return Case(needle_file(source.image, needle, dice), needle_file(changed, witness, dice))


def _grainy_needle(source: Source, dice: Random) -> Case | None:
    """The same grainy photo on both sides, with a part changed in the library."""
    grainy = noisy(source.image, dice.uniform(4, 9), dice)
    changed = changed_part(grainy, dice)
    return None if changed is None else Case(jpeg(grainy, dice), jpeg(changed, dice))


def _reduced_page(draw: Draw, source: Source, dice: Random) -> Case:
    """A page on a phone among the needles, reduced by a messenger; in the library one figure is another."""
    state = dice.getrandbits(64)
    first, second = (draw(source, Random(state), is_changed) for is_changed in (False, True))  # noqa: S311
    small = resized(first, dice.uniform(0.65, 0.9))
    return Case(encode(small, quality=dice.randint(75, 90)), encode(second, quality=dice.randint(85, 95)))


def _dated(image: Image.Image, when: datetime, dice: Random) -> bytes:
    """Save with this capture time, which knows whole seconds only."""
    captured = when.strftime("%Y:%m:%d %H:%M:%S")
    return encode(image, quality=dice.randint(85, 95), exif=pictures.exif(1, captured))


def _interval_timer(source: Source, dice: Random) -> Case:
    """The next picture of an interval timer: nothing but the noise and a little of the light is another."""
    light = ImageEnhance.Brightness(source.image).enhance(dice.uniform(0.985, 1.015))
    grain, later = dice.uniform(0.8, 2), timedelta(minutes=dice.choice(_QUARTERS))
    first, second = noisy(source.image, grain, dice), noisy(light, grain, dice)
    return Case(_dated(first, _SOME_DAY, dice), _dated(second, _SOME_DAY + later, dice))


def _one_second(source: Source, dice: Random) -> Case | None:
    """Two frames of one second, and the capture time knows no parts of it; an object has moved."""
    case = moved_object(0.0008, 0.004, source, dice)
    if case is None:
        return None
    first, second = (decoded(side) for side in case)
    return Case(_dated(first, _SOME_DAY, dice), _dated(second, _SOME_DAY, dice))


def _page_as_jpeg(draw: Draw, source: Source, dice: Random) -> Case:
    """A page as PNG, and its own copy as JPEG."""
    page = draw(source, dice, False)
    return Case(encode(page, quality=dice.randint(70, 92)), encode(page, "PNG", **pictures.QUICKLY["PNG"]))


def _page_reduced(draw: Draw, source: Source, dice: Random) -> Case:
    """A page as PNG, and its own copy, reduced by a messenger."""
    page = draw(source, dice, False)
    small = resized(page, dice.uniform(0.5, 0.9))
    return Case(encode(small, quality=dice.randint(70, 90)), encode(page, "PNG", **pictures.QUICKLY["PNG"]))


def _same_plate(source: Source, dice: Random) -> Case:
    """A street with a plate, saved again: writing alone must not keep a photo back."""
    street = number_plate(source, dice, False)
    return Case(encode(street, quality=dice.randint(55, 90)), encode(street, quality=dice.randint(90, 96)))


_LACKING: dict[str, Make] = {
    "poor needle, a part changed": _poor_needle,
    "smaller needle, a part changed": _smaller_needle,
    "turned needle, a part changed": _turned_needle,
    "HEIC, AVIF, WebP or PNG, a part changed": _other_formats,
    "grainy photo, a part changed": _grainy_needle,
}
_STILL: dict[str, Make] = {"interval timer": _interval_timer, "object moved within a second": _one_second}
_PAGES: dict[str, Make] = {
    "smaller needle: calendar": partial(_reduced_page, calendar),
    "smaller needle: slide": partial(_reduced_page, slide),
    "smaller needle: price label": partial(_reduced_page, price_label),
}
_PAGE_COPIES: dict[str, Make] = {
    f"{name}: its own copy, {how}": partial(make, draw)
    for name, draw in (("spreadsheet", spreadsheet), ("slide", slide), ("calendar", calendar))
    for how, make in (("as JPEG", _page_as_jpeg), ("reduced", _page_reduced))
}
MIXED_KINDS = (
    *(PairKind(name, LACKING, make) for name, make in _LACKING.items()),
    *(PairKind(name, PAGES, make) for name, make in _PAGES.items()),
    *(PairKind(name, STILL, make) for name, make in _STILL.items()),
    PairKind("street with a plate, saved again", COPIES, _same_plate),
    *(PairKind(name, CURVES, make, has_own_size=True) for name, make in _PAGE_COPIES.items()),
)
