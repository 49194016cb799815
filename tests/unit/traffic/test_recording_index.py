"""Which recording answers a request: exactly the one of this request, or the nearest that is left."""

import json
from collections import Counter
from itertools import chain, permutations, zip_longest
from typing import Any

import pytest
from conversations import DEFAULT, URL, index_of, recorded, request, steps
from hypothesis import given
from hypothesis import strategies as st
from vcr import matchers

from pytest_tokenbudget.traffic.index import Claim, RecordingIndex
from pytest_tokenbudget.traffic.matching import Matching, same_endpoint
from pytest_tokenbudget.traffic.volatile import Volatile


class Player:
    """Plays what an index finds, as a cassette does."""

    def __init__(self, *bodies: Any, **options: Any) -> None:
        self.counts: Counter[int] = Counter()
        self.index = index_of(*bodies, counts=self.counts, **options)

    def play(self, body: Any, **options: Any) -> Claim | None:
        claim = self.index.find(request(body, **options))
        if claim is not None:
            self.counts[claim.index] += 1
        return claim

    def order(self, *bodies: Any) -> list[int | None]:
        return [claim and claim.index for claim in map(self.play, bodies)]


words = st.sampled_from(["one", "two", "three"])
bodies = st.lists(st.builds(lambda *said: steps("Help.", *said)[-1], words, words, words), max_size=8)


@given(bodies, bodies)
def test_exact_answers_are_those_of_a_plain_loop_and_each_is_given_once(kept: list[Any], sent: list[Any]) -> None:
    player = Player(*kept)
    left = list(range(len(kept)))
    for body in sent:
        claim = player.play(body)
        same = [position for position in left if kept[position] == body]
        if same:
            assert claim == Claim(same[0], exact=True)
        elif left:
            assert claim is not None
            assert not claim.exact
            assert claim.index in left
        else:
            assert claim is None
        if claim is not None:
            left.remove(claim.index)


@given(st.permutations([f"question {number}" for number in range(6)]))
def test_the_order_of_arrival_never_changes_who_gets_which_answer(arriving: list[str]) -> None:
    asked = [f"question {number}" for number in range(6)]
    player = Player(*(steps("Help.", text)[0] for text in asked))
    assert player.order(*(steps("Help.", text)[0] for text in arriving)) == [asked.index(text) for text in arriving]


def test_equal_requests_take_their_answers_in_order() -> None:
    body, other = steps("Help.", "Hello")[0], steps("Help.", "Bye")[0]
    assert Player(body, other, body, body).order(body, body, body, body) == [0, 2, 3, 1]


@pytest.mark.parametrize(
    "sent",
    [
        lambda body: json.dumps(body, indent=2),
        lambda body: json.dumps(dict(reversed(body.items()))),
        lambda body: json.dumps(body | {"temperature": 1}),
    ],
)
def test_bytes_do_not_matter(sent: Any) -> None:
    body = steps("Help.", "Hello")[0] | {"temperature": 1.0}
    assert Player(steps("Help.", "Bye")[0], body).play(sent(body)) == Claim(1, exact=True)


LOOP = [
    "Where is my order?",
    *chain.from_iterable((f"I look at shelf {n}", f"Shelf {n} holds {n} boxes") for n in range(40)),
]
AGENT = steps("You look for orders. Be kind.", *LOOP)


@pytest.mark.parametrize(
    "edited",
    [
        steps("You look for orders. Be kind and brief.", *LOOP),
        steps("Find things, whatever it takes!", *LOOP),
        steps("You look for orders. Be kind.", "Where on earth is my order?", *LOOP[1:]),
        steps("You look for orders. Be kind.", *(text.replace("holds", "has") for text in LOOP)),
        steps("You look for orders. Be kind.", *(text.replace("I look", "Let me look") for text in LOOP)),
        [body | {"temperature": 0.2, "tools": []} for body in AGENT],
        [body | {"model": "other"} for body in AGENT],
        [body | {"messages": [*body["messages"], {"role": "user", "content": "Hurry!"}]} for body in AGENT],
        [body | {"messages": body["messages"][1:]} for body in AGENT],
    ],
    ids=["system", "new system", "question", "results", "said", "settings", "model", "reminder", "no system"],
)
def test_each_step_of_an_edited_loop_finds_its_own_recording(edited: list[Any]) -> None:
    assert Player(*AGENT).order(*edited) == list(range(41))


