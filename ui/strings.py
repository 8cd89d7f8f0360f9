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
UPLOAD = "Upload a text, in one file or several"
FORMATS = (
    ".txt, .csv, .tsv, .jsonl or .parquet, each also .gz. Files that are dropped together become one text; "
    "drop them one after the other to keep them apart."
)
CHOOSE_CORPUS = "Or choose one that is here already"
NO_CORPUS_YET = (
    "No text chosen yet. Upload a file, or choose the sample, and this place shows what the text is: "
    "how much there is, how often it repeats, which scripts it uses, and whether the base model can read it."
)
SAMPLE = "Sample: Indonesian, 60 sentences"
NEXT_TRAIN = "Next: train a language vector"
TRY_FIRST = "Or classify a sentence first"
NOT_READ = "This file cannot be used."
READY = "Ready to train on: nothing speaks against it."
READY_WITH_NOTES = "Can be trained on; please read the notes first."
NOT_ADVISED = "Not advised with this base model: it cannot read a part of this text."
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
    "In both files": "Rows to measure on whose text is also trained on: they make the score too good.",
    "Two labels for one text": "Texts that stand in the training file with more than one label.",
}
NOTE = "Note"
RESTS_ON = "What this rests on"
FOUND, ADVISED, JUDGED = "Found", "Advised", "Judged"
FINE, LOOK = "fine", "please look"
AMOUNT, LANGUAGES_FOUND = "Amount of text", "Language"
SO_MANY_LINES, SO_MANY_OR_MORE = "{count} lines", "{count} lines or more"
AT_MOST, ONE_SCRIPT, ONE_LANGUAGE = "{share} at most", "one", "one"
LANGUAGE_SHARE = "{name} in {share} of the lines"
LANGUAGE_UNKNOWN = "none of the {count} that are known here, in {share} of the lines"
LIKELY_LANGUAGES = "Likely languages of the lines (a guess from their letters; {count} languages are known here)"
UNKNOWN_LANGUAGE, OTHER_LANGUAGES = "Unknown", "Others together"
SECOND_LANGUAGE = (
    "{share} of the lines look like {name}. If that is not expected, take them out of the file: "
    "a vector learns whatever it is given."
)
LENGTHS_TITLE, LENGTHS_TABLE = "Length of the lines", "The same as a table"
LENGTH_AXIS, LINES_AXIS = "words a line", "lines"
UNUSED_TITLE = "Lines that no training will see"
UNUSED_REASONS = {
    "empty": "Empty lines: {count}. There is nothing in them to learn from.",
    "without letters": "Lines without a letter or digit, such as rows of signs: {count}.",
}
UNUSED_PLACE = "{file}, line {line}"
NONE_UNUSED = "Every line is used."
CLEANED_FROM = "Cleaned from {name}: {choices}."
MADE_OF_FILES = "Made of {files}."

# Corpus: a column, the Hub
COLUMN = "Column with the text"
COLUMN_ASKED = "{name} has several columns. Choose the one that holds the text."
USE_COLUMN = "Use this column"
HUB = "Fetch from the Hugging Face Hub"
HUB_ID, HUB_ID_HINT = "Data set", "Its id, such as owner/name. What is fetched is read, never run."
HUB_LIST, HUB_FILE, HUB_FETCH = "List its files", "File", "Fetch this file"
HUB_SIZE = "{path} ({size} MB)"
HUB_FOUND = "Files of this data set that can be read here: {count}. Choose one."
HUB_KEPT = "Kept as {name}. Lines: {count}."
HUB_CUT = "Kept as {name}: its first {count} lines, which is as many as are taken from one file."

# Corpus: cleaning, languages
CLEAN = "Clean this text"
CLEAN_INTRO = (
    "Tick what should be done; what it does to this text is shown at once. "
    "The result is kept as a new text, and the original stays as it is."
)
CLEAN_CHOICES = "Ways of cleaning, in the order in which they apply"
EFFECT_NONE = "{title}. Nothing to do."
EFFECT_DROPS = "{title}. Lines gone: {dropped}."
EFFECT_CHANGES = "{title}. Lines changed: {changed}."
EFFECT_BOTH = "{title}. Lines gone: {dropped}, changed: {changed}."
CLEAN_RESULT = "Lines after cleaning: {left}. Now: {lines}."
BEFORE_CLEANING, AFTER_CLEANING, GOES, TOO_LONG = "Before", "After", "goes", "… ({count} characters)"
CLEAN_APPLY = "Make a cleaned copy"
CLEANED = "Kept as {name} and chosen. To undo, choose {original} again."
CLEAN_NEEDS_TEXT = "Choose a text first."
NAME_LANGUAGE = "Say which language this is"
NAME_LANGUAGE_INTRO = (
    "From then on, texts in this language are recognised here. What is kept are counts of letter groups, not the text."
)
KNOWN_CODE_HINT = "For example min."
NAME_LANGUAGE_APPLY = "Remember this language"
LANGUAGE_REMEMBERED = "{name} ({code}) is now one of {count} languages that are known here."

