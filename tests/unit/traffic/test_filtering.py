from typing import Any

import pytest
import vcr
from conversations import request
from vcr.matchers import body, method, uri

from pytest_tokenbudget.traffic.filtering import without_needless_copies

LINE = (method, uri)


def made(**options: Any) -> Any:
    return vcr.VCR().get_merged_config(**options)["before_record_request"]


@pytest.mark.parametrize(
    ("options", "match_on", "needless"),
    [
        ({}, LINE, True),
        ({}, (*LINE, body), True),
        ({"filter_headers": ["authorization", ("x-key", "none")]}, LINE, True),
        ({"filter_headers": ["authorization"]}, (*LINE, body), False),
        ({"filter_headers": [("authorization", lambda **_: "none")]}, LINE, False),
        ({"filter_query_parameters": ["key"]}, LINE, False),
        ({"filter_post_data_parameters": ["user"]}, LINE, False),
        ({"ignore_localhost": True}, LINE, False),
        ({"before_record_request": lambda asked: asked}, LINE, False),
    ],
)
@pytest.mark.parametrize("asking", [True, False])
def test_a_request_is_copied_where_a_filter_or_a_matcher_may_tell(
    options: Any, match_on: Any, *, needless: bool, asking: bool
) -> None:
    asked = request({}, authorization="Bearer x")
    plain = made(**options)
    kept = without_needless_copies(plain, match_on, lambda: asking)(asked)
    assert (kept is asked) == (needless and asking)
    if kept is not asked:
        assert vars(kept).keys() == vars(plain(asked)).keys()
        assert dict(kept.headers) == dict(plain(asked).headers)


def test_a_filter_that_is_not_vcrpys_is_left_alone() -> None:
    def own(asked: Any) -> Any:
        return asked

    own.__qualname__ = made().__qualname__
    assert without_needless_copies(own, LINE, lambda: True) is own
    assert without_needless_copies(print, LINE, lambda: True) is print
