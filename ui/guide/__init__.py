"""The guided path: five steps from a language to a judged sentence, over the same workspace as the other sections.

It may import every other package of the page; only the page itself imports it.
"""
