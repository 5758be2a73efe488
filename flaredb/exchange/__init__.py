"""Files in and out: reading scans and labels of any format, writing NIfTI, finding files, comparing geometry.

SimpleITK and nibabel are used in this room only; their exceptions leave it as `InvalidDataError` with findings.
"""
