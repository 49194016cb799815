import json

import pytest
from wire_exchanges import SSE_LABEL, call, sse

from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.wire import read

HEAR = "https://api.openai.com/v1/audio/transcriptions"
DRAW = "https://api.openai.com/v1/images/generations"
FORM = (
    b"--b0\r\n"
    b'Content-Disposition: form-data; name="model"\r\n\r\ngpt-4o-transcribe\r\n'
    b"--b0\r\n"
    b'Content-Disposition: form-data; name="include[]"\r\n\r\nlogprobs\r\n'
    b"--b0\r\n"
    b'Content-Disposition: form-data; name="include[]"\r\n\r\nlanguages\r\n'
    b"--b0\r\n"
    b'Content-Disposition: form-data; name="prompt"\r\n\r\nHint\r\n'
    b"--b0\r\n"
    b'Content-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\nRIFF\xff\x00\r\n'
    b"--b0--\r\n"
)
TOKENS = {
    "type": "tokens",
    "input_tokens": 14,
    "input_token_details": {"text_tokens": 4, "audio_tokens": 10},
    "output_tokens": 45,
    "total_tokens": 59,
}


def upload(response: object, *, url: str = HEAR, form: bytes = FORM, label: str = "boundary=b0") -> Call:
    found = read(
        Exchange(
            method="POST",
            url=url,
            request_body=form,
            request_headers={"content-type": f"multipart/form-data; {label}"},
            status=200,
            response_headers={"content-type": "application/json"},
            response_body=response if isinstance(response, bytes) else json.dumps(response).encode(),
            obtained="replayed",
        ),
        len,
    )
    assert isinstance(found, Call)
    return found


@pytest.mark.parametrize("label", ["boundary=b0", 'boundary="b0"', "charset=utf-8"])
def test_an_upload_names_its_model(label: str) -> None:
    found = upload({"text": "Hi", "usage": TOKENS}, label=label)
    assert (found.api, found.status, found.model, found.is_step) == (
        "openai.audio",
        "exact",
        "gpt-4o-transcribe",
        False,
    )
    assert dict(found.usage.counts()) == {"input": 4, "input_audio": 10, "output": 45}
    assert [(part.kind, part.name, part.tokens) for part in found.prompt] == [("user", "", 4), ("media", "audio", 0)]
    assert found.notes == ()


def test_two_recordings_are_two_prompts() -> None:
    one, other = upload({}), upload({}, form=FORM.replace(b"RIFF", b"RAFF"))
    assert one.prompt[0] == other.prompt[0]
    assert one.prompt[1].digest != other.prompt[1].digest


@pytest.mark.parametrize(
    "form", [b"", b"--", b"--b0", b"--b0\r\n\r\n", FORM[:150], b"\xff\xfe", FORM.replace(b"name", b"nom")]
)
def test_a_broken_upload_breaks_nothing(form: bytes) -> None:
    for label in ("boundary=b0", "", "boundary="):
        assert upload({"text": "Hi", "usage": TOKENS}, form=form, label=label).status == "exact"


@pytest.mark.parametrize(("seconds", "fee"), [(9, 9), (8.6, 9), (3.0, 3)])
def test_speech_may_be_billed_by_the_second(seconds: float, fee: int) -> None:
    found = upload({"text": "Hi", "usage": {"type": "duration", "seconds": seconds}})
    assert (found.status, found.usage.total, dict(found.usage.fees)) == ("exact", 0, {"audio_seconds": fee})


@pytest.mark.parametrize(
    "body",
    [
        {"text": "Hi"},
        {"text": "Hi", "usage": {"type": "duration"}},
        {"text": "Hi", "usage": {"type": "duration", "seconds": "9"}},
        {"text": "Hi", "usage": {"type": "duration", "seconds": 0}},
        b"1\n00:00:00,000 --> 00:00:02,000\nHi\n",
    ],
)
def test_speech_that_tells_no_usage_is_not_free(body: object) -> None:
    assert upload(body).status == "missing"


def test_a_transcription_streamed() -> None:
    events = [{"type": "transcript.text.delta", "delta": "H"}, {"type": "transcript.text.done", "usage": TOKENS}]
    found = upload(sse(*events, done=True))
    assert (found.status, found.stream, dict(found.usage.counts())) == (
        "exact",
        True,
        {"input": 4, "input_audio": 10, "output": 45},
    )
    assert upload(sse(events[0])).status == "missing"


