#!/bin/sh
# Brings a backup back into an EMPTY database, and makes its history another one, so that every cursor from before is answered
# CURSOR_EXPIRED: what a client has seen after the backup never happened here, and a number may come again for another event.
# Stop API and workers first, and start them afterwards: what they write in between would be mixed with the backup.
#   DATABASE_URL=postgres://… STORAGE_URL=… deploy/restore.sh --adopt-storage photos.dump
# --adopt-storage: this database takes the files of STORAGE_URL over (of a bucket with its AWS_* variables), so that workers clear
# away what no row names. Leave it out for a copy that is only looked at: the files then stay those of the database of the backup.
set -eu
adopt=no
if [ "$1" = --adopt-storage ]; then
  adopt=yes
  shift
fi
pg_restore --exit-on-error --single-transaction --no-owner --no-privileges --dbname="$DATABASE_URL" "$1"
psql --no-psqlrc --set=ON_ERROR_STOP=1 --quiet --dbname="$DATABASE_URL" --command="update histories set id = gen_random_uuid()"
if [ "$adopt" = yes ]; then
  node "$(dirname "$0")/../dist/src/bin/adopt-storage.js"
else
  echo "The files still belong to the database of the backup: nothing in them is cleared away until node dist/src/bin/adopt-storage.js runs."
fi
echo "Restored. Run the migrations of the version that is to run, start it, and look at /health/ready."
