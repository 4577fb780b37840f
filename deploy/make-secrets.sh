#!/bin/sh
# Makes the secrets of docker-compose.yml, each in a file of deploy/secrets. Existing files stay as they are.
#   deploy/make-secrets.sh [folder]
set -eu
folder=${1:-$(dirname "$0")/secrets}
umask 077
mkdir -p "$folder/development"
# Compose mounts the files with their modes, and each container reads them as another user. The folder keeps other users out.
chmod 700 "$folder"
umask 022

random() { openssl rand -hex 24; }
keep() { if [ -s "$folder/$1" ]; then cat > /dev/null; else cat > "$folder/$1"; fi; }

random | keep postgres_password
printf 'postgres://photos:%s@postgres:5432/photos\n' "$(cat "$folder/postgres_password")" | keep database_url
printf 'requirepass %s\n' "$(random)" | keep redis.conf
printf 'redis://:%s@redis:6379\n' "$(sed -n 's/^requirepass //p' "$folder/redis.conf")" | keep redis_url
random | keep file_signing_key
random | keep admin_password

# A key to sign in with before there is an identity provider. Its owner can sign in as any user. For real users replace
# jwt_public_key by the provider's key, set JWT_ISSUER and JWT_AUDIENCE, and delete the folder development.
if [ ! -s "$folder/jwt_public_key" ]; then
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$folder/development/development-key.pem" 2>/dev/null
  openssl pkey -in "$folder/development/development-key.pem" -pubout -out "$folder/jwt_public_key"
fi
chmod 644 "$folder"/[a-z]*_* "$folder/redis.conf"
chmod 755 "$folder/development"
if [ -e "$folder/development/development-key.pem" ]; then
  chmod 600 "$folder/development/development-key.pem"
  # 1000 is the user of the image. Without the right to change it, the owner stays the user who runs this.
  chown 1000:1000 "$folder/development/development-key.pem" 2>/dev/null || true
fi
echo "The secrets are in $folder. The password of the operators' pages (user admin) is in $folder/admin_password."
