"""Files of other programs in and out: NIfTI, MHA, NRRD and DICOM; geometry and voxels kept exactly."""
