"""A throwaway node to look at and to test with."""
