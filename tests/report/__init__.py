"""Table, document and page."""
