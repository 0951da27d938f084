#!/bin/sh
# Trains a new model on FOLDER/normal, and puts it in place, in one step, only if it takes rows that
# are known to be normal for normal.
#
#   retrain.sh [FOLDER]            FOLDER holds normal/, known-normal.csv and model.aed; default: /data
set -e
data=${1:-/data}

aedetect train "$data/normal" -o "$data/candidate.aed" --quiet
aedetect score "$data/known-normal.csv" -m "$data/candidate.aed" --fail-over 0.05 --quiet
mv "$data/candidate.aed" "$data/model.aed"
