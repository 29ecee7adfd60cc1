"""What looks like a credential does not leave the workspace's logs through us."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoints_app.domain.log_secrets import masked, masked_parts
from endpoints_app.domain.masking import MASK

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        ("Authorization: Bearer abc.def-123456", "abc.def-123456"),
        ("headers={'authorization': 'Basic dXNlcjpwYXNz'}", "dXNlcjpwYXNz"),
        (f"using dapi{'0a' * 16}", "0a" * 16),
        (f"\x1b[31mdapi{'0a' * 16}\x1b[0m", "0a" * 16),
        (f"id token {JWT} received", JWT),
        ("connecting to postgresql://app:hunter2@db:5432/x", "hunter2"),
        ("pip index https://__token__:pypi-AgEI@host/simple", "pypi-AgEI"),
        ("export DB_PASSWORD=hunter2", "hunter2"),
        ('{"client_secret": "two words", "x": 1}', "two words"),
        (r'body "{\"password\": \"hunter2\"}"', "hunter2"),
        ("\x1b[36mapi_key\x1b[0m=\x1b[35mhunter2\x1b[0m", "hunter2"),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG", "wJalrXUtnFEMI"),
        ("key AKIAIOSFODNN7EXAMPLE in use", "AKIAIOSFODNN7EXAMPLE"),
        ("AccountKey=Zm9vYmFy==;EndpointSuffix=core", "Zm9vYmFy"),
        ("GET https://x.blob.core/y?sv=2&sig=a%2Fb%3D&se=1", "a%2Fb%3D"),
        ("google AIza" + "x" * 35, "x" * 35),
        ("OPENAI sk-proj-" + "a1" * 20, "a1" * 20),
        ("HF hf_" + "a1" * 17, "a1" * 17),
        ("refresh_token=abc", "abc"),
        ("Authorization: Token 0123456789abcdef", "0123456789abcdef"),
        ("authorization: AWS4-HMAC-SHA256 Credential=x/y, Signature=fe5f80", "fe5f80"),
        ("RUN mysql --password hunter2 --host db", "hunter2"),
        ("databricks configure --access-token zzzzyyyy", "zzzzyyyy"),
        ("Set-Cookie: session=abc123; HttpOnly", "abc123"),
        ("cloning https://0123456789abcdef0123456789abcdef@git.corp/x.git", "0123456789abcdef0"),
        ("GitLab glpat-" + "a1" * 12, "a1" * 12),
        ("upload with pypi-" + "AgEI" * 8, "AgEI" * 8),
        ("posting to https://hooks.slack.com/services/T0/B0/XyZ", "XyZ"),
    ],
)
def test_credentials_are_masked(line: str, secret: str) -> None:
    assert secret not in masked(line)
    assert MASK in masked(line)


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-22T02:30:06.020Z INFO ranker.weights shard 1/4 loaded, device cuda:0",
        "max_tokens=256 prompt tokens: 12 time_to_first_token: 0.21s",
        "eos_token='</s>' pad_token=[PAD]",
        "loading tokenizer_config.json",
        "Use bearer authentication",
        "secret={{secrets/scope/key}}",
        "password=None",
        'File "/opt/key/value.py", line 3, in <module>',
        "pip install --token-file x --password-stdin",
        "Authorization failed for the user of this endpoint",
        "cookies are disabled",
        "mail to someone@example.com about http://example.com/a@b",
    ],
)
def test_ordinary_lines_stay_as_they_are(line: str) -> None:
    assert masked(line) == line


def test_a_private_key_is_masked_line_by_line() -> None:
    text = "a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\nxyz\n-----END RSA PRIVATE KEY-----\nb\n"
    assert masked(text) == f"a\n{MASK}\n{MASK}\n{MASK}\n{MASK}\nb\n"


SECRETS = (
    f"a\npassword=hunter2\n-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n{JWT}"
)


@given(st.lists(st.integers(0, len(SECRETS)), max_size=8))
def test_a_text_in_parts_is_masked_as_the_whole(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(SECRETS)]
    parts = [SECRETS[a:b] for a, b in pairwise(edges)]
    assert "".join(masked_parts(parts)) == masked(SECRETS)
    assert "hunter2" not in masked(SECRETS)
    assert "MIIE" not in masked(SECRETS)


@given(st.text(st.sampled_from("ab =:\n\r'\"key-BEGINpaswordtoken@/\u2028"), max_size=80))
def test_masking_keeps_the_number_of_lines(text: str) -> None:
    assert masked(text).count("\n") == text.count("\n")
