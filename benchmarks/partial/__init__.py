"""The parts of `partial_labels.py`: what was frozen beforehand, the cohort, the methods, and the figures."""
