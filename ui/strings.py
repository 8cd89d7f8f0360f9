"""Every sentence and label of the page, in one place."""

TITLE = "DeFT-X studio"
TAGLINE = (
    "Teach a classifier a language that has little text and no labels: "
    "bring plain text, train a language vector, combine it with a task, and classify sentences."
)
TABS = {"corpus": "1  Corpus", "train": "2  Train", "test": "3  Compose and test", "history": "History"}

# Status strip
MACHINE, BASE, NOW, QUEUE = "Machine", "Base model", "Now", "Queue"
IDLE = "Nothing is training"
NOBODY_WAITS = "Nobody waits"

# Corpus
CORPUS_INTRO = (
    "Start with text in your language, one sentence or paragraph a line. It is read and checked at once; "
    "nothing leaves this machine. No file at hand? The built-in sample shows how it goes."
)
UPLOAD = "Upload a text"
FORMATS = ".txt, .csv, .tsv, .jsonl or .parquet, each also .gz"
CHOOSE_CORPUS = "Or choose one that is here already"
NO_CORPUS_YET = (
    "No text chosen yet. Upload a file, or choose the sample, and this place shows what the text is: "
    "how much there is, how often it repeats, which scripts it uses, and whether the base model can read it."
)
SAMPLE = "Sample: Indonesian, 60 sentences"
NEXT_TRAIN = "Next: train a language vector"
TRY_FIRST = "Or classify a sentence first"
NOT_READ = "This file cannot be used."
READY = "Ready to train on."
READY_WITH_NOTES = "Can be trained on; please read the notes first."
LINES, WORDS, TOKENS = "Lines", "Words", "Tokens"
TOKENS_PER_WORD, UNKNOWN, REPEATED, LEFT_OUT = "Tokens per word", "Unknown tokens", "Repeated lines", "Lines left out"
SCRIPTS = "Scripts"
HINTS = {
    LINES: "Lines that hold at least one letter or digit.",
    TOKENS: "Pieces that the base model's tokenizer cuts the text into.",
    TOKENS_PER_WORD: "Above about 3 the base model sees this language in small fragments.",
    UNKNOWN: "Share of tokens that the base model cannot read; above 2 % is a problem.",
    REPEATED: "Lines equal to an earlier one, case and white space aside.",
    LEFT_OUT: "Empty lines, and lines without a letter or digit.",
}
NOTE = "Note"

# Train
TRAIN_INTRO = (
    "A language vector is a small set of changes to the base model that makes it at home in your language. "
    "Training runs in a process of its own: the page can be closed."
)
TRAIN_ON = "Text"
NO_CORPUS_CHOSEN = "No text chosen yet: choose one under Corpus."
LANGUAGE_NAME = "Name of the language"
LANGUAGE_NAME_HINT = "As it should stand in lists, for example Minangkabau."
LANGUAGE_CODE = "Code"
LANGUAGE_CODE_HINT = "For example min. May be empty."
PRESET = "How long"
PRESETS = {
    "quick": "Quick: minutes on a laptop",
    "standard": "Standard: under an hour on a GPU",
    "paper": "Paper: the published settings, many hours on a GPU",
}
METHOD = "Method"
METHODS = {
    "deft-x": "Denoise, then select (DeFT-X)",
    "lt-sft": "Select as it is (LT-SFT, the baseline)",
}
RANK = "What counts as signal"
RANK_HINT = "Rank strategy: how many singular values of each weight matrix are kept when the change is denoised."
RANKS = {
    "variance": "A share of the variance",
    "uniform": "The same rank everywhere (uniform)",
    "optimal": "Optimal threshold for noise (optimal)",
    "mp": "Above pure noise (Marchenko-Pastur)",
    "none": "Everything, no denoising (none)",
}
SHARE = "Share of the variance"
SHARE_HINT = "The paper uses 0.9."
UNIFORM_RANK = "Rank r"
UNIFORM_RANK_HINT = "The paper tries 100, 200 and 300 of 768."
ADVANCED = "Advanced settings"
ADVANCED_HINT = "An empty field takes the value shown in grey, which is the preset's."
LEARNING_RATE, MAX_STEPS, ENTRIES, SEED = "Learning rate", "Steps per phase, at most", "Share of weights, %", "Seed"
START = "Start training"
NEEDS_NAME = "Please give the language a name, so that you find its vector again."
NEEDS_CORPUS = "Please choose a text under Corpus first."
NEEDS_WHOLE = "must be a whole number."
STARTED = "is in the queue. Its progress appears here."

