#!/bin/sh
# Restores a backup into an EMPTY database and renews its history id, so that every older cursor answers CURSOR_EXPIRED.
# Events that clients saw after the backup do not exist here, and their numbers will be used again for other events.
# Stop API and workers first and start them afterwards: otherwise their writes would mix with the backup.
#   DATABASE_URL=postgres://… STORAGE_URL=… deploy/restore.sh --adopt-storage photos.dump
# --adopt-storage assigns the files of STORAGE_URL (of a bucket with its AWS_* variables) to this database, so that workers remove
# files without a row. Leave it out for a copy that is only read: the files then still belong to the original database.
set -eu
adopt=no
if [ "$1" = --adopt-storage ]; then
  adopt=yes
  shift
fi
pg_restore --exit-on-error --single-transaction --no-owner --no-privileges --dbname="$DATABASE_URL" "$1"
psql --no-psqlrc --set=ON_ERROR_STOP=1 --quiet --dbname="$DATABASE_URL" --command="update histories set id = gen_random_uuid()"
if [ "$adopt" = yes ]; then
  node "$(dirname "$0")/../dist/bin/adopt-storage.js"
else
  echo "The files still belong to the original database: workers remove none of them until you run node dist/bin/adopt-storage.js."
fi
echo "Restored. Run the migrations of the version to start, start it, and check /health/ready."
