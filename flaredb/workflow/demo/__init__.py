"""The whole loop on a made-up cohort, and files to try the commands on."""
