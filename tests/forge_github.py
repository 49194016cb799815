"""GitHub's REST API, and the GraphQL operations that are used, on loopback: as GitHub, or as GitHub Enterprise."""

import re
from typing import Any

from forge_http import Answer, Asked, ForgeServer, StoredComment

__all__ = ["ACTIONS", "GitHubServer"]

ACTIONS = "github-actions[bot]"
_ISSUE = re.compile(r"/repos/acme/shop/issues/(\d+)/comments")
_COMMENT = re.compile(r"/repos/acme/shop/issues/comments/(\d+)")
_PULL = re.compile(r"/repos/acme/shop/pulls/(\d+)")


class GitHubServer(ForgeServer):
    """The repository acme/shop, with pull request 7."""

    def __init__(self, *, head: str, me: str = ACTIONS, enterprise: bool = False, speaks_graphql: bool = True) -> None:
        super().__init__(head=head, me=me)
        self._root = "/api/v3" if enterprise else ""
        self._graphql = "/api/graphql" if enterprise else "/graphql"
        self._speaks_graphql = speaks_graphql
        self.pulls: list[dict[str, Any]] = [{"number": 7, "label": "acme:topic", "head": None}]
        """`head` is None for the head of the server."""

    @property
    def api_url(self) -> str:
        return f"{self.url}{self._root}"

    def answer(self, asked: Asked) -> Answer:
        if asked.path == self._graphql:
            return self._answer_graphql(asked)
        path = asked.path.removeprefix(self._root)
        if path == "/repos/acme/shop/pulls":
            found = [pull for pull in self.pulls if pull["label"] == asked.query["head"]]
            return Answer(json=[self._pull(pull) for pull in found])
        if found := _PULL.fullmatch(path):
            pull = next((pull for pull in self.pulls if pull["number"] == int(found[1])), None)
            return self._missing() if pull is None else Answer(json=self._pull(pull))
        if _ISSUE.fullmatch(path) and asked.method == "GET":
            page, links, _, _ = self.page(asked)
            return Answer(json=[self._comment(one) for one in page], headers={"link": links} if links else {})
        if _ISSUE.fullmatch(path) and asked.method == "POST":
            return Answer(json=self._comment(self.add(asked.json["body"])), status=201)
        if found := _COMMENT.fullmatch(path):
            return self._answer_comment(asked, int(found[1]))
        return self._missing()

    def _answer_comment(self, asked: Asked, ident: int) -> Answer:
        comment = self.get(ident)
        if comment is None:
            return self._missing()
        if asked.method == "DELETE":
            self.remove(ident)
            return Answer(status=204)
        if asked.method == "PATCH":
            comment.body = asked.json["body"]
        return Answer(json=self._comment(comment))

    def _answer_graphql(self, asked: Asked) -> Answer:
        if not self._speaks_graphql:
            return Answer(json={"message": "Resource not accessible by integration"}, status=403)
        query, variables = asked.json["query"], asked.json["variables"]
        if "viewer" in query:
            return Answer(json={"data": {"viewer": {"login": self.me}}})
        if "nodes(" in query:
            found = [self.get(int(name.removeprefix("IC_"))) for name in variables["ids"]]
            nodes = [one and {"id": f"IC_{one.id}", "isMinimized": one.hidden} for one in found]
            return Answer(json={"data": {"nodes": nodes}})
        hides = "unminimizeComment" not in query
        comment = self.get(int(variables["input"]["subjectId"].removeprefix("IC_")))
        assert comment is not None
        comment.hidden = hides
        name = "minimizeComment" if hides else "unminimizeComment"
        payload = {"minimizedComment" if hides else "unminimizedComment": {"isMinimized": hides}}
        return Answer(json={"data": {name: payload}})

    def _pull(self, pull: dict[str, Any]) -> dict[str, Any]:
        base = f"{self.api_url}/repos/acme/shop"
        return {
            "number": pull["number"],
            "url": f"{base}/pulls/{pull['number']}",
            "issue_url": f"{base}/issues/{pull['number']}",
            "head": {"sha": pull["head"] or self.head, "ref": "topic"},
        }

    def _comment(self, comment: StoredComment) -> dict[str, Any]:
        return {
            "id": comment.id,
            "node_id": f"IC_{comment.id}",
            "url": f"{self.api_url}/repos/acme/shop/issues/comments/{comment.id}",
            "html_url": f"https://github.com/acme/shop/pull/7#issuecomment-{comment.id}",
            "body": comment.body,
            "user": {"login": comment.author, "id": 1},
        }

    def _missing(self) -> Answer:
        return Answer(json={"message": "Not Found"}, status=404)
