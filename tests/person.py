"""Who uses a Desk."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import requests
from bs4 import BeautifulSoup

from tests.prepare_desk import PASSWORD
from tests.waiting import PATIENCE, eventually


@dataclass(frozen=True, slots=True)
class Asked:
    """A row of the operations page."""

    pk: int
    endpoint: str  # workspace/name
    kind: str
    state: str


class Person(requests.Session):
    """Somebody signed in, without a browser. Paths instead of addresses."""

    def __init__(self, url: str, name: str, password: str = PASSWORD) -> None:
        super().__init__()
        self.url = url
        self.get("/account/sign-in/")
        answer = self.send_form("/account/sign-in/", username=name, password=password)
        assert answer.status_code == 302, f"{name} could not sign in: {answer.status_code}"

    def request(self, method: str, path: str, **options: Any) -> requests.Response:  # type: ignore[override]
        options.setdefault("timeout", 10)
        options.setdefault("allow_redirects", False)
        return super().request(method, f"{self.url}{path}", **options)

    def send_form(self, path: str, **fields: str) -> requests.Response:
        token = self.cookies.get("csrftoken") or ""
        return self.post(path, data=fields, headers={"X-CSRFToken": token})

    def page(self, path: str) -> BeautifulSoup:
        answer = self.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code}"
        return BeautifulSoup(answer.text, "html.parser")

    def post_operation(
        self, endpoint: str, kind: str, *, reason: str = "", confirm: str = ""
    ) -> requests.Response:
        workspace, name = endpoint.split("/")
        path = f"/w/{workspace}/e/{name}/operations/"
        return self.send_form(path, kind=kind, reason=reason, confirm=confirm)

    def ask(self, endpoint: str, kind: str, **fields: str) -> None:
        answer = self.post_operation(endpoint, kind, **fields)
        assert answer.status_code == 302, f"{kind} {endpoint}: {answer.status_code} {answer.text}"

    def status_document(self) -> dict[str, Any]:
        answer = self.get("/status.json")
        assert answer.status_code == 200, answer.status_code
        document: dict[str, Any] = answer.json()
        return document

    def statuses(self) -> dict[str, str]:
        found = self.status_document()["endpoints"]
        return {f"{it['workspace']}/{it['name']}": it["status"] for it in found}

    def status(self, endpoint: str) -> str | None:
        return self.statuses().get(endpoint)

    def until_status(self, endpoint: str, status: str | None) -> None:
        """None: until it is gone from the list."""
        eventually(lambda: self.status(endpoint) == status, what=f"{endpoint}: {status}")

    def operations(self) -> list[Asked]:
        found = []
        for row in self.page("/operations/").select("tr[data-operation]"):
            links = [str(link["href"]).partition("?")[0] for link in row.select("a[href]")]
            endpoint = next(m for it in links if (m := re.fullmatch(r"/w/(.+)/e/(.+)/", it)))
            pk = next(m for it in links if (m := re.fullmatch(r"/operations/(\d+)/", it)))
            kind, state = str(row["data-operation"]), str(row["data-state"])
            found.append(Asked(int(pk[1]), f"{endpoint[1]}/{endpoint[2]}", kind, state))
        return found

    def operation(self, endpoint: str) -> Asked:
        """The newest on this endpoint."""
        return max(
            (it for it in self.operations() if it.endpoint == endpoint), key=lambda it: it.pk
        )

    def until_settled(self, endpoint: str, *, within: float = PATIENCE) -> str:
        """The state in which the newest operation on it ends."""

        def settled() -> str:
            state = self.operation(endpoint).state
            return "" if state in ("queued", "sending", "sent") else state

        return eventually(settled, within=within, what=f"The end of the operation on {endpoint}")

    def until_state(self, endpoint: str, state: str) -> None:
        eventually(
            lambda: self.operation(endpoint).state == state,
            what=f"The operation on {endpoint}: {state}",
        )
