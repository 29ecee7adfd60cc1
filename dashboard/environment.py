"""Reads the environment for the settings. A bad value stops the start with a sentence naming it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")


def env_value(name: str, parse: Callable[[str], T], default: T, wanted: str) -> T:
    """The variable `name` through `parse`; empty counts as unset."""
    text = os.environ.get(name, "").strip()
    if not text:
        return default
    try:
        return parse(text)
    except (ValueError, KeyError):
        # The value is not repeated, not by the cause either: it may be a misplaced secret.
        raise ImproperlyConfigured(f"{name} must be {wanted}.") from None


def env_text(name: str, default: str = "") -> str:
    return env_value(name, str, default, "a text")


def env_flag(name: str, default: bool = False) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True}
    words |= {"0": False, "false": False, "no": False, "off": False}
    return env_value(name, lambda text: words[text.lower()], default, "on or off")


def env_choice(name: str, default: str, *, among: list[str]) -> str:
    words = {word: word for word in among}
    return env_value(name, lambda text: words[text.lower()], default, f"one of {', '.join(among)}")


def env_number(name: str, default: float, *, least: float, most: float) -> float:
    def parse(text: str) -> float:
        number = float(text)
        if not least <= number <= most:
            raise ValueError
        return number

    return env_value(name, parse, default, f"a number from {least:g} to {most:g}")


def env_list(name: str, default: str = "", *, each: str = ".+", wanted: str = "") -> list[str]:
    """Items between commas or spaces; `each` is the pattern that all of them match."""

    def parse(text: str) -> list[str]:
        items = [item for item in re.split(r"[,\s]+", text) if item]
        if not all(re.fullmatch(each, item) for item in items):
            raise ValueError
        return items

    return env_value(name, parse, parse(default), wanted)


def env_names(name: str) -> list[str]:
    """Names that end up in URLs, groups and variables: short, plain, told apart by each."""
    plain = "names of letters, digits, - and _, at most 63 characters each"
    names = env_list(name, each=r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", wanted=plain)
    if len({item.upper().replace("-", "_") for item in names}) != len(names):
        raise ImproperlyConfigured(
            f"{name} names a workspace twice, or two whose variables are called the same."
        )
    return names


def env_url(name: str, schemes: set[str], default: str, *, path: str, example: str) -> str:
    """A URL with one of `schemes`; `path` is the pattern of what follows the host's slash."""

    def parse(text: str) -> str:
        parts = urlsplit(text)
        well = parts.scheme in schemes and re.fullmatch(path, parts.path.strip("/"))
        if not well or parts.port == 0:  # a port that is no number raises by itself
            raise ValueError
        return text

    return env_value(name, parse, default, f"a URL such as {example}")


def env_redis(name: str, default: str) -> str:
    return env_url(name, {"redis", "rediss"}, default, path=r"\d*", example="redis://host:6379/0")
