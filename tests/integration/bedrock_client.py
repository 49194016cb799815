"""A suite of boto3's own calls to Bedrock; `test_sdk_bedrock.py` copies it into a project and runs it.

Nothing in it knows of budgets: it is what a team has that records with pytest-recording.
"""

import json
import os
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

pytestmark = pytest.mark.vcr

CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
PROFILE = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/global.anthropic.claude-sonnet-4-5-20250929-v1:0"
NOVA = "amazon.nova-lite-v1:0"
MISTRAL = "mistral.mistral-7b-instruct-v0:2"
TITAN = "amazon.titan-embed-text-v2:0"
ASKED: list[dict[str, Any]] = [{"role": "user", "content": [{"text": "Where is my order?"}]}]
MESSAGE = json.dumps(
    {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 50,
        "messages": [{"role": "user", "content": "Where is my order?"}],
    }
)


def bedrock() -> Any:
    config = Config(retries={"total_max_attempts": 1})
    return boto3.client("bedrock-runtime", endpoint_url=os.environ["BEDROCK"], region_name="us-east-1", config=config)


def test_converse() -> None:
    answer = bedrock().converse(modelId=CLAUDE, messages=ASKED, system=[{"text": "You help."}])
    assert answer["output"]["message"]["content"][0]["text"] == "On its way."


def test_converse_by_arn() -> None:
    answer = bedrock().converse(modelId=PROFILE, messages=ASKED)
    assert answer["stopReason"] == "end_turn"


def test_converse_stream() -> None:
    answer = bedrock().converse_stream(modelId=NOVA, messages=ASKED)
    told = [event["metadata"]["usage"]["outputTokens"] for event in answer["stream"] if "metadata" in event]
    assert told == [100]


def test_invoke_model() -> None:
    answer = bedrock().invoke_model(modelId=CLAUDE, body=MESSAGE)
    assert json.loads(answer["body"].read())["content"][0]["text"] == "On its way."


def test_invoke_model_told_in_headers() -> None:
    answer = bedrock().invoke_model(modelId=MISTRAL, body=json.dumps({"prompt": "Where?"}))
    assert json.loads(answer["body"].read())["outputs"][0]["text"] == "On its way."


def test_invoke_model_with_response_stream() -> None:
    answer = bedrock().invoke_model_with_response_stream(modelId=CLAUDE, body=MESSAGE)
    events = [json.loads(event["chunk"]["bytes"]) for event in answer["body"]]
    assert events[-1]["type"] == "message_stop"


def test_embeddings() -> None:
    answer = bedrock().invoke_model(modelId=TITAN, body=json.dumps({"inputText": "order"}))
    assert json.loads(answer["body"].read())["embedding"] == [0.25]


def test_count_tokens() -> None:
    given = {"converse": {"messages": ASKED}}
    assert bedrock().count_tokens(modelId=CLAUDE, input=given)["inputTokens"] == 15


def test_throttled() -> None:
    with pytest.raises(ClientError, match="ThrottlingException"):
        bedrock().converse(modelId="throttled", messages=ASKED)
