#!/bin/sh
# Scores new dumps, then pings a healthcheck service, which raises the alarm when no ping comes.
#
#   healthcheck.sh [FOLDER]        FOLDER holds dumps/, scored/ and model.aed; default: /data
#   PING_URL=https://… healthcheck.sh
data=${1:-/data}
url=${PING_URL:-https://hc.example.org/ping/aedetect}

aedetect score "$data/dumps" -m "$data/model.aed" -o "$data/scored/" \
    --new-only --state "$data/scored.db" --min-age 60s --fail-over 0.02
code=$?

# 10 (many rows flagged), 11 (the data drifted) and 12 (sick dumps) are findings, not failures of the run.
case $code in
    0 | 10 | 11 | 12) curl -fsS -m 10 --retry 3 "$url" > /dev/null ;;
esac
exit "$code"
