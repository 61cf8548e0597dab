"""Incidents and their records: alerts that come in, who took them on, what was learnt."""
