"""MAD-X 2.0 as a row of the benchmark's table, learned in an environment of its own.

    python benchmarks/madx/run.py nusax --data DIR --out OUT --environment ENV [the options of "benchmark" that describe a table]

makes the environment ENV by requirements.txt on first use; trains there an invertible language adapter for each language and a
task adapter above that of the source language, for each seed, from the batches that the vectors of ``python -m deftx benchmark``
with the same options are learned from; and writes the predictions into OUT/scores. A table that this command makes in OUT
then has the row ``mad-x``. The same command continues an interrupted run with the adapter that was not done.
"""

import argparse
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

import environment  # noqa: E402 (the project's root and this folder are put in the path above)
import exports  # noqa: E402
from transformers import PreTrainedModel  # noqa: E402

from deftx.commands import evidence, options  # noqa: E402
from deftx.core.errors import BaseModelError, DeftxError  # noqa: E402
from deftx.core.files import write_json  # noqa: E402
from deftx.evidence.cells import Scored  # noqa: E402
from deftx.evidence.labelled import read_tests  # noqa: E402
from deftx.evidence.other_programs import OTHER_PROGRAMS, read_predictions  # noqa: E402
from deftx.evidence.report import ReportSettings, markdown, summarise  # noqa: E402
from deftx.evidence.run import Run, claim  # noqa: E402
from deftx.evidence.shared_work import keep_settings  # noqa: E402
from deftx.models.bases import Base  # noqa: E402
from deftx.models.families import language_head  # noqa: E402
from deftx.models.parameters import head_parameters  # noqa: E402
from deftx.training.loop import Objective  # noqa: E402
from deftx.training.recipes import LanguageRecipe, TaskRecipe  # noqa: E402

ROW = "mad-x"
REDUCTIONS = {"language": 2.0, "task": 1.0}  # Ansell et al. 2022, with which the paper compares
RATE = 1e-4  # Pfeiffer et al. 2020
JOB, ADAPTER = "job.json", "adapter"  # a file and a folder of a job


def parser() -> argparse.ArgumentParser:
    """Return the parser of the options."""
    found = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    evidence.add_table(found)
    found.add_argument("--environment", metavar="ENV", type=Path, required=True, help="folder of the environment")
    found.add_argument(
        "--parameters", nargs=2, type=int, metavar=("LANGUAGE", "TASK"),
        help="parameters of an adapter, in place of the reduction factors 2 and 1 (the nearest that a bottleneck can give)",
    )  # fmt: skip
    found.add_argument(
        "--learning-rates", nargs=2, type=float, default=[RATE, RATE], metavar=("LANGUAGE", "TASK"),
        help="learning rates of the adapters (1e-4)",
    )  # fmt: skip
    found.set_defaults(methods=[exports.VARIANT], source=None, jobs=None)
    return found


def main() -> None:
    """Make the environment, learn every adapter, write the predictions, and print their table."""
    given = parser().parse_args()
    try:
        run = evidence.describe(given)
        base = options.load_base_of(argparse.Namespace(base=given.base, device="cpu"))
        if base.predicts_next:
            raise BaseModelError("MAD-X learns languages from masked words, and this base is a decoder.")
        counts = given.parameters or [None, None]
        settings = {
            kind: {"reduction": reduction(base.model.config, kind, count), "learning_rate": rate}
            for kind, count, rate in zip(REDUCTIONS, counts, given.learning_rates, strict=True)
        }
        claim(run, base)
        keep_settings(run.out / ROW, "adapters", {**settings, **environment.pinned()})
        adapters = Adapters(run, base, environment.prepare(given.environment.expanduser()), settings)
        for seed in run.seeds:
            adapters.learn(seed)
        print(table(run))
    except DeftxError as error:
        sys.exit(str(error))


def reduction(config: Any, kind: str, parameters: int | None) -> float:
    """Return the reduction factor that gives an adapter nearest to a number of parameters, or without one the usual factor.

    Adapters are in all layers but the last. The invertible adapter of a language keeps its reduction factor of 2: it has two
    networks from half of the width to a quarter and back.
    """
    if parameters is None:
        return REDUCTIONS[kind]
    width, layers = config.hidden_size, config.num_hidden_layers - 1
    half, quarter = width // 2, width // 4
    fixed = layers * width + (2 * (2 * half * quarter + half + quarter) if kind == "language" else 0)
    bottleneck = max(1, round((parameters - fixed) / (layers * (2 * width + 1))))
    # nextafter: the width divided by the factor must not be rounded to less than the bottleneck.
    return math.nextafter(width / bottleneck, 0)