# Labelled files
LABELLED = "Labelled files"
LABELLED_INTRO = (
    "A task vector is learned from texts with labels, in any language that has them. "
    "Bring the file for training and, if there is one, the file to measure on."
)
TRAIN_FILE, VALID_FILE = "Training file", "File to measure on (optional)"
LABELLED_FORMATS = ".csv, .tsv, .jsonl or .parquet, with text and label, or premise, hypothesis and label"
CHOOSE_TABLE = "Labelled file"
NO_TABLE = "None"
NO_TABLE_YET = (
    "No labelled file chosen yet. Upload one, and this place shows which labels it has, how many of each, "
    "and whether the same text stands in both files."
)
COLUMNS_ASKED = "The columns of {name} are called otherwise than expected. Say which is which:"
TABLE_KIND = "What is labelled"
TABLE_KINDS = {"single": "One text", "pair": "A pair: premise and hypothesis"}
TABLE_COLUMNS = {"text": "Text", "premise": "Premise", "hypothesis": "Hypothesis", "label": "Label"}
USE_COLUMNS = "Use these columns"
NEEDS_COLUMNS = "Please choose a column for each."
COLUMNS_TWICE = "Each needs a column of its own."
FIRST_ROWS = "First rows of the file"
TABLE_READY = "Ready to learn from: nothing speaks against it."
TABLE_READY_WITH_NOTES = "Can be learned from; please read the notes first."
TABLE_REFUSED = "This cannot be learned from."
ROWS, LABELS = "Rows", "Labels"
ROWS_MEASURED, SHARED_ROWS, CONFLICTS = "Rows to measure on", "In both files", "Two labels for one text"
LABELS_OF = "Labels in {name}"
COLUMNS_OF = "Columns: {columns}."
LABEL_COUNT = "{label}: {count}"
REPEATED_ROWS = "Repeated rows"
COLUMN_IS = "{what} is “{column}”"
NOTHING_TO_CLEAN = "Choose at least one way of cleaning first."

# Train
TRAIN_INTRO = (
    "A language vector is a small set of changes to the base model that makes it at home in your language. "
    "Training runs in a process of its own: the page can be closed."
)
KIND = "What to train"
KINDS = {
    "language": "A language vector, from plain text",
    "task": "A task vector, from labelled text in a bigger, related language",
}
TRAIN_ON = "Text"
TRAIN_ON_HINT = "Texts are uploaded and checked under Corpus."
LANGUAGE_NAME = "Name of the language"
LANGUAGE_NAME_HINT = "As it should stand in lists, for example Minangkabau."
LANGUAGE_CODE = "Code"
LANGUAGE_CODE_HINT = "For example min. May be empty."
TASK_NAME = "Name of the task"
TASK_NAME_HINT = "As it should stand in lists, for example Sentiment."
FIELDS = {
    "kind": "What to train", "corpus": "Text", "train": "Labelled text", "valid": "Validation file",
    "source": "Start from a language vector", "name": "Name", "code": "Code", "base": "Base model",
    "preset": "How long", "share": "Share of the variance", "uniform": "Rank r", "disk": "Disk", "memory": "Memory",
    "settings": "Settings",
}  # fmt: skip
FIELD_HINTS = {
    "train": "A table with columns text and label, or premise, hypothesis and label.",
    "valid": "Judges the training; without one, some rows are held out for that.",
    "source": "Of the language of the labelled text; the vector then holds the task alone (source-language vector).",
}
UPLOAD_TABLE = "Upload"
HOLD_OUT_ROWS = "None: hold some rows out"
NO_SOURCE = "None: start from the base model"
BASE_HINT = "A bundled one, or type a folder or a Hub id. Vectors fit together only on the same base."
PAGE_BASE = "{base}, as in Compose and test"
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
    "random": "Select at random (a control: what is any vector of this size worth?)",
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
AS_PRESET = "{value} (preset)"
SETTINGS = {
    "method": "Method", "rank": "What counts as signal", "keep": "Remaining entries kept", "k": "Weights that change (k)",
    "ablate": "Leave a part out", "seed": "Seed", "learning_rate": "Learning rate", "batch_size": "Batch size",
    "accumulation": "Parts of a batch", "max_length": "Longest input, tokens", "epochs": "Passes (epochs)",
    "min_steps": "Steps per phase, at least", "max_steps": "Steps per phase, at most",
    "dense_epochs": "Passes in the dense phase", "evaluate_every": "Steps between evaluations", "l1": "L1 penalty",
    "precision": "Precision", "clip": "Gradient bound", "values": "Stored as", "hold_out": "Share held out",
    "mask_share": "Share hidden", "metric": "Best by", "group_by_length": "Group by length",
}  # fmt: skip
START = "Start training"
NEEDS_NAME = "Please give the language a name, so that you find its vector again."
NEEDS_CORPUS = "Please choose a text under Corpus first."
NEEDS_TASK_NAME = "Please give the task a name, so that you find its vector again."
NEEDS_TABLE = "Please choose or upload a file with labelled text first."
NEEDS_WHOLE = "{text!r} must be a whole number."
NO_NUMBER = "{text!r} is not a number."
STARTED = "{name} is in the queue. Its progress appears here."
REFUSED = "{field}:"
NOT_STARTED = "This cannot be started."
KEPT_FORM = "Nothing you entered is lost; change what is named and start again."

