"""The web server in front, as docs/status-page.md configures it: it shows the files of the status
page when Serving Desk does not answer."""

from __future__ import annotations

import getpass
import re
import subprocess
from collections.abc import Iterator

import pytest
import requests

from dashboard import programs
from tests.harness import ROOT, Desk
from tests.needs import NGINX
from tests.waiting import eventually

pytestmark = pytest.mark.faults

FILE = 'class="still"'  # how the page as a file begins: it does not ask for what is new


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    directory = tmp_path_factory.mktemp("front")
    own = {"STATUS_PAGE_ACCESS": "public", "STATUS_SNAPSHOT_DIR": str(directory / "snapshot")}
    with Desk(directory, env=own) as desk:
        eventually(lambda: (directory / "snapshot" / "index.html").exists(), what="The files")
        yield desk


@pytest.fixture(scope="module")
def front(desk: Desk) -> Iterator[str]:
    port, directory = programs.free_port(), desk.directory / "nginx"
    directory.mkdir()
    configuration = directory / "nginx.conf"
    beside, within = as_documented(desk)
    configuration.write_text(
        f"daemon off; pid {directory}/pid; error_log {directory}/log; events {{}}\n"
        "http { include /etc/nginx/mime.types; access_log off;\n"
        f"{beside}\nserver {{ listen 127.0.0.1:{port};\n{within}\n}} }}\n"
    )
    # Its workers may read what we may.
    command = [NGINX.required(), "-c", configuration, "-g", f"user {getpass.getuser()};"]
    process = subprocess.Popen(command)
    url = f"http://127.0.0.1:{port}/status/"
    eventually(lambda: requests.get(url, timeout=5).ok, what="nginx")
    yield url
    process.terminate()
    process.wait()


def as_documented(desk: Desk) -> tuple[str, str]:
    text = (ROOT / "docs" / "status-page.md").read_text()
    (block,) = re.findall(r"```nginx\n(.*?)```", text, re.DOTALL)
    ours = {
        "http://127.0.0.1:8000": desk.url,
        "/srv/serving-status": str(desk.directory / "snapshot"),
    }
    for documented, own in ours.items():
        assert documented in block
        block = block.replace(documented, own)
    beside, location, within = block.partition("location /status/")
    return beside, location + within


def get(url: str) -> requests.Response:
    return requests.get(url, timeout=20, allow_redirects=False)


def test_while_all_is_well_it_passes_everything_on(front: str) -> None:
    assert FILE not in get(front).text
    assert get(f"{front}feed.atom").headers["Content-Type"].startswith("application/atom+xml")
    assert get(f"{front}no-such-page/").status_code == 404


@pytest.mark.parametrize("fault", ["frozen", "dead"])
def test_it_shows_the_files_when_serving_desk_does_not_answer(
    desk: Desk, front: str, fault: str
) -> None:
    if fault == "frozen":
        desk.freeze("web")
    else:
        desk.kill("web")
    try:
        shown = get(front)
        assert shown.status_code == 200
        assert FILE in shown.text
        assert shown.headers["Cache-Control"] == "no-store"
        assert 'lang="ja"' in get(f"{front}?lang=ja").text
        assert "verdict" in get(f"{front}status.json").json()
        assert get(f"{front}no-such-page/").status_code == 503
        assert get(f"{front}feed.atom").status_code == 503
    finally:
        desk.mend()

    eventually(lambda: FILE not in get(front).text, what="The living page")
