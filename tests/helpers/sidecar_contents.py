"""Contents of sidecars as the programs write them, each about one picture."""

from __future__ import annotations

import base64
import json
import plistlib

JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(200)


def xmp(attributes: str = 'xmp:Rating="4"', inner: str = "") -> bytes:
    """What Lightroom and darktable write beside a picture."""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/" '
        'xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" '
        'xmlns:xmpGImg="http://ns.adobe.com/xap/1.0/g/img/" '
        f'{attributes}>{inner}</rdf:Description></rdf:RDF></x:xmpmeta>\n   \n<?xpacket end="w"?>'
    ).encode()


def takeout(title: object, **more: object) -> bytes:
    """What Takeout writes about a picture."""
    value = {"title": title, "description": "", "imageViews": "3", "photoTakenTime": {"timestamp": "1500000000"}}
    return json.dumps(value | more, indent=2).encode()


def aae(data: bytes = b"bplist00 of an edit", *, is_binary: bool = False) -> bytes:
    """What Photos writes beside an edited picture."""
    value = {"adjustmentBaseVersion": 0, "adjustmentData": data, "adjustmentFormatIdentifier": "com.apple.photo"}
    return plistlib.dumps(value, fmt=plistlib.FMT_BINARY if is_binary else plistlib.FMT_XML)


ALBUM = json.dumps({"title": "Holiday", "description": "", "access": "protected", "date": {"timestamp": "1"}}).encode()
PP3 = b"[Version]\nAppVersion=5.8\nVersion=346\n\n[General]\nRank=3\nColorLabel=0\n"
DOP = b'Sidecar = {\nDate = "2020-01-01T00:00:00Z",\nSoftware = "DxO PhotoLab 5.1",\n}\n'
ON1 = json.dumps({"photos": {"a1": {"name": "a.jpg", "rating": 3}}, "version": 2019}).encode()
COS = b'<?xml version="1.0"?>\n<SL Engine="1300">\n<DL><E K="Exposure" V="0.5" /></DL>\n</SL>\n'
PICASA = b"[Picasa]\nname=Holiday\n[a.jpg]\nstar=yes\nfaces=rect64(3f84),ffff;\n[.album:1f]\nname=x\n[Contacts2]\n"
DESCRIPTIONS = b'a.jpg on the beach\r\n"a.jpg" again\r\n'
CODED_JPEG = base64.b64encode(JPEG).decode()
