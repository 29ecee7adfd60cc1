"""What `make check` finds wrong with a translation."""

from pathlib import Path

from babel.messages.catalog import Catalog

from endpoints_app.management.commands.catalogue import _problems

HEADER = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'


def test_a_placeholder_that_a_translation_spoils_is_found(tmp_path: Path) -> None:
    """Django would fall back to English without a word."""
    po = tmp_path / "django.po"
    template = Catalog()
    template.add("said by %(name)s %(at)s", flags=["python-format"])

    def problems(translation: str) -> list[str]:
        entry = f'#, python-format\nmsgid "said by %(name)s %(at)s"\nmsgstr "{translation}"\n'
        po.write_text(HEADER + entry)
        return list(_problems(po, "ja", template))

    assert problems("%(name)s が%(at)sに表明") == []
    assert problems("%(name)s が%(at)に表明") == ["other placeholders: 'said by %(name)s %(at)s'"]
