"""Secrets in every place and encoding: none is left in what comes out."""

import json
from collections import Counter

import pytest
from canaries import Canary, canaries, leaks

from pytest_tokenbudget.traffic.redaction import Redactor

ALL = list(canaries())


def written(canary: Canary, redactor: Redactor) -> bytes:
    """Everything that would be stored of a message."""
    message = canary.message
    if message.part == "text":
        return redactor.text(message.text).encode()
    if message.part == "request":
        request = redactor.request("POST", message.url, message.headers, message.body)  # type: ignore[arg-type]
        return b"\0".join([request.url.encode(), json.dumps(request.headers).encode(), request.body])
    response = redactor.response(200, message.headers, message.body)  # type: ignore[arg-type]
    return b"\0".join([json.dumps(response.headers).encode(), response.body])


def placed(canary: Canary) -> bytes:
    message = canary.message
    return b"\0".join([message.text.encode(), message.url.encode(), repr(message.headers).encode(), message.body])


def test_none_of_them_is_left() -> None:
    redactor = Redactor()
    left = [(canary.name, found) for canary in ALL if (found := leaks(canary.secret, written(canary, redactor)))]
    assert left == []
    assert len(ALL) >= 500
