#!/bin/sh
# Writes one file with the whole database. Redis needs no backup: its hints are rebuilt from rows.
#   DATABASE_URL=postgres://… deploy/backup.sh photos-2026-11-24.dump
# Copy the bytes of photos (the folder or the bucket of STORAGE_URL) AFTER this: a file without a row is removed later, but a
# row without its file cannot be repaired.
set -eu
umask 077
# The schema readonly belongs partly to another role; the next migration makes it again.
pg_dump --format=custom --no-owner --no-privileges --exclude-schema=readonly --dbname="$DATABASE_URL" --file="$1.part"
mv "$1.part" "$1"
