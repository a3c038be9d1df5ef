"""Tells by its name whether a folder or a file is in the trash: one table of names, each with who writes it. Pure.

A name counts when the whole of it is in the table, never a part of it: an album called "Deleted scenes" is an album.
Case, the Unicode form, blanks at the ends and the number of a copy ("Trash 2", "Bin-1", "Papierkorb (3)") do not count.
The table is for the haystack only. What it takes for trash proves nothing, so a name too many costs a second look, and
one too few may cost a photo.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from dupfind.sources.normal_form import folded


class TrashNames(NamedTuple):
    """Names of folders that hold what was thrown away."""

    origin: str
    """Who gives a folder these names."""
    names: tuple[str, ...]
    """As they are usually spelt."""


TRASH_NAMES = (
    TrashNames(
        "Windows, in its languages",
        (
            "$Recycle.Bin", "Recycled", "Recycler", "Recycle Bin", "Papierkorb", "Corbeille", "Papelera de reciclaje",
            "Reciclagem", "Lixeira", "Cestino", "Prullenbak", "Kosz", "Koš", "Kôš", "Lomtár", "Coș de reciclare",
            "Корзина", "Кошик", "Кошче", "Geri Dönüşüm Kutusu", "Papperskorgen", "Papirkurv", "Roskakori", "Prügikast",
            "Atkritne", "Šiukšlinė", "Koš za smeće", "Корпа за отпатке", "Korpa za otpatke", "Κάδος Ανακύκλωσης",
            "ごみ箱", "휴지통", "回收站", "資源回收筒", "سلة المحذوفات", "סל המיחזור", "ถังรีไซเคิล", "रीसायकल बिन",
        ),
    ),
    TrashNames(
        "Google Photos and Takeout, in their languages",
        (
            "Trash", "Bin", "Papierkorb", "Corbeille", "Papelera", "Lixeira", "Lixo", "Reciclagem", "Cestino",
            "Prullenbak", "Kosz", "Koš", "Kôš", "Корзина", "Кошик", "Кошче", "Отпад", "Çöp Kutusu", "Papperskorgen",
            "Papirkurv", "Roskakori", "ゴミ箱", "휴지통", "回收站", "垃圾桶", "废纸篓", "Kuka", "Coș de gunoi", "Κάδος",
            "Otpad", "Smetnjak", "Šiukšliadėžė", "Prügikast", "Paperera", "Thùng rác", "Sampah", "Tong Sampah",
            "Tempat sampah", "Keranjang sampah", "Basurahan", "ถังขยะ", "سلة المهملات", "אשפה", "ट्रैश",
        ),
    ),
    TrashNames(
        "Linux desktops: the names that GTK's file lists show",
        (
            "Trash", "Wastebasket", "Rubbish Bin", "Аклаҭ", "Asblik", "المهملات", "আবৰ্জনা", "Сметніца", "Кошче",
            "Pod-lastez", "Smeće", "Paperera", "تەنەکەخۆڵ", "Koš", "Papirkurv", "Papierkorb", "Απορρίμματα", "Rubujo",
            "Papelera", "Zakarrontzia", "زباله‌دان", "Roskakori", "Corbeille", "Scovacere", "Bruscar", "Sgudal", "Lixo",
            "કચરાપેટી", "אשפה", "रद्दी", "Kuka", "Tong Sampah", "Paper-corb", "Rusl", "Cestino", "ゴミ箱", "ნაგავი",
            "Қоқыс шелегі", "ಕಸದ ಬುಟ್ಟಿ", "휴지통", "Šiukšlinė", "Miskaste", "कचरापेटी", "Sampah", "रद्दी टोकरी",
            "Prullenbak", "Escobilhièr", "ਰੱਦੀ", "Kosz", "Lixeira", "Gunoi", "Корзина", "Kôš", "Smeti", "Смеће",
            "Papperskorg", "குப்பை", "చెత్తకుండి", "Сабад", "ถังขยะ", "Çöp", "Смітник", "Thùng rác", "回收站", "回收筒",
            "垃圾桶",
        ),
    ),
    TrashNames(
        "Apple Photos, iCloud and Files, in their languages",
        (
            "Recently Deleted", "Zuletzt gelöscht", "Récemment supprimés", "Supprimés récemment",
            "Suppressions récentes", "Eliminado", "Eliminados recientemente", "Eliminati di recente",
            "Recent verwijderd", "Onlangs verwijderd", "Apagados", "Apagados recentemente", "Recentemente apagadas",
            "Slettet for nylig", "Nylig slettet", "Senast raderade", "Viimeksi poistetut", "Ostatnio usunięte",
            "Naposledy smazané", "Nedávno vymazané", "Son Silinenler", "Недавно удаленные", "Недавно удалённые",
            "Нещодавно видалені", "Πρόσφατα διαγραμμένα", "最近削除した項目", "최근 삭제된 항목", "最近删除",
            "最近刪除", "iPhoto Trash", "Aperture Trash",
        ),
    ),
    TrashNames(
        "Network drives: Synology, QNAP, Unraid, Buffalo, Thecus, Samba, AFP",
        (
            "#recycle", "@Recycle", ".recycle", ".Recycle.Bin", "Recycle", "Recycle.Bin", "RecycleBin", "Recycle_Bin",
            "trashbox", "_NAS_Recycle_RAID", "Network Trash Folder",
        ),
    ),
    TrashNames(
        "Clouds and their clients: Nextcloud, ownCloud, Dropbox, MEGA, Syncthing",
        (
            "files_trashbin", "files_versions", "Trashbin", "Trash Bin", ".dropbox.cache", ".debris", "SyncDebris",
            "Rubbish", ".stversions", "Deleted files",
        ),
    ),
    TrashNames(
        "Android: Samsung, Huawei, Honor, Xiaomi (MIUI), Oppo, OnePlus, vivo, Meizu, and file managers",
        (
            ".RecycleBinHW", ".RecycleBin", "recyclebin", ".$Trash$", ".File_Recycle", ".ColorOSGalleryRecycler",
            ".FileManagerRecycler", ".vivoRecycleBin", ".vivoFileRecycleBin", "vivoRecycleBin", "vivoFileRecycleBin",
            ".MeizuGalleryTrashBin", ".garbage", ".360ExplorerRecycleBin", ".$recycle_bin$", ".SFM_trash",
            ".FilesByGoogleTrash",
        ),
    ),
    TrashNames(
        "Photo and mail programs: digiKam, FastRawViewer, Outlook, Thunderbird",
        (
            ".dtrash", "Rejected", "_Rejected", "Deleted Items", "Deleted Messages", "Gelöschte Elemente",
            "Gelöschte Objekte", "Éléments supprimés", "Elementos eliminados", "Itens excluídos", "Posta eliminata",
            "Verwijderde items", "Удаленные",
        ),
    ),
    TrashNames(
        "people, by hand",
        (
            "Deleted", "_Deleted", "Gelöscht", "_Gelöscht", "Supprimés", "Eliminados", "Eliminati", "Verwijderd",
            "Usunięte", "To delete", "Zu löschen", "À supprimer",
        ),
    ),
)  # fmt: skip
"""The table. The names of Linux desktops are GTK's translations of "Trash", those of Android are in cleaners' lists."""

TRASH_PREFIX = ".trash"
"""How all other names of hidden trash begin: ``.Trash``, ``.Trashes``, ``.Trash-1000``, ``.trashBin``."""

TRASHED_FILE_PREFIXES = (".trashed-", ".pending-")
"""How Android marks a picture that it will delete by itself, or that it has not finished writing."""

_FOLDED = frozenset(folded(name) for row in TRASH_NAMES for name in row.names)
_COPY_SIGNS = " _-()0123456789"
_COPY_NUMBER = re.compile(r"[ _-]*\(?\d{1,3}\)?$")
"""What file managers and unpackers put behind a name that is taken: ``Trash 2``, ``Bin-1``, ``Papierkorb (3)``."""


def is_trash_folder(name: str) -> bool:
    """Tell whether a folder of this name holds what was thrown away.

    >>> is_trash_folder("PAPIERKORB (2)"), is_trash_folder("Deleted scenes")
    (True, False)
    """
    plain = folded(name)
    if plain in _FOLDED or plain.startswith(TRASH_PREFIX):
        return True
    # Most folders end with a number: the cheap look spares them the expression.
    return plain.rstrip(_COPY_SIGNS) in _FOLDED and _COPY_NUMBER.sub("", plain) in _FOLDED


def is_trashed_file(name: str) -> bool:
    """Tell whether a file of this name will be deleted by the system that named it."""
    return name.lower().startswith(TRASHED_FILE_PREFIXES)
