"""Scans, labels and tables out of the workspace, as other programs take them."""
