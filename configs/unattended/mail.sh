#!/bin/sh
# Scores new dumps, and mails the summary when there is something to see to: a failure, or more rows
# flagged than --fail-over allows.
#
#   mail.sh [FOLDER]               FOLDER holds dumps/, scored/ and model.aed; default: /data
#   MAIL_TO=you@example.org mail.sh
data=${1:-/data}
to=${MAIL_TO:-ops@example.org}

aedetect score "$data/dumps" -m "$data/model.aed" -o "$data/scored/" \
    --new-only --state "$data/scored.db" --min-age 60s --fail-over 0.02 --summary "$data/summary.json" ||
    mail -s "aedetect ended with $?" "$to" < "$data/summary.json"
