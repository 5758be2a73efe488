"""Scans labelled with a model, in a workspace and on plain files."""
