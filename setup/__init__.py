"""How a checkout becomes a working place: interpreters, environments, programs. Standard library only.

`reference` runs in the tests' environment: it reads envref itself.
"""
