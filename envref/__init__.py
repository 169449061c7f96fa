"""envref: committed `.env` files hold references; the secrets come from your stores when they are needed."""

__version__ = "0.1.0"
# How a reference begins: here for code that loads its grammar only where there is one.
SCHEME = "ref://"
# How those of other tools begin; `Backend.others` says whose store they mean.
OTHERS = ("op://", "ref+")
# How dotenvx writes a value (its docs, "Encryption"; dotenvx 1 and 2).
CIPHERTEXT = "encrypted:"