@pytest.mark.parametrize("at", range(0, 40, 7))
def test_a_loop_that_drifts_in_the_middle_keeps_its_steps(at: int) -> None:
    said = [*LOOP[: 2 * at], "The shelf fell over", *LOOP[2 * at + 1 :]]
    player = Player(*AGENT)
    claims = [player.play(body) for body in steps("You look for orders. Be kind.", *said)]
    assert claims == [Claim(number, exact=number < at) for number in range(41)]


RESEARCH = [
    "What do we know about the harbour?",
    "I search for harbour",
    "Harbour: built 1890, two cranes, rebuilt after the fire",
    "I search for cranes",
    "Cranes: the second was sold in 1932",
    "I search for fire",
    "Fire: in the night of March 3rd, in the rope store",
]
SUMMARY = [
    "Sum up what was found about the harbour",
    "I read the notes",
    "Notes: three pages, on cranes and on the fire",
    "I read page two",
    "Page two: the fire was put out by noon",
]
CRITIC = [
    "Which of these claims about the harbour needs a source?",
    "I list the claims",
    "Claims: the year, the sale, the night of the fire",
]


def interleaved(*agents: list[Any]) -> list[Any]:
    return [body for turn in zip_longest(*agents) for body in turn if body is not None]


def team(**edits: str) -> list[list[Any]]:
    agents = {"You search.": RESEARCH, "You sum up.": SUMMARY, "You doubt.": CRITIC}
    named = zip(("research", "summary", "critic"), agents.items(), strict=True)
    return [steps(edits.get(name, system), *said) for name, (system, said) in named]


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize(
    "edits",
    [
        {"summary": "You sum up in ten words."},
        {"research": "You search, and say where.", "critic": "You doubt everything."},
        {"research": "Be quick.", "summary": "Be quick.", "critic": "Be quick."},
    ],
    ids=["one", "two", "all alike"],
)
def test_sub_agents_that_take_turns_in_another_order_keep_their_own(
    edits: dict[str, str], order: tuple[int, ...]
) -> None:
    before, after = team(), team(**edits)
    kept = interleaved(*before)
    sent = interleaved(*(after[number] for number in order))
    own = {
        json.dumps(new): kept.index(old)
        for agent, edited in zip(before, after, strict=True)
        for old, new in zip(agent, edited, strict=True)
    }
    assert Player(*kept).order(*sent) == [own[json.dumps(body)] for body in sent]


TICKETS = [
    "my parcel never arrived in Lisbon",
    "the green lamp flickers at night",
    "please cancel the yearly plan",
    "login fails after the update",
    "invoice shows two licences",
]
TEMPLATE = "Sort the ticket into one of the classes that follow. " + "A class has a name and a rule. " * 40


@pytest.mark.parametrize("order", [[4, 3, 2, 1, 0], [2, 0, 4, 1, 3]])
@pytest.mark.parametrize("many", [1, 20])
def test_what_few_others_say_tells_templates_apart(order: list[int], many: int) -> None:
    others = [steps("Help.", f"{TEMPLATE} Ticket: matter number {n} of {n * 7}")[0] for n in range(many)]
    player = Player(*others, *(steps("Help.", f"{TEMPLATE} Ticket: {text}")[0] for text in TICKETS))
    edited = TEMPLATE.replace("classes", "kinds")
    sent = [steps("Help.", f"{edited} Ticket: {TICKETS[number]}")[0] for number in order]
    assert player.order(*sent) == [many + number for number in order]


