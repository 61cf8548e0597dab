"""Answering incidents: look, plan, guards, approval, run, and the raising check judges."""
