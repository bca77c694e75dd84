"""Pictures of kinds that are not read: what they are called, and what makes one that is read of them."""

import re
import shlex
from pathlib import Path
from typing import Dict, Optional

#: What turns one into a picture that is read: FILE is its name, STEM the same without its ending.
_MAGICK = "magick FILE STEM.png"
_REMEDIES: Dict[str, str] = {
    "HEIC": "heif-convert FILE STEM.jpg",
    "AVIF": "avifdec FILE STEM.png",
    "JPEG XL": "djxl FILE STEM.png",
    "raw camera data": "darktable-cli FILE STEM.jpg",
    "SVG": "rsvg-convert -o STEM.png FILE",
    "PDF": "pdftoppm -png FILE STEM",
    "video": "ffmpeg -i FILE -frames:v 1 STEM.png",
}

#: Kinds by ending.
_ENDINGS: Dict[str, str] = {
    ending: kind
    for kind, endings in {
        "HEIC": ".heic .heics .heif .heifs .hif",
        "AVIF": ".avif .avifs",
        "JPEG XL": ".jxl",
        "raw camera data": ".3fr .arw .cr2 .cr3 .crw .dng .erf .iiq .kdc .mrw .nef .nrw .orf .pef .raf .raw .rw2 .sr2"
        " .srf .srw .x3f",
        "SVG": ".svg .svgz",
        "PDF": ".pdf .ai",
        "video": ".3gp .avi .m4v .mkv .mov .mp4 .mpeg .mpg .webm .wmv",
        "GIF": ".gif",
        "JPEG 2000": ".j2c .j2k .jp2 .jpf .jpx",
        "Photoshop": ".psb .psd",
        "OpenEXR": ".exr",
        "Radiance HDR": ".hdr",
        "icon": ".icns .ico",
        "TGA": ".tga",
        "GIMP": ".xcf",
    }.items()
    for ending in endings.split()
}
#: The same by how they begin, whatever they are called.
_BEGINNINGS = tuple(
    (re.compile(pattern, re.DOTALL), kind)
    for pattern, kind in (
        (rb".{4}ftyp(avif|avis)", "AVIF"),
        (rb".{4}ftyp(hei|hev|mif1|msf1)", "HEIC"),
        (rb".{4}ftypcrx |II\*\x00.{4}CR|FUJIFILMCCD-RAW", "raw camera data"),
        (rb".{4}ftyp|RIFF.{4}AVI |\x1aE\xdf\xa3", "video"),
        (rb"GIF8[79]a", "GIF"),
        (rb"\x00\x00\x00\x0cjP  |\xff\x4f\xff\x51", "JPEG 2000"),
        (rb"\x00\x00\x00\x0cJXL |\xff\x0a", "JPEG XL"),
        (rb"%PDF", "PDF"),
        (rb"8BPS", "Photoshop"),
        (rb"(\xef\xbb\xbf)?\s*<(svg|[?!].*<svg)", "SVG"),
        (rb"v/1\x01", "OpenEXR"),
        (rb"#\?RADIANCE", "Radiance HDR"),
        (rb"\x00\x00\x01\x00.\x00", "icon"),
        (rb"gimp xcf", "GIMP"),
    )
)


def unread_kind(path: Path, beginning: bytes) -> Optional[str]:
    """What a file is that begins so, e.g. "HEIC"; None where it is none that is known."""
    for pattern, kind in _BEGINNINGS:
        if pattern.match(beginning[:4096]):
            return kind
    return kind_by_ending(path.suffix)


def kind_by_ending(ending: str) -> Optional[str]:
    """The same by the ending of its name alone."""
    return _ENDINGS.get(ending.lower())


def remedy(kind: str, path: Path) -> str:
    """What to do with it, in words that go on a sentence."""
    file, stem = (shlex.quote(str(name)) for name in (path, path.with_suffix("")))
    # In one go: a name may hold these words itself.
    words: Dict[str, str] = {"FILE": file, "STEM": stem}
    command = _REMEDIES.get(kind, _MAGICK)
    return "convert it, e.g. with: " + re.sub("FILE|STEM", lambda found: words[found[0]], command)
