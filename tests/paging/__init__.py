"""From a certificate to a page."""