@dataclass(frozen=True)
class Adapters:
    """The adapters of a run. Each is learned by a job of the environment, in a folder of its own."""

    run: Run
    base: Base
    python: Path
    settings: dict[str, dict[str, Any]]

    def learn(self, seed: int) -> None:
        """Learn the adapters of a seed that are missing, and write the predictions for every test set."""
        run = self.run
        languages = (run.setting.source, *map(run.setting.language_of, run.languages))
        for language in dict.fromkeys(languages):
            if environment.done(self.folder(language, seed)) is None:
                self.learn_language(language, seed)
        if not all(run.score_file(ROW, target, seed).is_file() for target in run.languages):
            self.classify(seed)

    def learn_language(self, language: str, seed: int) -> None:
        """Learn the adapter of a language, and the head of masked words with it."""
        objective, recipe = exports.language_of(self.run, self.base, language, seed)
        about = {"head_modules": language_head(self.base.model).modules}
        self.train(
            "language", self.folder(language, seed), objective, recipe, len(objective.train), self.base.model, about
        )

    def classify(self, seed: int) -> None:
        """Learn the adapter of the task, unless that is done, and write the predictions for every test set."""
        run, folder = self.run, self.folder("task", seed)
        objective, recipe = exports.task_of(run, self.base, seed)
        if environment.done(folder) is None:
            about = {"metric": recipe.metric, "source": str(self.folder(run.setting.source, seed) / ADAPTER)}
            model = self.base.classifier(objective.labels, seed)
            self.train("task", folder, objective, recipe, objective.examples, model, about)
        targets = {
            target: str(self.folder(run.setting.language_of(target), seed) / ADAPTER) for target in run.languages
        }
        tests = read_tests(run.setting, run.data, targets)
        tested = self.folder("predictions", seed)
        tested.mkdir(parents=True, exist_ok=True)
        for target, test in tests.items():
            exports.write_batches([exports.test_batches(test, self.base, recipe)], tested / f"{target}.safetensors")
        job = {
            **self.settings["task"], "seed": recipe.seed, "model": str(run.out / ROW / f"classifier-{recipe.seed}"),
            "source": str(self.folder(run.setting.source, seed) / ADAPTER),
        }  # fmt: skip
        found = self.work(
            "predict", tested, {**job, "targets": targets, "trained": str(folder / "trained.safetensors")}
        )
        for target, predicted in found["predicted"].items():
            labels = [objective.labels[place] for place in predicted]
            run.keep(Scored(ROW, target, seed, list(tests[target].labels), labels))

    def folder(self, name: str, seed: int) -> Path:
        """Return the folder of a job: of a language, of the task, or of the predictions."""
        return self.run.out / ROW / f"{name}-{seed}"

    def train(
        self, kind: str, folder: Path, objective: Objective, recipe: LanguageRecipe | TaskRecipe, examples: int,
        model: PreTrainedModel, about: dict[str, Any],
    ) -> None:  # fmt: skip
        """Write the model and the batches of a training run, and let the environment do it."""
        folder.mkdir(parents=True, exist_ok=True)
        given = self.run.out / ROW / ("base" if kind == "language" else f"classifier-{recipe.seed}")
        exports.write_model(model, self.base, given)
        exports.write_training(objective, recipe, examples, folder / "steps.safetensors")
        exports.write_batches([exports.held_out(objective)], folder / "held-out.safetensors")
        k = recipe.count(sum(parameter.numel() for parameter in self.base.parameters().values()))
        self.work(kind, folder, {
            **self.settings[kind], **about, "model": str(given), "head": list(head_parameters(model)), "k": k,
            "seed": recipe.seed, "evaluate_every": recipe.evaluate_every,
        })  # fmt: skip

    def work(self, what: str, folder: Path, job: dict[str, Any]) -> dict[str, Any]:
        """Describe a job in its folder, let the environment do it, and return what it says about itself."""
        write_json(folder / JOB, {**job, "device": self.run.devices[0]})
        found = environment.work(self.python, what, folder)
        print(f"{folder.name}: {found['seconds']:,.0f} s, {found['peak_gb']:.1f} GB", flush=True)
        return found


def table(run: Run) -> str:
    """Return the scores of all languages, with intervals."""
    reference = run.setting.reference if run.setting.reference in run.languages else None
    targets = tuple(language for language in run.languages if language != reference)
    titles = {ROW: OTHER_PROGRAMS[ROW].title}
    about = ReportSettings(titles, targets, reference, run.setting.metric, parallel=run.setting.parallel)
    return markdown(summarise(read_predictions(run), about, {}))


if __name__ == "__main__":
    main()
