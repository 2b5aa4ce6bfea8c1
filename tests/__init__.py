"""Everything that is proven."""
