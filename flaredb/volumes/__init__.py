"""Voxels, stored once: immutable Zarr volumes named by their content."""
