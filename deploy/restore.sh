#!/bin/sh
# Brings a backup back into an EMPTY database, and makes its history another one, so that every cursor from before is answered
# CURSOR_EXPIRED: what a client has seen after the backup never happened here, and a number may come again for another event.
# Stop API and workers first, and start them afterwards: what they write in between would be mixed with the backup.
#   DATABASE_URL=postgres://… deploy/restore.sh photos-2026-11-24.dump
set -eu
pg_restore --exit-on-error --single-transaction --no-owner --no-privileges --dbname="$DATABASE_URL" "$1"
psql --no-psqlrc --set=ON_ERROR_STOP=1 --quiet --dbname="$DATABASE_URL" --command="update histories set id = gen_random_uuid()"
echo "Restored. Run the migrations of the version that is to run, start it, and look at /health/ready."
