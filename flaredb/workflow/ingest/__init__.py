"""Scans and labels into the workspace, from files, manifests and tables."""
