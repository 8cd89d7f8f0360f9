"""A page for one classifier: the probability of each label, the words that mattered, and corrections as a CSV file."""

import csv
import json
import os
import tempfile
from pathlib import Path

if os.environ.get("SPACES_ZERO_GPU", "").casefold() == "true":
    import spaces  # before torch and Gradio, whose functions it replaces; ZeroGPU installs it
else:
    spaces = None

import gradio as gr
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

HERE = Path(__file__).resolve().parent
LONGEST = 20_000  # characters of a text
AT_A_TIME = 32  # texts that go through the model together
CALL_FROM = 100  # texts that are worth a call to the GPU of ZeroGPU; a sentence never is
MARKED = 0.05  # fall of the probability above which a word is marked
about = json.loads((HERE / "about.json").read_text(encoding="utf-8"))
say = gr.I18n(**json.loads((HERE / "texts.json").read_text(encoding="utf-8")))
device = "cuda" if torch.cuda.is_available() and not spaces else "cpu"  # outside of calls, ZeroGPU only emulates CUDA
tokenizer = AutoTokenizer.from_pretrained(HERE / "model")
model = AutoModelForSequenceClassification.from_pretrained(HERE / "model", dtype=torch.float32).eval().to(device)
labels = [model.config.id2label[place] for place in range(model.config.num_labels)]


@torch.inference_mode()
def probabilities(rows: list[tuple[str, ...]]) -> list[list[float]]:
    """Return the probability of each label for each text."""
    found = []
    for start in range(0, len(rows), AT_A_TIME):
        columns = map(list, zip(*rows[start : start + AT_A_TIME], strict=True))
        encoded = tokenizer(*columns, truncation=True, padding=True, return_tensors="pt").to(model.device)
        found += model(**encoded).logits.softmax(-1).tolist()
    return found


def in_a_call(rows: list[tuple[str, ...]]) -> list[list[float]]:
    """Return the probabilities with the GPU that this process has until the call ends."""
    torch.set_num_threads(1)  # a forked process lacks the threads of its parent, for which torch would wait
    model.to("cuda" if torch.cuda.is_available() else "cpu")
    return probabilities(rows)


call = spaces.GPU(in_a_call, duration=20) if spaces else None


def many(rows: list[tuple[str, ...]]) -> list[list[float]]:
    """Return the probabilities, with a GPU if one is lent for them; without minutes left, the CPU computes them."""
    if call and len(rows) >= CALL_FROM:
        try:
            return call(rows)
        except Exception as error:  # no minutes left, no GPU free, or a lost connection to the platform
            gr.Warning(f"{getattr(error, 'message', type(error).__name__)} The CPU computes this instead.")
    return probabilities(rows)


def classify(*texts: str) -> dict[str, float]:
    """Return the probability of each label."""
    if not all(text and text.strip() for text in texts):
        raise gr.Error("Enter a text first.")
    return dict(zip(labels, probabilities([texts])[0], strict=True))


def words(*texts: str) -> list[tuple[str, float | None]]:
    """Return each word with a weight from −1 to 1: how much the answer loses without it; None if it is not read."""
    parts = [text.split() for text in texts]
    places = [(part, word) for part, found in enumerate(parts) for word in range(len(found))]
    if len(places) < 2:
        return []
    most = tokenizer.model_max_length  # a word has at least one token
    whole, *others = many([texts, *(_without(parts, *place) for place in places if place[1] < most)])
    best = max(range(len(labels)), key=whole.__getitem__)
    falls = [whole[best] - others.pop(0)[best] if word < most else 0.0 for _, word in places]
    largest = max(MARKED, *map(abs, falls))
    return [
        (f"{parts[part][word]} ", fall / largest if abs(fall) >= MARKED else None)
        for (part, word), fall in zip(places, falls, strict=True)
    ]


def _without(parts: list[list[str]], part: int, word: int) -> tuple[str, ...]:
    return tuple(" ".join(found[:word] + found[word + 1 :] if n == part else found) for n, found in enumerate(parts))


def correct(rows: list[list[str]], right: str | None, *texts: str) -> tuple[list[list[str]], str | None]:
    """Add a correction to those of this visit, and return them with the file that holds them."""
    if not right or not all(text and text.strip() for text in texts):
        raise gr.Error("Enter a text and choose its label first.")
    rows = [*rows, [*texts, right]]
    with tempfile.NamedTemporaryFile(
        "w", suffix=".csv", prefix="corrections-", encoding="utf-8-sig", newline="", delete=False
    ) as file:
        csv.writer(file).writerows([[*about["inputs"], "label"], *([_plain(cell) for cell in row] for row in rows)])
    return rows, file.name


def _plain(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


with gr.Blocks(title=about["title"], analytics_enabled=False) as page:
    gr.Markdown(f"# {about['title']}")
    gr.Markdown(say("intro"))
    with gr.Row():
        with gr.Column():
            fields = [gr.Textbox(label=say(key), lines=3, max_length=LONGEST) for key in about["inputs"]]
            button = gr.Button(say("classify"), variant="primary")
            if about["examples"]:
                gr.Examples(about["examples"], fields, label=say("examples"), api_visibility="private")
        with gr.Column():
            answer = gr.Label(label=say("answer"))
            marked = gr.HighlightedText(label=say("words"), show_legend=False, show_inline_category=False)
    with gr.Accordion(say("correct"), open=False):
        right = gr.Radio(labels, label=say("right"))
        send, kept = gr.Button(say("add")), gr.State([])
        file = gr.File(label=say("file"), interactive=False)
    gr.Markdown(say("limits"))
    button.click(classify, fields, answer, api_name="classify").then(words, fields, marked, api_visibility="private")
    send.click(correct, [kept, right, *fields], [kept, file], api_visibility="private")

if __name__ == "__main__":
    theme = gr.themes.Base(primary_hue="teal", font=["system-ui", "sans-serif"], radius_size="sm")
    page.launch(run_history=False, theme=theme, i18n=say, footer_links=[])
