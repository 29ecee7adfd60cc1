"""Text that a spreadsheet program may be given."""

# What programs take for the beginning of a formula, also in its full-width forms, and what they
# skip on their way to it (OWASP, "CSV injection").
_FORMULA = tuple("=+-@|%\t\r\n＝＋－＠")


def cell(text: str) -> str:
    """As text, whatever it begins with: a name from outside must not become a formula."""
    return f"'{text}" if text.lstrip(" \0").startswith(_FORMULA) else text
