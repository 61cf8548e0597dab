"""Upstream down: whose fault it is, the evidence, and a message to the partner in both languages.

Touches nothing: opsd drafts, a person sends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from opsd import catalogue
from opsd.catalogue import Language
from opsd.config.playbook_services import UpstreamDownOptions
from opsd.playbook import Answers, Facts, Occasion, Plan, Question, Recall, Terms, say
from playbooks.looking import probe


@dataclass(frozen=True, slots=True)
class UpstreamDown:
    """Answers a partner's service that is out."""

    options: UpstreamDownOptions

    @property
    def terms(self) -> Terms:
        """It has no steps."""
        return self.options.terms(Answers(dict.fromkeys(self.options.partners, frozenset())))

    def look(self, found: Occasion) -> tuple[Question, ...]:
        """The service, and what else can be reached, now."""
        return (Recall("probe", probe(found)), Recall("incidents"))

    def plan(self, found: Occasion, facts: Facts) -> Plan:
        """Who has to act, and what they need to know."""
        name = probe(found)
        partner = self.options.partners.get(name)
        seen = facts.known.get(Recall("probe", name))
        if partner is None or not isinstance(seen, Mapping) or not seen:
            return Plan((say("playbook.service.unknown", name=name),))
        told = {"evidence": str(seen["told"])}
        fields = {
            "partner": partner.name,
            "contact": partner.contact,
            "since": f"{found.began:%Y-%m-%d %H:%M:%S} UTC",
            "target": seen["target"],
            "cause": seen["cause"],
            "incident": found.incident or "-",
            "evidence": seen["told"],
        }
        if seen["side"] in {"theirs", "unclear"}:
            told |= {
                f"message.{language.value}": catalogue.say(
                    language, "playbook.upstream_down.message", **fields
                )
                for language in Language
            }
        key = f"playbook.upstream_down.{seen['side']}"
        return Plan((say(key, partner=partner.name, contact=partner.contact),), (), told)
