"""HTTP, TLS and authentication."""
