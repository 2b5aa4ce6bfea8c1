"""Text from certificates and configuration, made fit to print."""


def printable(value: str) -> str:
    """Replace what UTF-8 cannot encode (lone surrogates), and nothing else."""
    return value if value.isascii() else value.encode(errors="replace").decode()
