"""Speed and cost of opsd, measured beside its peers in one run: `make bench`.

Machines are noisy: what counts are the ratios of tools that took turns on the same data.
"""
