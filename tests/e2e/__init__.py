"""The program from outside."""
