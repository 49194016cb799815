"""Request bodies that upload files: `multipart/form-data` (RFC 7578), as the fields that a JSON body would have."""

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

__all__ = ["form_fields", "is_form"]

_BOUNDARY: Final = re.compile(r'boundary="?([^";]+)"?')
_NAME: Final = re.compile(rb'\bname="([^"]*)"')
_FILE: Final = re.compile(rb'\bfilename="([^"]*)"')


def is_form(headers: Mapping[str, str]) -> bool:
    """Whether a request's headers call its body a form."""
    return headers.get("content-type", "").lower().startswith("multipart/form-data")


def form_fields(body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
    """The fields of a form: texts as they are, files by name, size and hash; repeated fields as a list."""
    named = _BOUNDARY.search(headers.get("content-type", ""))
    boundary = b"--" + named[1].strip().encode() if named else body.partition(b"\r\n")[0]
    found: dict[str, Any] = {}
    if not boundary.strip(b"-"):
        return found
    for part in body.split(boundary)[1:]:
        head, gap, content = part.partition(b"\r\n\r\n")
        name = _NAME.search(head)
        if not gap or name is None:
            continue
        content = content.removesuffix(b"\r\n")
        file = _FILE.search(head)
        value: object = content.decode("utf-8", "replace")
        if file is not None:
            digest = sha256(content).hexdigest()[:16]
            value = {"filename": file[1].decode("utf-8", "replace"), "bytes": len(content), "sha256": digest}
        key = name[1].decode("utf-8", "replace").removesuffix("[]")
        before = found.get(key)
        found[key] = value if before is None else [*(before if isinstance(before, list) else [before]), value]
    return found
