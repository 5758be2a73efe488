"""How well a segmentation agrees with a reference: DSC, NSD and the FLARE protocols."""
