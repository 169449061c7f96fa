"""HashiCorp Vault and OpenBao, KV version 1 and 2."""