# Watch
JOBS = "Trainings"
NO_JOBS = "No training yet. The first one you start appears here and stays, also when the page is closed."
PHASES = {
    "tokenise": ("Read", "Tokenise the text and hold a part of it out"),
    "dense": ("Dense", "Train all weights, to see where change is wanted"),
    "denoise": ("Denoise", "Separate signal from noise in every weight matrix"),
    "select": ("Select", "Choose the few weights that matter"),
    "sparse": ("Sparse", "Train only the chosen weights, from the start"),
    "evaluate": ("Evaluate", "Predict hidden words of the held-out text"),
}
DONE, ACTIVE, TO_COME, SKIPPED, HERE = "done", "now", "to come", "skipped", "stopped here"
STATES = {
    "waiting": "Waiting",
    "running": "Running",
    "stopping": "Stopping",
    "finished": "Finished",
    "failed": "Failed",
    "stopped": "Stopped",
    "interrupted": "Interrupted",
}
STARTING = "Starting: the base model is being loaded."
STOP, RESUME, DISCARD = "Stop and keep", "Resume", "Discard"
CLONE = "Start another like this"
UNDO = "Undo"
UNDO_NOTE = "“{name}” was discarded. It stays in the trash until {day}."
STOPPED_TOO = "It is stopped at a checkpoint, and can be resumed when it is back."
USE = "Use it: compose and test"
FIRST, EARLIER, LATER = "Start next", "Earlier", "Later"
TURN = "No. {place} in the queue, starts in {duration}"
TURN_NEXT = "No. {place} in the queue, starts at once"
TURN_UNKNOWN = "No. {place} in the queue, start not known yet"
TURN_HINT = "The estimate rests on trainings like it that were finished here, and on what runs now."
MINUTE, MINUTES, HOURS = "less than a minute", "about {minutes} min", "about {hours} h {minutes:02d} min"
LOSS_TITLE = "Loss while training"
BASE_ALONE = "base model alone"
SCORE_AXIS = {"f1": "macro-F1", "accuracy": "accuracy", "": "validation score"}
NUMBERS = "The numbers of the plot"
NO_NUMBERS = "They appear with the first measured steps."
PHASE, STEP = "Phase", "Step"
LOG, NO_LOG = "Log", "The process has not written anything yet."
DISK = "Disk space"
DISK_VECTOR, DISK_TRAINING, DISK_RECORD, DISK_TOTAL = "Vector", "Checkpoints and δ", "Log and events", "Together"
FREE, FREE_CONFIRM, FREE_KEEP = "Free checkpoints", "Yes, free them", "Keep them"
FREE_LOSES_DELTA = (
    "{size} can be freed; the vector stays. What goes is the change after the dense phase (δ): "
    "a later training with other ranks would do that phase again."
)
FREE_LOSES_STEPS = (
    "{size} can be freed, but this training has no vector yet: without its checkpoints it begins anew when it is "
    "resumed. What would be lost: {reached}."
)
PHASE_REACHED = "{phase} phase up to step {step:,}"
FREE_LOSES_START = "{size} can be freed. No training step has been kept yet; when resumed, it begins anew."
FREE_NOTHING = "Nothing here can be freed."
LOSS_AXIS, STEPS_AXIS = "loss (nats)", "optimiser steps"
TRAIN_LOSS, HELD_OUT_LOSS = "training text", "held-out text"
NO_LOSS = "The loss curve appears with the first measured steps."
BEFORE, AFTER, CHANGE = "Base model alone", "With the vector", "Change"
EVIDENCE = "Masked-LM loss on held-out text, in nats: lower means the language is predicted better."
BETTER = "The text that was held out is predicted better with the vector."
NOT_BETTER = "The held-out text is not predicted better with the vector. More text or longer training may help."
MESSAGES = "What the training said"
NO_MESSAGES = "Nothing yet."
WARNING = "Warning"
SETTINGS_OF = {
    "corpus": "Text", "preset": "Preset", "method": "Method", "rank": "Rank strategy", "base": "Base model",
}  # fmt: skip

# History
HISTORY_INTRO = (
    "Every training so far. Tick two or more to lay their curves over each other and to see in which settings they "
    "differ; choose a name to open it."
)
SEARCH, SEARCH_HINT = "Search", "Name, language, text, base model, preset or method."
ANY = "Any"
STATE, NAME, KIND, STARTED_AT, TOOK, SCORE, SIZE = "State", "Name", "Kind", "Asked for", "Took", "Score", "Disk"
KINDS = {"language": "Language", "task": "Task"}
METHOD_NAMES = {"deft-x": "DeFT-X", "lt-sft": "LT-SFT", "random": "Random"}
COMPARE, COMPARE_ONE = "Compare", "Compare {name}"
NONE_FOUND = "No training matches. Clear the search to see all of them."
COMPARISON = "Comparison"
CHOOSE_TWO = "Tick two or more trainings above: their curves, scores and differing settings appear here."
HELD_OUT_AXIS = "held-out loss (nats)"
PHASE_TITLE = "{phase} phase"
MEASURED_OTHERWISE = "Not in the plot, because it is measured in other units than the first one: {names}."
SCORE_NAMES = {"masked_lm_loss": "Masked-LM loss with the vector, nats", "f1": "Macro-F1", "accuracy": "Accuracy"}
SCORES_CAPTION = "Scores on held-out data of those that are finished"
NO_SCORES = "None of them is finished, so there are no scores yet."
SETTING, DIFFERENCES_CAPTION = "Setting", "Settings that differ"
NO_DIFFERENCE = "They have the same settings."
TRASH, EMPTY_TRASH, RESTORE = "Trash", "Empty the trash", "Bring back"
TRASH_EMPTY = "Nothing was discarded. What is discarded stays here for seven days."
DISCARDED_AT, REMOVED_AT = "Discarded", "Removed for good"
CONFIRM, KEEP = "Yes, remove for good", "Keep it"

# Compose and test
TEST_INTRO = (
    "A task vector knows what to decide, a language vector knows the language. "
    "Both are added to the base model; the sentence is classified on this machine."
)
TASK, LANGUAGE = "Task vector", "Language vector"
TASK_HINT, LANGUAGE_HINT = "What to decide.", "In which language the sentence is."
NO_LANGUAGE = "None: the base model as it is"
NO_TASK = (
    "There is no task vector yet, so nothing can be decided about a sentence. "
    "The command python -m deftx task learns one from labelled text."
)
SENTENCE = "Sentence"
EXAMPLE = "Pelayannya ramah dan makanannya enak sekali."
CLASSIFY = "Classify"
NOTHING_CLASSIFIED = "The probabilities of each label appear here."
NO_SENTENCE = "Please type a sentence."
BUNDLED, TRAINED = "bundled", "trained here"
NOT_CLASSIFIED = "This cannot be classified."
PAIR_TASK = "This task vector decides on pairs of sentences; the page classifies single ones so far."