def test_texts_that_share_nothing_take_their_answers_in_order() -> None:
    kept = [steps("Help.", f"Run {number} of {number * 31}")[0] for number in range(30)]
    sent = [steps("Help.", f"Try {number + 500} in {number * 37 + 600}")[0] for number in range(30)]
    assert Player(*kept).order(*sent) == list(range(30))


def test_a_retry_takes_the_answer_after_the_one_that_failed() -> None:
    body, edited = steps("Help.", "Hello")[0], steps("Help!", "Hello")[0]
    bye = steps("Help.", "Bye")[0]
    assert Player(body, body, bye).order(edited, edited) == [0, 1]


def test_a_recording_of_the_same_model_goes_before_one_that_is_nearer() -> None:
    near = steps("Help.", "Hello", model="other")[0]
    far = steps("Speak.", "What else is there?", "Nothing", "Really", model="m")[-1]
    assert Player(near, far).order(steps("Help.", "Hello", model="m")[0]) == [1]
    assert Player(near).order(steps("Help.", "Hello", model="m")[0]) == [0]


def test_a_stream_goes_before_an_answer_in_one_piece() -> None:
    whole, streamed = steps("Help.", "Hello")[0], steps("Speak.", "Bye")[0] | {"stream": True}
    asked = steps("Help.", "Hello?")[0] | {"stream": True}
    assert Player(whole, streamed).order(asked, asked) == [1, 0]
    # ours never answers with the other
    assert Player(whole, streamed, match_on=(same_endpoint,)).order(asked, asked) == [1, None]


BEDROCK = "https://bedrock-runtime.us-east-1.amazonaws.com/model/{}/{}"


@pytest.mark.parametrize(
    ("url", "found"),
    [
        (BEDROCK.format("m", "converse"), 0),
        (BEDROCK.format("other", "converse"), 0),
        (BEDROCK.format("m", "converse-stream"), None),
        (BEDROCK.format("m", "invoke"), None),
        (BEDROCK.format("m", "converse").replace("east", "west"), None),
        (URL, None),
    ],
)
def test_an_endpoint_is_an_api_at_a_host_whatever_the_model(url: str, found: int | None) -> None:
    data = recorded({"messages": [1]}, url=BEDROCK.format("m", "converse"))
    index = RecordingIndex(data, Counter(), Matching((same_endpoint,)))
    claim = index.find(request({"messages": [2]}, url=url))
    assert (claim and claim.index) == found
    assert same_endpoint(request({}, url=url), data[0][0]) == (found is not None)


def test_the_users_volatile_fields_do_not_matter() -> None:
    body = steps("Help.", "Hello")[0] | {"trace_id": "a", "extra_body": {"session": "s", "seed": 1}}
    other = body | {"trace_id": "b", "extra_body": {"session": "t", "seed": 1}}
    fields = Volatile(["trace_id", "extra_body.session"])
    assert Player(body).play(other) == Claim(0, exact=False)
    assert Player(body, volatile=fields).play(other) == Claim(0, exact=True)
    seeded = other | {"extra_body": {"session": "t", "seed": 2}}
    assert Player(body, volatile=fields).play(seeded) == Claim(0, exact=False)


def test_of_requests_that_differ_in_labels_alone_each_takes_its_own() -> None:
    labelled = [steps("Help.", "Hello")[0] | {"metadata": {"step": number}} for number in range(4)]
    assert Player(*labelled).order(*reversed(labelled)) == [3, 2, 1, 0]
    new = steps("Help.", "Hello")[0] | {"metadata": {"step": 9}}
    assert Player(*labelled).order(labelled[1], new, new, new) == [1, 0, 2, 3]


