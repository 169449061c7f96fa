"""envref: committed `.env` files hold references; the secrets come from your stores when they are needed."""

__version__ = "0.1.0"
# How a reference begins: here for code that loads its grammar only where there is one.
SCHEME = "ref://"
# Those of other tools: 1Password's own, and those of vals. `Backend.others` says whose store they mean.
OTHERS = ("op://", "ref+")
