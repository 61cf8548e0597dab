"""What opsd shows over HTTP: metrics, health, a page that leads to them."""

from opsd.web.pages import Answer, Pages
from opsd.web.server import Server

__all__ = ["Answer", "Pages", "Server"]
