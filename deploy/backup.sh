#!/bin/sh
# One file with all that PostgreSQL holds. Redis need not be kept: its hints are made again from the rows.
#   DATABASE_URL=postgres://… deploy/backup.sh photos-2026-11-24.dump
# The bytes of photos are another copy (of the folder or the bucket of STORAGE_URL), made AFTER this one: a file without a row
# is cleared away in time, a row without its file is not mended.
set -eu
umask 077
pg_dump --format=custom --no-owner --no-privileges --dbname="$DATABASE_URL" --file="$1.part"
mv "$1.part" "$1"
