"""Ends the image's entry point over and over, and looks at what comes of its trainings.

What the Dockerfile starts is ended with SIGTERM, as ``docker stop`` does, or by killing all its processes at once, as a power cut
does; at random moments; and started again on the same data, with or without what was on the container's own disk. Nobody
touches the jobs meanwhile. In the end each vector must be that of an undisturbed training, byte for byte.
"""

import os
import signal
import subprocess
import time

from image_at_work import ImageAtWork
from job_helpers import wait_for
from tiny_base import make_base, write_corpus

from deftx.core.files import write_json

FILES = ("vector.safetensors", "vector.json", "README.md")


class Trial:
    """A place with an image, a tiny base, and what is learned from, all of it readable to user 1000."""

    def __init__(self, place, steps):
        self.place, base, table = place, place / "tiny", place / "train.csv"
        make_base(base)
        corpus = write_corpus(place / "corpus.txt")
        rows = [f"the {noun} is {word},{label}" for noun in ("day", "night", "food", "house")
                for word, label in {"good": "yes", "fine": "yes", "bad": "no", "awful": "no"}.items()]  # fmt: skip
        table.write_text("\n".join(["text,label", *rows]), encoding="utf-8")
        for path in (place, base, *place.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        recipe = {"max_steps": steps, "epochs": 10**5, "batch_size": 4, "max_length": 16, "k": 50,
                  "evaluate_every": max(1, steps // 10)}  # fmt: skip
        common = {"base": str(base), "preset": "quick"}
        self.settings = {
            "language": {**common, "recipe": {**recipe, "min_steps": 0}, "corpus": str(corpus), "language": "min"},
            "task": {**common, "recipe": recipe, "train": str(table), "valid": str(table), "language": "ind"},
        }
        self.image = ImageAtWork(place / "image", base, DEFTX_CHECKPOINT_SECONDS="0.2")

    def undisturbed(self, kind):
        """Do a training in a worker of its own, by the image's Python; return the folder of its vector."""
        folder = self.place / f"undisturbed-{kind}"
        folder.mkdir()
        write_json(folder / "job.json", {"id": kind, "kind": kind, "settings": self.settings[kind]})
        if os.getuid() == 0:
            os.chown(folder, 1000, 1000)
        worker = self.image.run("-m", "deftx.jobs.worker", str(folder), stderr=subprocess.DEVNULL)
        assert worker.wait(timeout=600) == 0
        return folder / "out"

    def add(self, *kinds):
        """Put trainings into the queue of the image, which runs, and wait until the queue has been copied."""
        copy, since = self.image.data / "jobs.sqlite", time.time()
        jobs = self.image.add(*((kind, self.settings[kind]) for kind in kinds))
        wait_for(lambda: copy.exists() and copy.stat().st_mtime > since, "a copy of the queue")
        return jobs


def is_done(jobs):
    """Say whether all have finished."""
    return all(job.outcome == "finished" for job in jobs)


def wait_for_new_ground(image, jobs, reached):
    """Wait until the trainings are further than they have ever been, or done; return how far they are."""

    def further():
        assert image.server.poll() is None, image.log.read_text()[-3000:]
        now = sum(job.progress.reached for job in jobs)
        return now if now > reached or is_done(jobs) else None

    # What dies twice at one point waits for a person: that is meant, and another test's business.
    return wait_for(further, "new ground", seconds=120)


def end(image, way):
    """End the container by a signal, with its disk kept or lost, as ``way`` says."""
    if way.startswith("SIGTERM"):
        code = image.stop()
        expected = -signal.SIGTERM if image.is_silent() else 0  # it had no time to heed a signal
        assert code == expected, (code, image.log.read_text()[-3000:])
        assert len(image.events("job_saved")) + len(image.events("job_killed")) == len(image.events("job_asked"))
    else:
        image.kill()
    if way.endswith("lost"):
        image.lose_disk()


def endure(image, jobs, ways, draw):
    """End the container in these ways, and start it again each time, while it works on the jobs; return how often."""
    reached = 0
    for number, way in enumerate(ways):
        reached = wait_for_new_ground(image, jobs, reached)
        if is_done(jobs):
            return number
        time.sleep(draw.uniform(0, 1))
        end(image, way)
        image.start()
    return len(ways)


def differing(jobs, undisturbed):
    """Wait until the trainings have finished; name the files of theirs that are not those of the undisturbed ones."""
    wait_for(lambda: is_done(jobs), "the trainings to end", seconds=300)
    return [f"{job.folder.name}/{name}" for job, whole in zip(jobs, undisturbed, strict=True) for name in FILES
            if (job.out / name).read_bytes() != (whole / name).read_bytes()]  # fmt: skip
