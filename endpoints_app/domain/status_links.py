"""Which runbook and which contact belong to an endpoint: its own, its tags', or the default."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Links:
    runbook_url: str = ""
    contact_name: str = ""
    contact_url: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """`endpoint` or `tag` says for whom; neither is the default."""

    links: Links
    endpoint: int | None = None
    tag: str = ""

    def fits(self, endpoint: int, tags: Mapping[str, str]) -> bool:
        if self.endpoint is not None:
            return self.endpoint == endpoint
        return not self.tag or has_tag(tags, self.tag)

    @property
    def narrowness(self) -> tuple[int, str]:
        """Smaller is narrower: endpoint, key=value, key, default; among equals the alphabet, so
        that the choice is the same on every page."""
        if self.endpoint is not None:
            return 0, ""
        return (3 if not self.tag else 1 if "=" in self.tag else 2), self.tag


def has_tag(tags: Mapping[str, str], tag: str) -> bool:
    """`tag` is "key" or "key=value"; a key may itself contain "="."""
    return tag in tags or any(f"{key}={value}" == tag for key, value in tags.items())


def links_of(endpoint: int, tags: Mapping[str, str], rules: Iterable[Rule]) -> Links:
    """Runbook and contact each from the narrowest rule that has one. A contact's name and address
    stay together: one team's name on another's address would wake the wrong people."""
    fitting = sorted(
        (rule for rule in rules if rule.fits(endpoint, tags)), key=lambda rule: rule.narrowness
    )
    runbook = next((r.links.runbook_url for r in fitting if r.links.runbook_url), "")
    contact = next((r.links for r in fitting if r.links.contact_name), Links())
    return Links(runbook, contact.contact_name, contact.contact_url)
