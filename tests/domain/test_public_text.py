"""What may be written for everybody to read."""

import pytest

from endpoints_app.domain.public_text import Unfit, is_public_link, unfit


@pytest.mark.parametrize(
    "text",
    [
        "", "ML platform on-call", "lead-scoring moves to a larger size.", "機械学習基盤の当番",
        "Two lines\nof text", "@ml-oncall on chat", "v2.1 (24/7)",
    ],
)  # fmt: skip
def test_plain_words_may(text):
    assert unfit(text) is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("ask ada.lovelace@example.com", Unfit.MAIL),
        ("see https://wiki.example.com/x", Unfit.ADDRESS),
        ("HTTP://x", Unfit.ADDRESS),
        ("adb-1234.5.azuredatabricks.net is slow", Unfit.ADDRESS),
        ("dbc-1.cloud.databricks.com", Unfit.ADDRESS),
        ("POST /serving-endpoints/x/invocations", Unfit.ADDRESS),
        ("mailto:x", Unfit.ADDRESS),
        ("use dapi0123456789abcdef0123456789abcdef", Unfit.SECRET),
        ("password=hunter22", Unfit.SECRET),
        ("a\0b", Unfit.UNPRINTABLE),
        ("tab\there", Unfit.UNPRINTABLE),
        ("turn\u202eed", Unfit.UNPRINTABLE),
    ],
)
def test_what_is_never_on_the_page_may_not_be_written_for_it(text, why):
    assert unfit(text) is why


@pytest.mark.parametrize(
    "url",
    [
        "https://wiki.example.com/runbooks/fraud?x=1#y",
        "http://intranet:8080/",
        "https://chat.example.com/channels/@ml",
        "tel:+81-3-1234-5678",
    ],
)
def test_pages_and_telephones_are_links(url):
    assert is_public_link(url)


@pytest.mark.parametrize(
    "url",
    [
        "", "wiki", "//wiki.example.com", "javascript:alert(1)", "JAVASCRIPT:alert(1)", "data:x",
        "mailto:ada@example.com", "https://user:pw@host/", "https://user@host/", "https://",
        "https://host:port/", "https://[", "https://x/?to=ada@example.com", "tel:", "tel:abc",
        "https://x/ y", "https://x/\n", "https://x/<b>", 'https://x/"', "file:///etc/passwd",
        "https://x/?token=abcdef123456",
    ],
)  # fmt: skip
def test_anything_else_is_none(url):
    assert not is_public_link(url)
