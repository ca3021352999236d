"""A page as its reader meets it: text, tags, places and addresses."""

from html.parser import HTMLParser


class Read(HTMLParser):
    """What a reader of a page meets: its text, headings, tables, and everything it asks for."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self._silent = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes the tag, and any address in it."""
        self.tags.append(tag)
        self._silent += tag in {"style", "title"}
        for name, value in attrs:
            if name in {"href", "src", "srcset", "action", "data", "poster", "background"}:
                self.addresses.append(value or "")
            if name == "id":
                self.ids.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        """Text between tags is read again after style and title."""
        self._silent -= tag in {"style", "title"}

    def handle_data(self, data: str) -> None:
        """Notes the text that is seen."""
        if not self._silent:
            self.text += data
