"""A workspace that issues tokens to machines, and what signs in with them."""

import threading
import time

from endpoints_app.databricks_api import Credentials
from tests.databricks_api.sockets import DISCOVERY

CHURN = {"name": "churn"}
OIDC = "/oidc/.well-known/oauth-authorization-server"
ISSUE = "/oidc/v1/token"
SECRET = "dose0123456789abcdef0123456789abcdef"


def churn(request, line):
    line.answer(200, CHURN)


def signs_in_as(server) -> set[str]:
    return {call.headers.get("authorization", "nobody") for call in server.calls()}


class TokenService:
    """A workspace that issues tokens; `life` is how many seconds each is good for."""

    def __init__(self, *, life: int = 3600) -> None:
        self.life = life
        self.issued = 0
        self.hang = threading.Event()
        self.refuse = False

    def __call__(self, request, line):
        base = f"http://{request.headers['host']}/oidc"
        if request.target == DISCOVERY:
            line.answer(200, {"oidc_endpoint": base, "workspace_id": "4711"})
        elif request.target == OIDC:
            line.answer(200, {"token_endpoint": f"{base}/v1/token"})
        elif request.target == ISSUE:
            self.issue(request, line)
        else:
            line.answer(200, CHURN)

    def issue(self, request, line):
        if self.hang.is_set():
            time.sleep(5)
        headers = {"Content-Type": "application/json"}
        if self.refuse:
            refusal = {"error": "invalid_client", "error_description": f"bad secret {SECRET}"}
            line.answer(401, refusal, headers=headers)
            return
        self.issued += 1
        token = {"access_token": f"issued-{self.issued}", "token_type": "Bearer"}
        line.answer(200, {**token, "expires_in": self.life}, headers=headers)


def machine(url: str) -> Credentials:
    return Credentials(host=url, client_id="application", client_secret=SECRET)
