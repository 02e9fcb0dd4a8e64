"""The `Content-Disposition` field of a download (RFC 6266). Pure."""

from __future__ import annotations

from urllib.parse import quote


def content_disposition(kind: str, filename: str) -> str:
    """Return `attachment; filename="a.txt"`, or the extended form of RFC 8187 for a name that needs quoting.

    Args:
        kind: `"attachment"` or `"inline"`.
        filename: The name to offer: any text. Quotes cannot end the parameter, as they are percent-encoded.
    """
    encoded = quote(filename)
    if encoded == filename:
        return f'{kind}; filename="{filename}"'
    return f"{kind}; filename*=utf-8''{encoded}"
