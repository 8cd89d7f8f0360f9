"""The endpoint for spectra."""

from typing import Any

import gradio as gr

from deftx.commands.inspection import STRATEGIES
from ui.api.arguments import TEXT, TEXTS, check
from ui.current import current_workspace
from ui.shared.errors import refusals

SHOWN = ("shape", "noise_edge", "ranks", "energy_kept", "noise_ranks", "chosen")


def build() -> None:
    """Add the endpoint; docs/api.md shows how to use it."""

    def spectrum(vector: str, strategies: list[str] | None = None) -> dict[str, Any]:
        """Return ranks, energy and noise of every matrix for some strategies; vectors are named bundled:NAME or job:ID."""
        workspace = current_workspace()
        with refusals():
            check(TEXT, vector=vector)
            check(TEXTS, strategies=strategies)
            spectra = workspace.spectra.spectra(workspace.spectra.find(vector))
            found = {name: one.to_dict(strategies or STRATEGIES) for name, one in spectra.matrices.items()}
            shown = {name: {key: facts[key] for key in SHOWN} for name, facts in found.items()}
            return {"of": spectra.of, "strategy": spectra.strategy, "matrices": shown}

    gr.api(spectrum, api_name="spectrum", concurrency_limit=None)
