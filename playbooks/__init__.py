"""Content: one file is one incident. Playbooks arrive with the answering of incidents."""