def test_mistral_hears_by_the_second() -> None:
    usage = {"prompt_audio_seconds": 203, "prompt_tokens": 4, "total_tokens": 3264, "completion_tokens": 635}
    body = {"model": "voxtral-mini-2507", "text": "Hi", "usage": usage}
    found = upload(body, url="https://api.mistral.ai/v1/audio/transcriptions")
    assert (found.provider, found.status, found.model) == ("mistral", "exact", "voxtral-mini-2507")
    assert (dict(found.usage.counts()), dict(found.usage.fees)) == (
        {"input": 4, "output": 635},
        {"prompt_audio_seconds": 203},
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://api.groq.com/openai/v1/audio/translations",
        "https://t.openai.azure.com/openai/deployments/whisper/audio/transcriptions?api-version=2024-10-21",
    ],
)
def test_others_hear_too(url: str) -> None:
    found = upload({"text": "Hi", "usage": {"type": "duration", "seconds": 9}}, url=url)
    assert (found.api, found.status, dict(found.usage.fees)) == ("openai.audio", "exact", {"audio_seconds": 9})


IMAGE = {
    "input_tokens": 50,
    "input_tokens_details": {"image_tokens": 40, "text_tokens": 10},
    "output_tokens": 1056,
    "total_tokens": 1106,
}


@pytest.mark.parametrize("path", ["generations", "edits"])
def test_images_are_billed_by_the_token(path: str) -> None:
    body = {"created": 1, "data": [{"b64_json": "AAAA"}], "usage": IMAGE}
    found = call(f"https://api.openai.com/v1/images/{path}", body, request={"model": "gpt-image-1", "prompt": "A cat"})
    assert (found.api, found.status, found.model, found.is_step) == ("openai.images", "exact", "gpt-image-1", False)
    assert dict(found.usage.counts()) == {"input": 10, "input_image": 40, "output_image": 1056}
    assert [part.characters for part in found.prompt] == [5]
    told = {**IMAGE, "output_tokens_details": {"image_tokens": 1000, "text_tokens": 56}}
    found = call(f"https://api.openai.com/v1/images/{path}", {"data": [], "usage": told})
    assert dict(found.usage.counts()) == {"input": 10, "input_image": 40, "output": 56, "output_image": 1000}


def test_an_image_without_usage_is_not_free() -> None:
    found = call(DRAW, {"created": 1, "data": [{"url": "u"}]}, request={"model": "dall-e-3", "prompt": "A cat"})
    assert (found.status, found.notes) == ("missing", ("no usage in the response",))


def test_a_drawing_is_anothers_work() -> None:
    svg = {"input_tokens": 5, "output_tokens": 7, "reasoning_tokens": 3, "total_tokens": 15, "model": "gpt-6"}
    found = call(DRAW, {"data": [], "usage": IMAGE, "svg_usage": svg})
    assert dict(found.usage.other) == {"svg.input_tokens": 5, "svg.output_tokens": 7, "svg.reasoning_tokens": 3}


def test_images_streamed() -> None:
    partial = {"type": "image_generation.partial_image", "partial_image_index": 0, "b64_json": "A"}
    done = {"type": "image_generation.completed", "b64_json": "A", "usage": IMAGE}
    found = call(DRAW, sse(partial, done), headers=SSE_LABEL)
    assert (found.status, found.stream) == ("exact", True)
    assert dict(found.usage.counts()) == {"input": 10, "input_image": 40, "output_image": 1056}
    two = call(DRAW, sse(done, {**done, "type": "image_edit.completed"}), headers=SSE_LABEL)
    assert dict(two.usage.counts()) == {"input": 20, "input_image": 80, "output_image": 2112}
    half = call(DRAW, sse(done, {**done, "usage": None}), headers=SSE_LABEL)
    assert (half.status, half.usage.total) == ("partial", 1106)
    failed = {"type": "error", "error": {"code": "server_error"}}
    assert call(DRAW, sse(partial, failed), headers=SSE_LABEL).notes == (
        "the response reports an error: server_error",
        "the stream was cut before its usage",
    )


def test_an_edit_uploads_its_images() -> None:
    form = FORM.replace(b'name="file"', b'name="image[]"').replace(b"gpt-4o-transcribe", b"gpt-image-1.5")
    found = upload({"data": [], "usage": IMAGE}, url="https://api.openai.com/v1/images/edits", form=form)
    assert (found.model, [part.kind for part in found.prompt]) == ("gpt-image-1.5", ["user", "media"])


def test_what_speaks_and_what_varies_cannot_be_read() -> None:
    spoken = call("https://api.openai.com/v1/audio/speech", b"ID3\x04", request={"model": "tts-1", "input": "Hi"})
    assert (spoken.api, spoken.status, spoken.model) == ("openai.audio", "unsupported", "tts-1")
    assert call("https://api.openai.com/v1/images/variations", {}).status == "unsupported"
