"""Training requests drawn at random: every field is given in some of them, and left out in others."""

from random import Random

from deftx.training.labelled_files import LabelledFile
from deftx.training.recipes import ABLATIONS, METRICS, PRECISIONS
from deftx.training.request import TRACKERS, TrainingRequest

SEEDS = range(40)
WORDS = (
    "min",
    "a text; rm -rf $HOME.txt",
    "min's",
    'say "so"',
    "Bahasa 😀",
    "-x",
    "--out",
    "a=b",
    "x" * 200,
    "\\",
    "ñandú",
)
FILES = ("/data/a text.txt", "b.txt.gz", "/home/of/min's/vector", "./--odd", "C:\\x.csv", "語.tsv")
RECIPE = {
    "method": ("deft-x", "lt-sft", "random"), "rank": ("variance:0.75", "uniform:8", "mp", "optimal", "none"),
    "keep": (0.0, 0.1, 1.0), "k": (0.02, 1.0, 200_000, 1e-7), "seed": (0, 7, 2**31 - 1),
    "learning_rate": (1e-3, 5e-05, 0.1), "epochs": (0.5, 3, 100), "max_steps": (None, 900_000), "dense_epochs": (None, 1.5), "sparse_learning_rate": (None, 0.01),
    "clip": (0.5, 1e-6), "precision": tuple(PRECISIONS), "values": ("float32", "float16"),
}  # fmt: skip
OF_KIND = {
    "language": {"l1": (0.0, 0.25), "mask_share": (0.2,), "trim": (True, False)},
    "task": {"metric": tuple(METRICS), "group_by_length": (True, False)},
}


def draw(seed: int, **given: object) -> TrainingRequest:
    """Draw a request that can be trained, of both kinds in turn; ``given`` replaces some of its fields."""
    random = Random(seed)
    kind = ("language", "task")[seed % 2]
    texts = {name: _word(random) for name in ("name", "language", "base", "push_to")}
    values = {**texts, "preset": random.choice(("quick", "standard", "paper")), "recipe": _recipe(random, kind)}
    values["processes"] = random.choice((1, 2, 8))
    values |= _place(random)
    if values["push_to"]:
        values["push_private"] = random.random() < 0.5
    values["report_to"] = random.choice(("", "", *TRACKERS))
    values |= _data(random, kind)
    return TrainingRequest(kind=kind, **{**values, **given})


def _word(random: Random) -> str:
    return random.choice(("", random.choice(WORDS)))


def _place(random: Random) -> dict:
    if random.random() < 0.3:
        return {"flavor": random.choice(("l4x1", "cpu-basic")), "hours": random.choice((0.5, 4.0, 1.25, 168.0))}
    return {"device": random.choice(("", "cpu", "cuda:1")), "delta": random.choice(("", "/delta of/this one", "delta"))}


def _data(random: Random, kind: str) -> dict:
    if kind == "language":
        files = tuple(random.sample(FILES, random.randint(1, 3)))
        return {"corpus": files, "column": random.choice(("", "the text")), "lexicon": _lexicon(random)}
    found = {"train": random.choice(FILES), "source": random.choice(("", *FILES)), "columns": _columns(random)}
    if random.random() < 0.5:
        found |= {"valid": random.choice(FILES), "valid_columns": _columns(random)}
    found |= {"repeat": random.choice((1, 1, 7)), "lexicon": _lexicon(random), "start": random.choice(("", *FILES))}
    others = random.sample([file for file in FILES if file != found["train"]], random.choice((0, 0, 1, 3)))
    return found | {"further": tuple(_further(random, file) for file in others)}


def _further(random: Random, file: str) -> LabelledFile:
    return LabelledFile(
        file=file, source=random.choice(("", *FILES)), repeat=random.choice((1, 20)), lexicon=_lexicon(random),
        columns=_columns(random),
    )  # fmt: skip


def _lexicon(random: Random) -> tuple[str, ...]:
    return tuple(random.sample(FILES, random.choice((0, 0, 1, 2))))


def _columns(random: Random) -> dict:
    return random.choice(({}, {"text": "the text"}, {"premise": "a=b", "hypothesis": "-h", "label": "stars"}))


def _recipe(random: Random, kind: str) -> dict:
    choices = {**RECIPE, **OF_KIND[kind]}
    names = random.sample(sorted(choices), random.randint(0, len(choices)))
    recipe = {name: random.choice(choices[name]) for name in names}
    if recipe.get("method", "deft-x") == "deft-x" and random.random() < 0.3:
        recipe["ablate"] = random.choice(tuple(ABLATIONS))
    return recipe
