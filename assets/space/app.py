"""A page for one classifier: enter a text, see the probability of each label."""

import json
from pathlib import Path

import gradio as gr
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

HERE = Path(__file__).resolve().parent
about = json.loads((HERE / "about.json").read_text(encoding="utf-8"))
tokenizer = AutoTokenizer.from_pretrained(HERE / "model")
model = AutoModelForSequenceClassification.from_pretrained(HERE / "model", dtype=torch.float32).eval()


@torch.inference_mode()
def classify(*texts: str) -> dict[str, float]:
    """Return the probability of each label."""
    if not all(text and text.strip() for text in texts):
        raise gr.Error("Enter a text first.")
    encoded = tokenizer(*([text] for text in texts), truncation=True, return_tensors="pt")
    probabilities = model(**encoded).logits.softmax(-1)[0].tolist()
    return {model.config.id2label[place]: value for place, value in enumerate(probabilities)}


page = gr.Interface(
    classify,
    [gr.Textbox(label=label, lines=3, max_length=20_000) for label in about["inputs"]],
    gr.Label(label="Probability of each label"),
    title=about["title"],
    description="Made with DeFT-X studio. Test it on labelled text before you rely on it.",
    flagging_mode="never",
    api_name="classify",
    analytics_enabled=False,
)

if __name__ == "__main__":
    page.launch(run_history=False)
