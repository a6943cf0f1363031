"""A public provider on the loopback: a real chain behind it, and every bad habit in front."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from defai.chain.rpc import Json


@dataclass
class Provider:
    """What stands between a download and a chain.

    Attributes:
        widest: the most blocks of one eth_getLogs; 0 for any.
        most: the most logs of one eth_getLogs; 0 for any.
        batch: the most requests of one batch; 0 for any.
        oldest_state: eth_call is refused for blocks before it.
        faults: what goes wrong with the next requests, one each: "429", "500", "torn", "silence", "busy".
        lie: changes the logs of an answer.
        gate: answers with logs wait for it.
    """

    upstream: str
    url: str = ""
    widest: int = 0
    most: int = 0
    batch: int = 0
    oldest_state: int = 0
    faults: list[str] = field(default_factory=list)
    lie: Callable[[list[dict[str, Any]]], list[dict[str, Any]]] = lambda logs: logs
    gate: asyncio.Event | None = None
    ranges: list[tuple[int, int]] = field(default_factory=list)
    asked: int = 0

    async def answer(self, request: web.Request, session: aiohttp.ClientSession) -> web.StreamResponse:
        body = await request.json()
        self.asked += 1
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "429":
            return web.Response(status=429, text="slow down")
        if fault == "500":
            return web.Response(status=500, text="<html>oops</html>")
        if fault == "silence":
            await asyncio.Event().wait()
        if fault == "busy":
            return web.json_response(_refusal(body, -32005, "project ID request rate exceeded, rate limit"))
        refused = self._refused(body)
        if refused is not None:
            return web.json_response(refused)
        async with session.post(self.upstream, json=body) as response:
            answer = await response.json()
        answer = self._changed(body, answer)
        if self.gate is not None and isinstance(body, dict) and body["method"] == "eth_getLogs":
            await self.gate.wait()
        text = json.dumps(answer)
        return web.Response(
            text=text[: len(text) // 2] if fault == "torn" else text, content_type="application/json"
        )

    def _refused(self, body: Json) -> Json:
        if isinstance(body, list):
            if self.batch and len(body) > self.batch:
                return _refusal(body, -32600, f"batch of {len(body)} exceeds the maximum of {self.batch}")
            return None
        if body["method"] == "eth_getLogs":
            asked = body["params"][0]
            first, last = int(asked["fromBlock"], 16), int(asked["toBlock"], 16)
            width = last - first + 1
            self.ranges.append((first, last))
            if self.widest and width > self.widest:
                return _refusal(body, -32602, f"eth_getLogs is limited to a {self.widest} range")
        return None

    def _changed(self, body: Json, answer: Json) -> Json:
        if isinstance(body, list):
            return [
                self._changed(one, reply)
                for one, reply in zip(body, sorted(answer, key=lambda r: r["id"]), strict=True)
            ]
        if body["method"] == "eth_call" and body["params"][1] != "latest":
            number = int(body["params"][1], 16)
            if number < self.oldest_state:
                return _refusal(body, -32000, f"missing trie node: state of block {number} is not available")
        if body["method"] == "eth_getLogs" and "result" in answer:
            logs = self.lie(answer["result"])
            if self.most and len(logs) > self.most:
                return _refusal(body, -32005, f"query returned more than {self.most} results")
            return answer | {"result": logs}
        return answer


def _refusal(body: Json, code: int, message: str) -> dict[str, Any]:
    number = None if isinstance(body, list) else body["id"]
    return {"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": message}}


@asynccontextmanager
async def provider(upstream: str, **habits: Json) -> AsyncIterator[Provider]:
    """A provider in front of a chain."""
    there = Provider(upstream, **habits)
    async with aiohttp.ClientSession() as session:
        app = web.Application(client_max_size=1 << 24)

        async def handle(request: web.Request) -> web.StreamResponse:
            return await there.answer(request, session)

        app.router.add_post("/{key:.*}", handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            host, port = runner.addresses[0][:2]
            there.url = f"http://{host}:{port}"
            yield there
        finally:
            await runner.cleanup()
