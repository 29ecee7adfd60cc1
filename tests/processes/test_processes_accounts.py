"""What one process does to an account, all of them know."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from endpoints_app.services import live
from tests.harness import ROOT, Desk
from tests.prepare_desk import PASSWORD

pytestmark = pytest.mark.processes


def elsewhere(desk: Desk, said: str) -> None:
    """In a program of its own, as an administrator at a terminal would."""
    command = [sys.executable, "manage.py", "shell", "--verbosity=0", "-c", said]
    subprocess.run(command, cwd=ROOT, env=desk.programs["web"].env, check=True)


def test_a_role_that_is_taken_away_is_gone_with_the_next_polls_of_every_process(desk: Desk) -> None:
    find = "from django.contrib.auth.models import Group, User; "
    made = f"User.objects.create_user('nora', password={PASSWORD!r})"
    elsewhere(desk, f"{find}{made}.groups.add(Group.objects.get(name='viewer'))")
    nora, vera = desk.person("nora"), desk.person("vera")

    def polls() -> set[int]:
        """With nothing new, and so often that both web processes are met."""
        answers = set()
        for _ in range(20):
            nora.close()  # the next connection may be the other's
            since = vera.get("/endpoints/changes/").headers["Desk-Cursor"]
            answers.add(nora.get(f"/endpoints/changes/?since={since}").status_code)
        return answers

    assert 204 in polls()

    elsewhere(desk, f"{find}User.objects.get(username='nora').groups.clear()")
    time.sleep(live.CACHE_SECONDS)  # a copy of the head may have been made in that moment

    assert polls() == {404}
