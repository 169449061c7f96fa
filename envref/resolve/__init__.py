"""References are resolved: each store of the chain is asked once, and every reference gets one outcome."""
