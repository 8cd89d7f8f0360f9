"""Labelling sentences, in the section Test: the classifier's answer is hidden until a person has chosen a label."""
