"""The certificate: frozen weights, silent memory, nothing learned earlier lost."""
