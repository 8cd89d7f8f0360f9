"""Protection of CSV files against formulas ("CSV Injection", OWASP); used for every CSV file that the app writes.

When a spreadsheet opens the file, a formula in it can send other cells to a server.
"""

# Spreadsheets in Chinese, Japanese or Korean also treat full-width signs as formulas.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def harmless(cell: str) -> str:
    """Put an apostrophe before a cell that a spreadsheet would treat as a formula; numbers stay, negative ones too."""
    return f"'{cell}" if cell.startswith(FORMULA) and not _is_number(cell) else cell


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return cell.isascii() and cell.isprintable()
