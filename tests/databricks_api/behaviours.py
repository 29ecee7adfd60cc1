"""What a workspace may do with a request: answer, refuse, hang up."""

B = "/api/2.0/serving-endpoints"
CHURN = {"name": "churn", "state": {"ready": "READY"}}


def answers(*steps):
    """A handler that takes one step per request and then repeats the last."""
    left = list(steps)

    def handle(request, line):
        step = left.pop(0) if len(left) > 1 else left[0]
        step(request, line)

    return handle


def ok(document=CHURN, **options):
    return lambda request, line: line.answer(200, document, **options)


def refuse(status, code="SOMETHING", *, headers=None):
    body = {"error_code": code, "message": "no"}
    return lambda request, line: line.answer(status, body, headers=headers)


def hang_up(request, line):
    line.close()


def reset(request, line):
    line.reset()
