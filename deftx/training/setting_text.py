"""Settings as they are typed on the command line: ``key=value``."""

from typing import Any, get_args, get_type_hints

from deftx.core.errors import RecipeError, one_of, unknown_name
from deftx.training.recipes import Recipe


def parse_setting(recipe: Recipe, text: str) -> tuple[str, Any]:
    """Parse ``key=value`` and convert the value to the setting's type.

    Raises:
        RecipeError: If the text has no "=", the setting is unknown, or the value cannot be converted.
    """
    name, equals, value = text.partition("=")
    if not equals:
        raise RecipeError(f"Settings must be written as key=value; {text!r} has no '='.")
    types = get_type_hints(type(recipe))
    if name not in types:
        raise unknown_name("The setting", name, types)
    allowed = get_args(types[name]) or (types[name],)
    if value.lower() == "none" and type(None) in allowed:
        return name, None
    if bool in allowed and value.lower() in ("true", "false"):
        return name, value.lower() == "true"
    for kind in (int, float, str):
        if kind in allowed:
            try:
                return name, kind(float(value)) if kind is int and float(value).is_integer() else kind(value)
            except ValueError:
                continue
    raise RecipeError(f"{name} = {value!r} cannot be read: expected {one_of([t.__name__ for t in allowed])}.")
