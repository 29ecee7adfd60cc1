"""Keeping credentials out of logs: models print their environment, libraries their headers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from endpoints_app.domain.masking import MASK

_COLOUR: Final = r"(?:\x1b\[[0-9;]*m)*"
_ASSIGNED: Final = rf"""{_COLOUR}\\?["']?{_COLOUR}\s*[=:]\s*{_COLOUR})\\?(?P<quote>["'])?"""
_VALUE: Final = (
    r"""(?(quote)(?:(?!(?P=quote))[^\\]|\\(?!["'])|\\.(?!\s*[,}]))+|[^\s"',;&}\\\x1b]+)"""
)
_WORTHLESS: Final = r"(?!(?:bearer|basic|none|null|true|false)\b|\{\{secrets/)"


def _rule(pattern: str, *hints: str) -> tuple[tuple[str, ...], re.Pattern[str]]:
    return hints, re.compile(pattern, re.IGNORECASE)


# Each with words of which one is in every line that it can change: looking for plain words costs
# next to nothing. The group `keep` stays.
_RULES: Final = (
    _rule(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)", "-----b"),
    _rule(r"""(?P<keep>\b[a-z][a-z0-9+.-]*://[^\s/:@"'<>]*:)[^\s/@"'<>]+(?=@)""", "@"),
    _rule(
        rf"(?P<keep>\b(?:bearer|basic){_COLOUR} +{_COLOUR})(?!tokens?\b|auth)[\w\-.~+/=%]{{6,}}",
        *("bearer", "basic "),
    ),
    # Other schemes than those two.
    _rule(
        r"(?P<keep>\bauthorization[\"']?\s*[=:]\s*[\"']?(?!bearer\b|basic\b)[\w-]+ +)"
        r"(?=[^\s\"'])[^\"'\x1b\r\n]{6,}",
        "authorization",
    ),
    _rule(
        r"(?P<keep>(?:password|passwd|passphrase|pwd|secret|api[_-]?key|access[_-]?key(?:[_-]?id)?"
        r"|secret[_-]?key|private[_-]?key(?:[_-]?id)?|account[_-]?key|shared[_-]?access[_-]?"
        rf"(?:key|signature)|connection[_-]?string|authorization|credentials?){_ASSIGNED}"
        rf"{_WORTHLESS}{_VALUE}",
        *("passw", "passp", "pwd", "secret", "key", "authorization", "credential", "signature"),
        "connection",
    ),
    # What stands behind an option without an equals sign.
    _rule(
        r"(?P<keep>(?:^|\s)--?(?:[a-z]+-)*(?:password|passwd|secret|token|api-key|access-key) +)"
        r"(?![-|(])[^\s\"',]{4,}",
        *("password", "passwd", "secret", "token", "-key"),
    ),
    _rule(r"(?P<keep>\b(?:set-)?cookie[\"']?\s*:\s*[\"']?)[^\"'\x1b\r\n]+", "cookie"),
    # Numbers of tokens, and the words of a model's vocabulary, are no secrets.
    _rule(
        r"(?P<keep>(?<!eos_)(?<!bos_)(?<!pad_)(?<!unk_)(?<!sep_)(?<!cls_)(?<!mask_)token"
        rf"{_ASSIGNED}{_WORTHLESS}(?![\d.,]+(?:ms|s|%)?(?:[\s,;}}\]]|$)){_VALUE}",
        "token",
    ),
    _rule(
        r"""(?P<keep>[?&](?:sig|code|x-amz-(?:signature|credential|security-token)"""
        r"""|x-goog-signature)=)[^\s"'&]+""",
        *("sig=", "code=", "x-amz-", "x-goog-"),
    ),
    _rule(r"(?:dapi|dose)[0-9a-f]{30,}(?:-\d+)?", "dapi", "dose"),
    _rule(r"eyJ[\w-]{10,}\.[\w-]{4,}(?:\.[\w-]*)?", "eyj"),
    _rule(r"(?:AKIA|ASIA)[0-9A-Z]{16}", "akia", "asia"),
    _rule(r"AIza[\w-]{35}|ya29\.[\w-]{10,}", "aiza", "ya29."),
    _rule(r"sk-[\w-]{20,}|hf_[a-z0-9]{20,}|xox[abeprs]-[\w-]{10,}", "sk-", "hf_", "xox"),
    _rule(r"glpat-[\w-]{20,}|pypi-[\w-]{20,}|npm_[a-z0-9]{30,}", "glpat-", "pypi-", "npm_"),
    _rule(r"[sr]k_live_\w{10,}|SG\.[\w-]{16,}\.[\w-]{16,}", "k_live_", "sg."),
    _rule(r"(?P<keep>hooks\.slack\.com/services/)[\w/]+", "hooks.slack.com"),
    _rule(r"(?P<keep>\b[a-z][a-z0-9+.-]*://)[\w-]{24,}(?=@)", "@"),
    _rule(r"gh[pousr]_[a-z0-9]{30,}|github_pat_\w{20,}", *(f"gh{c}_" for c in "pousr"), "github_"),
)
_KEY_BEGINS: Final = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_KEY_ENDS: Final = re.compile(r"-----END [A-Z ]*PRIVATE KEY-----")


def masked(text: str) -> str:
    """The text, perhaps the last part of one, with what looks like a credential replaced; its lines
    stay the lines they are."""
    end = _KEY_ENDS.search(text) if "-----END " in text else None
    within = end is not None and not _KEY_BEGINS.search(text, 0, end.start())
    return _Masker(in_key=within).mask(text)


def masked_parts(parts: Iterable[str]) -> Iterator[str]:
    """The same for a text that comes in parts, cut anywhere."""
    masker, rest = _Masker(), ""
    for part in parts:
        whole, end, rest_of_part = part.rpartition("\n")
        if not end:
            rest += part
            continue
        yield masker.mask(rest + whole + end)
        rest = rest_of_part
    if rest:
        yield masker.mask(rest)


class _Masker:
    """Line by line, because a private key has several."""

    def __init__(self, *, in_key: bool = False) -> None:
        self._in_key = in_key

    def mask(self, lines: str) -> str:
        lower = lines.lower()
        rules = [(hints, rule) for hints, rule in _RULES if any(hint in lower for hint in hints)]
        if not rules and not self._in_key:
            return lines
        return "".join(self._line(line, rules) for line in lines.splitlines(keepends=True))

    def _line(self, line: str, rules: Iterable[tuple[tuple[str, ...], re.Pattern[str]]]) -> str:
        if self._in_key:
            end = _KEY_ENDS.search(line)
            self._in_key = end is None
            return MASK + line[end.end() if end else len(line.rstrip("\r\n")) :]
        begin = _KEY_BEGINS.search(line)
        self._in_key = begin is not None and not _KEY_ENDS.search(line, begin.end())
        lower = line.lower()
        for hints, rule in rules:
            if any(hint in lower for hint in hints):
                line = rule.sub(_hide, line)
        return line


def _hide(found: re.Match[str]) -> str:
    parts = found.groupdict()
    return f"{parts.get('keep') or ''}{parts.get('quote') or ''}{MASK}"
