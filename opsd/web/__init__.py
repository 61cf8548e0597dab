"""What opsd shows over HTTP: metrics on one port; health and orders on another."""

from opsd.web.pages import AdminPages, MetricsPages
from opsd.web.server import Server
from opsd.web.webhook import Webhook

__all__ = ["AdminPages", "MetricsPages", "Server", "Webhook"]
