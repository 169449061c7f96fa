"""How a reference begins: for code that loads its grammar only where there is one."""

SCHEME = "ref://"
# Those of other tools: 1Password's own, and those of vals; `Backend.others` says whose store they mean.
OTHERS = ("op://", "ref+")
