"""Services as they look from outside: names, connections, TLS, pages, SSH, packets.

Nothing here waits longer than its deadline, and no proxy of the environment is asked.
"""
