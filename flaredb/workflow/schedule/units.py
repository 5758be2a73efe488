"""The schedule as cron, systemd and Slurm take it: text for people to put in its place."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from flaredb.errors import InvalidDataError

MINUTES = 5  # between two looks of cron and Slurm

_SYSTEMD = """\
# ~/.config/systemd/user/flaredb.service (or /etc/systemd/system/, with User=)
#   systemctl --user enable --now flaredb; loginctl enable-linger
[Unit]
Description=flaredb's schedule in {root}
After=network.target

[Service]
ExecStart={program} schedule run
Restart=on-failure
RestartSec=60
# 75: stopped in the middle of a command, which goes on at the next start
SuccessExitStatus=75
# a training ends after the step in hand
TimeoutStopSec=300
KillMode=mixed

[Install]
WantedBy=default.target
"""

_CRON = """\
# crontab -e: a look every {minutes} minutes. 4, another one is at it, and 75, it goes on next time, make no mail
*/{minutes} * * * * said=$({program} round advance --due 2>&1); case $? in 0|4|75) ;; *) echo "$said" ;; esac
"""

_SLURM = """\
#!/bin/bash
# sbatch {script}
# A look at the schedule, at most every {minutes} minutes; it queues itself again. To end it: scancel --name=flaredb
#SBATCH --job-name=flaredb
#SBATCH --chdir={root}
#SBATCH --output=flaredb-%j.log
#SBATCH --time=24:00:00
#SBATCH --no-requeue
#SBATCH --signal=B:TERM@300
#SBATCH --begin=now+{minutes}minutes
sbatch --dependency=afterany:"$SLURM_JOB_ID" {script}
exec {program} round advance --due
"""


def schedule_print(root: Path, form: str) -> str:
    """What runs the schedule of a workspace: `systemd`, `cron` or `slurm`. InvalidDataError for an awkward path."""
    if any(character in str(root) for character in ("\n\r%" if form != "slurm" else "\n\r% \"'")):
        raise InvalidDataError(f"the path {root} holds a character that {form} takes for its own; move the workspace")
    program = shlex.join([sys.executable, "-m", "flaredb", "-w", str(root)])
    if form == "systemd":
        return _SYSTEMD.format(root=root, program=program.replace("$", "$$"))
    if form == "cron":
        return _CRON.format(program=program, minutes=MINUTES)
    return _SLURM.format(root=root, program=program, minutes=MINUTES, script=shlex.quote(str(root / "flaredb.sbatch")))
