"""What a task answers: it classifies a whole text, tags the words of a text, or answers a question from a text.

The name is ``unit`` in the field ``corpus`` of vector.json; a task vector without it classifies texts.
"""

TEXT, WORD, QUESTION = "text", "word", "question"
UNITS = (TEXT, WORD, QUESTION)
