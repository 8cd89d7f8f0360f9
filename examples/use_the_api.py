"""Use a running studio from another program: upload a text, train on it, wait, classify.

python examples/use_the_api.py http://127.0.0.1:7860 corpus.txt "Rancak bana hotel ko"
"""

import sys
import time

from gradio_client import Client, handle_file


def main(url: str, corpus: str, sentence: str, task: str = "bundled:sentiment", **recipe: object) -> dict[str, float]:
    """Train a language vector on a text file and classify a sentence with it; return the probabilities."""
    studio = Client(url, verbose=False)

    found = studio.predict(file=handle_file(corpus), corpus="", api_name="/audit")
    print(f"{found['lines']:,} lines, {found['tokens']:,} tokens", *found["warnings"], sep="\n")

    job = studio.predict(
        corpus=found["corpus"], name="From a program", preset="quick", recipe=recipe, api_name="/train_language"
    )
    low, high = job["seconds_expected"]
    print(f"Job {job['id']} waits; it will take {low:.0f} to {high:.0f} s.")
    while job["state"] in ("waiting", "running", "stopping"):
        time.sleep(1)
        job = studio.predict(job["id"], api_name="/job")
        print(f"{job['state']}: {job['phase']} {job['step']:,} of {job['total']:,}", end="\r")
    if job["state"] != "finished":
        raise SystemExit(job["meaning"])

    answer = studio.predict(sentence, task, job["vector"], api_name="/classify")
    for label, probability in answer["probabilities"].items():
        print(f"{label:12}{probability:6.1%}")
    return answer["probabilities"]


if __name__ == "__main__":
    main(*sys.argv[1:])
