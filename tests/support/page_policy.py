"""The content security policy of the verifier's page: it names its script and style by hash.

`python tests/support/page_policy.py` writes the hashes into the page after it was edited.
"""

import base64
import hashlib
import re
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).parents[2] / "docs" / "verify-dossier.html"


def with_hashes(page: str) -> str:
    """The page with the hash of its one style and its one script in its policy."""
    for element in ("script", "style"):
        (content,) = re.findall(rf"<{element}>(.*?)</{element}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        page = re.sub(rf"{element}-src 'sha256-[^']*'", f"{element}-src 'sha256-{digest}'", page)
    return page


if __name__ == "__main__":
    PAGE.write_text(with_hashes(PAGE.read_text()))
