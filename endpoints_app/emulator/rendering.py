"""Text of endpoints, kept until they change: a list of a thousand is then a join of strings."""

from __future__ import annotations

from collections.abc import Callable, Collection

from endpoints_app.emulator.endpoint import Endpoint


class PerRevision:
    """Renders each endpoint once per revision."""

    def __init__(self, render: Callable[[Endpoint], str]) -> None:
        self._render = render
        self._kept: dict[str, tuple[int, str]] = {}

    def joined(self, endpoints: Collection[Endpoint]) -> str:
        if len(self._kept) > 2 * len(endpoints):
            self._kept.clear()  # most of it is of endpoints that are gone
        return ",".join(map(self._text, endpoints))

    def _text(self, endpoint: Endpoint) -> str:
        kept = self._kept.get(endpoint.name)
        if kept is None or kept[0] != endpoint.revision:
            kept = self._kept[endpoint.name] = (endpoint.revision, self._render(endpoint))
        return kept[1]