def test_the_request_is_compared_as_a_recording_would_hold_it() -> None:
    def hidden(asked: Any) -> Any:
        return request(asked.body.replace(b"sk-1", b"(secret)"), url=asked.uri.replace("sk-1", "(secret)"))

    kept = json.dumps(steps("Help.", "My key is (secret)")[0])
    data = [*recorded("{}"), *recorded(kept, url=f"{URL}?key=(secret)")]
    asked = request(kept.replace("(secret)", "sk-1"), url=f"{URL}?key=sk-1")
    assert RecordingIndex(data, Counter(), Matching(DEFAULT), prepare=hidden).find(asked) == Claim(1, exact=True)
    assert RecordingIndex(data, Counter(), Matching(DEFAULT)).find(asked) is None


def test_recordings_that_are_added_later_are_found() -> None:
    player = Player(steps("Help.", "Hello")[0])
    asked = steps("Help.", "Bye")[0]
    assert player.order(asked, asked) == [0, None]
    player.index.data.append(recorded(asked)[0])  # type: ignore[attr-defined]  # a list
    assert player.play(asked) == Claim(1, exact=True)
    player.index.data.extend(recorded(steps("Help!", "Bye")[0], steps("Help!", "Bye, bye")[0]))  # type: ignore[attr-defined]
    assert player.order(steps("Help!", "Bye, bye, bye")[0], asked) == [3, 2]


def test_what_may_be_repeated_is_never_used_up() -> None:
    body, other = steps("Help.", "Hello")[0], steps("Help.", "Bye")[0]
    assert Player(body, other, body, repeats=True).order(body, body, other, body) == [0, 0, 1, 0]


def test_an_unreadable_recording_is_not_ours_to_judge() -> None:
    index = RecordingIndex([("text", {})], Counter(), Matching(()))
    with pytest.raises(AttributeError):
        index.find(request({}))


def test_what_matchers_accept_goes_before_what_is_nearer() -> None:
    def same_user(sent: Any, stored: Any) -> bool:
        return bool(sent.headers["user"] == stored.headers["user"])

    data = [*recorded({"a": 1, "b": 1}, user="Ann"), *recorded({"c": 1}, {"a": 2, "b": 1}, user="Bob")]
    index = RecordingIndex(data, Counter(), Matching((*DEFAULT, same_user)))
    assert index.find(request({"a": 1, "b": 1}, user="Bob")) == Claim(2, exact=False)
    assert index.find(request({"a": 1, "b": 1}, user="Ann")) == Claim(0, exact=True)
    assert index.find(request({"a": 1, "b": 1}, user="Cy")) is None


uris = st.sampled_from(
    [
        "http://h",
        "http://h/",
        "http://h:80/",
        "http://h/?b=1&a=2",
        "http://h/?a=2&b=1",
        "http://h?a=",
        "https://h/",
        "http://i/",
    ]
)
chosen = st.lists(
    st.sampled_from([*DEFAULT, matchers.uri, matchers.body, matchers.raw_body, matchers.headers]), unique=True
)
requests = st.builds(
    request,
    st.sampled_from([None, b"", b"{}", b'{"a": 1, "b": 2}', b'{"b":2,"a":1}', b'{"a": 1.0, "b": 2}', b"a=1", b"{"]),
    uris,
    st.sampled_from(["GET", "POST"]),
    content_type=st.sampled_from(["application/json", "text/plain"]),
)


@given(st.lists(requests, max_size=6), st.lists(requests, max_size=4), chosen)
def test_an_answer_is_found_if_and_only_if_vcrpys_matchers_accept_one(kept: Any, sent: Any, match_on: Any) -> None:
    counts = Counter[int]()
    index = RecordingIndex([(asked, {}) for asked in kept], counts, Matching(match_on))
    for asked in sent:
        accepted = [
            position
            for position, stored in enumerate(kept)
            if not counts[position] and matchers.requests_match(asked, stored, match_on)
        ]
        claim = index.find(asked)
        assert (claim and claim.index) in (accepted or [None])
        if claim is not None:
            counts[claim.index] += 1
