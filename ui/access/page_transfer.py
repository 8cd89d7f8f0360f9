"""How the page travels: compressed, and with files that a browser keeps."""

import re

from gradio.brotli_middleware import BrotliMiddleware
from starlette.types import Scope

from ui import strings

# Gradio's scripts and styles have a part of their content's hash in their names: another content has another name.
_NAMED_BY_CONTENT = re.compile(r"/assets/[\w.-]+-[\w-]{8,9}\.(?:js|css)")
FOREVER = "public, max-age=31536000, immutable"


class PageCompression(BrotliMiddleware):
    """ASGI middleware that compresses the page itself; Gradio compresses only files whose name has an ending.

    The page is the description of all its components, 0.9 MB of text.
    """

    def _is_compressible_file_type(self, scope: Scope) -> bool:
        return scope.get("method") == "GET" and scope["path"].rpartition("/")[2] in ("", *strings.SPOKEN)


def is_named_by_content(path: str) -> bool:
    """Return whether a path is one of Gradio's files that never change, so that a browser may keep it for good."""
    return _NAMED_BY_CONTENT.fullmatch(path) is not None
