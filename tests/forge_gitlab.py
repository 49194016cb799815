"""GitLab's REST API for the notes of a merge request, on loopback."""

import re
from typing import Any

from forge_http import Answer, Asked, ForgeServer, StoredComment

__all__ = ["BOT", "GitLabServer"]

BOT = "project_42_bot_0f3c"
_REQUEST = "/api/v4/projects/42/merge_requests/7"
_NOTE = re.compile(rf"{_REQUEST}/notes/(\d+)")


class GitLabServer(ForgeServer):
    """Project 42, with merge request 7."""

    def __init__(self, *, head: str, me: str = BOT) -> None:
        super().__init__(head=head, me=me)

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/v4"

    def answer(self, asked: Asked) -> Answer:
        if asked.path == "/api/v4/user":
            return Answer(json={"id": 1, "username": self.me})
        if asked.path == _REQUEST:
            url = "https://gitlab.com/acme/shop/-/merge_requests/7"
            return Answer(json={"id": 700, "iid": 7, "sha": self.head, "web_url": url})
        if asked.path == f"{_REQUEST}/notes" and asked.method == "GET":
            return self._list(asked)
        if asked.path == f"{_REQUEST}/notes" and asked.method == "POST":
            return Answer(json=self._note(self.add(asked.json["body"])), status=201)
        if found := _NOTE.fullmatch(asked.path):
            note = self.get(int(found[1]))
            if note is None:
                return self._missing()
            if asked.method == "DELETE":
                self.remove(note.id)
                return Answer(status=204)
            note.body = asked.json["body"]
            return Answer(json=self._note(note))
        return self._missing()

    def _list(self, asked: Asked) -> Answer:
        page, links, number, pages = self.page(asked)
        headers = {"x-page": str(number), "x-total-pages": str(pages), "x-per-page": "100"}
        return Answer(json=[self._note(one) for one in page], headers={**headers, **({"link": links} if links else {})})

    def _note(self, note: StoredComment) -> dict[str, Any]:
        return {"id": note.id, "body": note.body, "author": {"username": note.author}, "system": note.system}

    def _missing(self) -> Answer:
        return Answer(json={"message": "404 Not found"}, status=404)
