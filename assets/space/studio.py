"""Start the studio on a Space with ZeroGPU, with the settings of a Space that anybody may use."""

import os

# A variable in the settings of the Space overrides a value here. docs/people.md and docs/deploy.md describe them.
SETTINGS = {
    "DEFTX_CONTAINER": "1",  # the data is in a folder that lasts, if there is one; the page says whether it does
    "DEFTX_VISITORS_TRAIN": "1",
    "DEFTX_UPLOAD_MB": "20",
    "DEFTX_CORPUS_MB": "20",
    "DEFTX_ROOM_MB": "1000",
    "DEFTX_WAITING_JOBS": "2",
    "DEFTX_JOB_HOURS": "2",
    "DEFTX_JOB_MB": "1000",
    "DEFTX_DAYS_KEPT": "7",
    "GRADIO_SERVER_NAME": "0.0.0.0",
}


def main() -> None:
    """Start the page."""
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    os.environ["GRADIO_SSR_MODE"] = "False"  # a Space sets it to True, but the page is not written for it
    import app

    app.main()


if __name__ == "__main__":
    main()