# What the training takes, before it starts
OUTLOOK = "What this training takes"
NOT_YET = "Once a text is chosen, this place shows how long the training takes and how much memory and disk it needs."
NOT_YET_TASK = (
    "Once labelled text is chosen, this place shows how long the training takes and how much memory and disk it needs."
)
TIME, MEMORY, DISK, VECTOR_SIZE = "Time", "Memory", "Disk while it runs", "Size of the vector"
STEPS, CHANGED_WEIGHTS = "Steps", "Weights that change"
TIME_RANGE, ABOUT = "{low} to {high}", "about {value}"
STEPS_OF = "{dense:,} + {sparse:,}"
ENTRIES_OF = "{entries:,} of {all:,}"
RESTS_ON_ONE = "The time rests on one earlier training with this base on this machine."
RESTS_ON_MANY = "The time rests on {count} earlier trainings with this base on this machine."
RESTS_ON_TRIAL = (
    "The time rests on a short trial of this machine's speed; once a training with this base has finished here, "
    "it becomes more exact. Other trainings in the queue come first."
)
SECONDS, MINUTES, HOURS, DAYS = "{count} s", "{count} min", "{count} h", "{count} days"
NOTHING_REFUSED = "Nothing stands in the way."
WOULD_BE_REFUSED = "This would be refused."
COPY = "The same as a command, as Python, as a file"
COPY_HINT = "Each does what the button does. Paths are those of this machine; the file names texts and vectors instead."
COMMAND, PYTHON, SETTINGS_FILE = "Command", "Python", "Settings"
OPEN_SETTINGS = "Open a settings file"
SETTINGS_OPENED = "The settings of {name} are in the form."
SETTINGS_PARTLY = "The settings are in the form, except for what cannot be used:"
NOT_OPENED = "This settings file cannot be used; the form is as it was."
NOT_HERE = "{field}: {name} is not on this page; what was chosen before stays."

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
IN_LESS, IN_MINUTES, IN_HOURS = "less than a minute", "about {minutes} min", "about {hours} h {minutes:02d} min"
LOSS_TITLE = "Loss while training"
BASE_ALONE = "base model alone"
SCORE_AXIS = {"f1": "macro-F1", "accuracy": "accuracy", "": "validation score"}
NUMBERS = "The numbers of the plot"
NO_NUMBERS = "They appear with the first measured steps."
PHASE, STEP = "Phase", "Step"
LOG, NO_LOG = "Log", "The process has not written anything yet."
DISK_SPACE = "Disk space"
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
STATE, NAME, KIND_COLUMN, STARTED_AT, TOOK, SCORE, SIZE = "State", "Name", "Kind", "Asked for", "Took", "Score", "Disk"
KIND_NAMES = {"language": "Language", "task": "Task"}
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
