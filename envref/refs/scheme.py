"""How a reference begins: for code that loads its grammar only where there is one."""

SCHEME = "ref://"
