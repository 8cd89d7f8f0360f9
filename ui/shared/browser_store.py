"""What the page keeps in a person's browser, and its removal at logout: the next person may use the same browser."""

from ui.shared.page_languages import KEPT

PREFIX = "deftx-studio-"  # of all keys
# The handler of a link. The chosen language says nothing about a person, and stays.
FORGET = (
    f"for (const key of Object.keys(localStorage)) "
    f"if (key.startsWith('{PREFIX}') && key !== '{KEPT}') localStorage.removeItem(key)"
)
