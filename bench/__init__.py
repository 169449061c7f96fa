"""What envref costs, as ratios of medians within one run: `python -m bench`; `--help` says more.

Absolute times say more about the machine than about envref; a ratio against a bare Python, or of a hundred
references against one, holds on any machine that is quiet for a minute.
"""
