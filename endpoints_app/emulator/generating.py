"""Models that write: chat, completions, embeddings and agents, whole or streamed.

No model is asked: the answer says so, and repeats what it was sent.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from endpoints_app.emulator.errors import bad_request
from endpoints_app.emulator.signatures import Kind

Body = dict[str, Any]
DIMENSIONS = 16
ROLES = ("system", "user", "assistant", "tool")


@dataclass(frozen=True)
class Asked:
    """A request to a model that writes. `now` is in seconds."""

    kind: Kind
    model: str
    body: Body
    now: float

    @property
    def id(self) -> str:
        told = json.dumps([self.model, self.body, int(self.now)], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()[:24]

    @property
    def streams(self) -> bool:
        return self.body.get("stream") is True and self.kind is not Kind.EMBEDDINGS


def check(asked: Asked) -> None:
    """Raises Refusal for what such a model would refuse."""
    body = asked.body
    match asked.kind:
        case Kind.CHAT:
            _check_messages(body.get("messages"), "messages")
        case Kind.COMPLETIONS:
            _check_texts(body.get("prompt"), "prompt")
        case Kind.EMBEDDINGS:
            _check_texts(body.get("input"), "input")
        case _:
            if not isinstance(body.get("input"), str):
                _check_messages(body.get("input"), "input")
    most = _most(body)
    if most is not None and (not isinstance(most, int) or isinstance(most, bool) or most < 1):
        raise bad_request(f"max_tokens must be a positive integer, got {most!r}.")
    temperature = body.get("temperature")
    if temperature is not None and (
        not isinstance(temperature, int | float) or not 0 <= temperature <= 2
    ):
        raise bad_request(f"temperature must be between 0 and 2, got {temperature!r}.")


def answer(asked: Asked) -> Body:
    match asked.kind:
        case Kind.EMBEDDINGS:
            return _embeddings(asked)
        case Kind.RESPONSES:
            return _response(asked)
        case Kind.COMPLETIONS:
            return _completion(asked, "text_completion", lambda text: {"text": text})
    return _completion(
        asked, "chat.completion", lambda text: {"message": {"role": "assistant", "content": text}}
    )


def stream(asked: Asked, pause: float) -> Iterator[bytes]:
    """Server-sent events: one `data:` line for each word, the last one `[DONE]`."""
    for event in _response_events(asked) if asked.kind is Kind.RESPONSES else _chunks(asked):
        yield f"data: {json.dumps(event, ensure_ascii=False)}\n\n".encode()
        time.sleep(pause)
    yield b"data: [DONE]\n\n"


def _check_messages(sent: Any, field: str) -> None:
    if not isinstance(sent, list) or not sent:
        raise bad_request(f"'{field}' is required and must be a non-empty list of messages.")
    for place, message in enumerate(sent):
        if not isinstance(message, dict):
            raise bad_request(f"'{field}[{place}]' must be an object.")
        if message.get("role") not in ROLES:
            raise bad_request(f"'{field}[{place}].role' must be one of {', '.join(ROLES)}.")
        if not isinstance(message.get("content"), str | list):
            raise bad_request(f"'{field}[{place}].content' must be a string.")


def _check_texts(sent: Any, field: str) -> None:
    texts = sent if isinstance(sent, list) else [sent]
    if not texts or not all(isinstance(text, str) and text for text in texts):
        raise bad_request(f"'{field}' is required and must be a string or a list of strings.")


# What it says ----------------------------------------------------------------------------------


def _said(asked: Asked) -> tuple[list[str], bool]:
    """The words of the answer, and whether they are all of it."""
    question = _question(asked)
    text = (
        "This is a local emulator, so no model has read your question. "
        f"It was: “{question[:400]}”. A real endpoint would answer here."
    )
    words = [f"{word} " for word in text.split(" ")]
    words[-1] = words[-1].rstrip()
    most = _most(asked.body)
    return (words, True) if most is None or len(words) <= most else (words[:most], False)


def _question(asked: Asked) -> str:
    body = asked.body
    if asked.kind is Kind.COMPLETIONS:
        prompt = body["prompt"]
        return str(prompt if isinstance(prompt, str) else prompt[0])
    sent = body["messages"] if asked.kind is Kind.CHAT else body["input"]
    if isinstance(sent, str):
        return sent
    content = sent[-1]["content"]
    if isinstance(content, str):
        return content
    return " ".join(str(part.get("text", "")) for part in content if isinstance(part, dict))


def _most(body: Body) -> Any:
    return body.get("max_tokens", body.get("max_output_tokens"))


def _usage(asked: Asked, words: int) -> Body:
    prompt = len(json.dumps(asked.body)) // 4 + 1
    return {
        "prompt_tokens": prompt,
        "completion_tokens": words,
        "total_tokens": prompt + words,
    }


def _completion(asked: Asked, kind: str, choice: Callable[[str], Body]) -> Body:
    words, whole = _said(asked)
    number = asked.body.get("n", 1)
    count = number if isinstance(number, int) and 0 < number <= 8 else 1
    finish = {"finish_reason": "stop" if whole else "length"}
    return {
        "id": f"emulated-{asked.id}",
        "object": kind,
        "created": int(asked.now),
        "model": asked.model,
        "choices": [{"index": i} | choice("".join(words).strip()) | finish for i in range(count)],
        "usage": _usage(asked, len(words) * count),
    }


def _chunks(asked: Asked) -> Iterator[Body]:
    words, whole = _said(asked)
    chat = asked.kind is Kind.CHAT
    head = {
        "id": f"emulated-{asked.id}",
        "object": "chat.completion.chunk" if chat else "text_completion",
        "created": int(asked.now),
        "model": asked.model,
    }
    for place, word in enumerate(words):
        said = {"role": "assistant", "content": word} if chat else {}
        piece = {"delta": said} if chat else {"text": word}
        usage = _usage(asked, place + 1)
        yield head | {
            "choices": [{"index": 0, **piece, "finish_reason": None}],
            "usage": usage,
        }
    last: Body = {"delta": {}} if chat else {"text": ""}
    finish = "stop" if whole else "length"
    yield head | {
        "choices": [{"index": 0, **last, "finish_reason": finish}],
        "usage": _usage(asked, len(words)),
    }


def _embeddings(asked: Asked) -> Body:
    sent = asked.body["input"]
    texts = [sent] if isinstance(sent, str) else sent
    return {
        "object": "list",
        "data": [
            {"object": "embedding", "index": place, "embedding": _vector(asked.model, text)}
            for place, text in enumerate(texts)
        ],
        "model": asked.model,
        "usage": _usage(asked, 0),
    }


def _vector(model: str, text: str) -> list[float]:
    random = Random(f"{model}/{text}")
    return [round(random.uniform(-1, 1), 6) for _ in range(DIMENSIONS)]


# Agents ----------------------------------------------------------------------------------------


def _item(asked: Asked, text: str) -> Body:
    return {
        "type": "message",
        "id": f"msg-{asked.id}",
        "role": "assistant",
        "content": [{"type": "output_text", "text": text}],
    }


def _response(asked: Asked) -> Body:
    words, whole = _said(asked)
    return {
        "id": f"resp-{asked.id}",
        "object": "response",
        "created_at": int(asked.now),
        "model": asked.model,
        "status": "completed" if whole else "incomplete",
        "output": [_item(asked, "".join(words).strip())],
    }


def _response_events(asked: Asked) -> Iterator[Body]:
    words, _whole = _said(asked)
    for word in words:
        yield {
            "type": "response.output_text.delta",
            "item_id": f"msg-{asked.id}",
            "delta": word,
        }
    text = "".join(words).strip()
    yield {"type": "response.output_item.done", "item": _item(asked, text)}
