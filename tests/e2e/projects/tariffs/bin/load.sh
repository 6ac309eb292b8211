#!/bin/sh
# Turns the table into JSON lines and hands them to MongoDB.
set -eu
cd "$(dirname "$0")/.."
awk -v run="$RUN_ID" 'NR > 1 { printf "{\"_id\": \"%s\", \"cents\": %d, \"run_id\": \"%s\"}\n", $1, $2, run }' \
    tariffs.txt | python bin/upsert.py tariffs prices
