"""Pure parts of form parsing: character sets, and parameters as browsers write them (RFC 7578).

What is not canonical is left to python-multipart.
"""

from __future__ import annotations

import codecs
import encodings
import re
from typing import Final

# Character sets, by the canonical name of their codec. SECURITY: what Python calls its own encodings is not among them:
# `punycode` takes minutes for one field of the default size, `undefined` always fails, `charmap` is no set at all.
# Nor is UTF-7, which can spell lone surrogates: no response could carry them.
CHARACTER_SETS: Final = frozenset(
    """
    ascii utf-8 utf-8-sig utf-16 utf-16-be utf-16-le utf-32 utf-32-be utf-32-le
    iso8859-1 iso8859-2 iso8859-3 iso8859-4 iso8859-5 iso8859-6 iso8859-7 iso8859-8 iso8859-9 iso8859-10 iso8859-11
    iso8859-13 iso8859-14 iso8859-15 iso8859-16 koi8-r koi8-t koi8-u kz1048 ptcp154 tis-620 hp-roman8
    cp037 cp273 cp424 cp437 cp500 cp720 cp737 cp775 cp850 cp852 cp855 cp856 cp857 cp858 cp860 cp861 cp862 cp863 cp864
    cp865 cp866 cp869 cp874 cp875 cp932 cp949 cp950 cp1006 cp1026 cp1125 cp1140 cp1250 cp1251 cp1252 cp1253 cp1254
    cp1255 cp1256 cp1257 cp1258 mac-arabic mac-croatian mac-cyrillic mac-farsi mac-greek mac-iceland mac-latin2
    mac-roman mac-romanian mac-turkish big5 big5hkscs gb2312 gbk gb18030 hz johab euc_jp euc_jis_2004 euc_jisx0213
    euc_kr iso2022_jp iso2022_jp_1 iso2022_jp_2 iso2022_jp_2004 iso2022_jp_3 iso2022_jp_ext iso2022_kr shift_jis
    shift_jis_2004 shift_jisx0213
    """.split()  # noqa: SIM905  # a hundred quoted names are harder to read
)

# What stands for every other name, and decodes any octets.
FALLBACK: Final = "latin-1"

# Longer than any name in the IANA registry.
_LONGEST_NAME: Final = 64

# bcharsnospace (RFC 2046 §5.1.1), of which the marks do not need quotes.
_CANONICAL_BOUNDARY: Final = re.compile(r"[0-9A-Za-z'+_.-]{1,256}")

_CANONICAL_DISPOSITION: Final = b'form-data; name="'
_CANONICAL_FILENAME: Final = b'; filename="'


def charset_codec(charset: str) -> str:
    """Return the name of the codec for the `charset` parameter of a form; latin-1 when it names no character set.

    The codec registry is asked once at most, and a name never raises.
    """
    if len(charset) > _LONGEST_NAME:
        return FALLBACK
    try:
        name = codecs.lookup(charset).name
    except (LookupError, ValueError):  # unknown; NUL in the name, or characters that no name has
        _forget_unknown_codecs()
        return FALLBACK
    return name if name in CHARACTER_SETS else FALLBACK


def canonical_boundary(content_type: str) -> str | None:
    """Return the boundary of `multipart/form-data; boundary=x`, None when the field has any other form."""
    kind, _, boundary = content_type.partition("; boundary=")
    return boundary if ";" not in kind and _CANONICAL_BOUNDARY.fullmatch(boundary) else None


def canonical_disposition(field: bytes) -> tuple[bytes, bytes | None] | None:
    """Return name and file name of `form-data; name="n"` or `form-data; name="n"; filename="f"`.

    Browsers send these. None stands for anything else, escapes included.
    """
    if not field.startswith(_CANONICAL_DISPOSITION) or b"\\" in field:
        return None
    name, quote, rest = field[len(_CANONICAL_DISPOSITION) :].partition(b'"')
    if not rest:
        return (name, None) if quote else None
    if not rest.startswith(_CANONICAL_FILENAME):
        return None
    filename, quote, rest = rest[len(_CANONICAL_FILENAME) :].partition(b'"')
    return (name, filename) if quote and not rest else None


def _forget_unknown_codecs() -> None:
    # SECURITY: `encodings` remembers every name that is no codec, for ever; names come from the network.
    cache: dict[str, object] = getattr(encodings, "_cache", {})
    for name in [name for name, entry in cache.copy().items() if entry is None]:
        cache.pop(name, None)
