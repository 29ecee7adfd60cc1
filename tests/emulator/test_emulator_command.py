"""`manage.py run_emulator` as a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from endpoints_app.domain.budget import names
from endpoints_app.emulator.auth import DEMO_TOKEN
from tests.emulator.conftest import ENVIRONMENT, ROOT, command

B = "/api/2.0/serving-endpoints"


POLICIES = "/api/2.1/accounts/any/budget-policies"


def listed(url: str, token: str) -> requests.Response:
    return requests.get(url + B, headers={"Authorization": f"Bearer {token}"}, timeout=10)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_told_to_end(number: signal.Signals) -> None:
    with command("--endpoints", "5", "--port", "0") as (process, url):
        requests.post(f"{url}/_control/faults", json={"kind": "latency", "seconds": 60})
        assert requests.get(f"{url}/_control/faults").status_code == 200
        with pytest.raises(requests.Timeout):
            requests.get(url + B, timeout=0.2)
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "", "")


def test_its_options_make_the_workspace(tmp_path: Path) -> None:
    state = tmp_path / "world.json"
    options = ["--endpoints", "30", "--seed", "4", "--fleet", "energy", "--state", str(state)]
    with command(*options, "--time-scale", "0.001", EMULATOR_TOKEN="dapi-env") as (_, url):
        assert listed(url, DEMO_TOKEN).status_code == 401
        served = [item["name"] for item in listed(url, "dapi-env").json()["endpoints"]]
        assert len(served) == 30
        assert "outage-predictor" in served
    with command("--token", "dapi-new", "--state", str(state)) as (_, url):
        assert len(listed(url, "dapi-new").json()["endpoints"]) == 30


def test_it_says_the_names_of_its_policies_as_the_dashboard_takes_them() -> None:
    said = subprocess.run(
        [sys.executable, "manage.py", "run_emulator", "--seed", "2", "--policies"],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    with command("--seed", "2", "--endpoints", "0") as (_, url):
        headers = {"Authorization": f"Bearer {DEMO_TOKEN}"}
        answer = requests.get(url + POLICIES, headers=headers, timeout=10).json()
    there = {policy["policy_id"]: policy["policy_name"] for policy in answer["policies"]}
    assert names(said.stdout) == there
    assert there


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--endpoints", "10001"], "0 to 10000"),
        (["--time-scale", "-1"], "time scale"),
        (["--state", "pyproject.toml"], "pyproject.toml"),
    ],
)
def test_impossible_options_end_it_with_a_sentence(arguments: list[str], said: str) -> None:
    ended = subprocess.run(
        [sys.executable, "manage.py", "run_emulator", *arguments],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert ended.returncode == 1
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
