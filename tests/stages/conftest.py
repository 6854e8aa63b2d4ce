"""An OpenAI-compatible endpoint on localhost whose every answer is scripted."""

import json
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from emocal_rl.platform.contracts import REASONING_PARTS

KEY = "sk-very-secret"
PASS = json.dumps({"hallucination": False, "label_leakage": False, "logical_inconsistency": False, "reason": ""})


def reasoning(answer: str, analysis: str = "it moves") -> str:
    parts = {**dict.fromkeys(REASONING_PARTS, "seen"), "analysis": analysis}
    thought = "".join(f"<{part}>{text}</{part}>" for part, text in parts.items())
    return f"<think>{thought}</think><answer>{answer}</answer>"


def verdict(**faults: Any) -> str:
    return json.dumps({**json.loads(PASS), **faults})


@dataclass
class Answer:
    """What the server sends: a completion of `text`, unless `body` is there in its place."""

    text: str | None = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    finish_reason: str = "stop"
    usage: tuple[int, int] | None = (1000, 100)
    delay_s: float = 0.0
    logprobs: list[dict[str, Any]] | None = None

    def encode(self) -> bytes:
        if self.body is not None:
            return self.body.encode()
        if self.status != 200:
            return json.dumps({"error": {"message": self.text or "no", "code": None}}).encode()
        message = {"role": "assistant", "content": self.text}
        choice = {"index": 0, "message": message, "finish_reason": self.finish_reason}
        if self.logprobs is not None:
            choice["logprobs"] = {"content": [{"top_logprobs": [], **token} for token in self.logprobs]}
        completion = {"id": "x", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice]}
        if self.usage:
            prompt, written = self.usage
            usage = {"prompt_tokens": prompt, "completion_tokens": written, "total_tokens": prompt + written}
            completion["usage"] = usage
        return json.dumps(completion).encode()


@dataclass
class FakeEndpoint:
    """`script(role, sample id, how often it was asked before)` answers; None is the default, a row that is kept."""

    url: str = ""
    script: Callable[[str, str, int], Answer | None] = lambda *_: None
    requests: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    most_at_once: int = 0
    _at_once: int = 0
    _lock: Any = field(default_factory=threading.Lock)

    say = Answer
    reasoning = staticmethod(reasoning)
    verdict = staticmethod(verdict)

    def respond(self, request: dict[str, Any]) -> Answer:
        role, text = request["model"], request["messages"][-1]["content"][-1]["text"]
        found = re.search(r"\[(s\d+)\] (\w+)", text)
        assert found, text
        with self._lock:
            before = self.asked.count((role, found[1]))
            self.asked.append((role, found[1]))
            self.requests.append(request)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        answer = self.script(role, found[1], before)
        answer = answer or Answer(reasoning(found[2]) if role == "teacher" else PASS)
        time.sleep(answer.delay_s)
        with self._lock:
            self._at_once -= 1
        return answer


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEndpoint]:
    """A server that answers in this process; its key is in EMOCAL_TEST_KEY."""
    from emocal_rl.stages.chat import endpoint as endpoint_module

    monkeypatch.setattr(endpoint_module, "_FIRST_WAIT_S", 0.01)
    monkeypatch.setenv("EMOCAL_TEST_KEY", KEY)
    # Each client reads all certificates of the machine; nothing here speaks TLS.
    monkeypatch.setattr(ssl, "create_default_context", lambda *_, **__: ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    fake = FakeEndpoint()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            request["authorization"] = self.headers["Authorization"]
            answer = fake.respond(request)
            data = answer.encode()
            try:
                self.send_response(answer.status)
                for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
            except OSError:
                pass  # the client has gone: that is part of some tests

        def log_message(self, *_: Any) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    fake.url = f"http://127.0.0.1:{server.server_port}/v1"
    yield fake
    server.shutdown()
    server.server_close()
