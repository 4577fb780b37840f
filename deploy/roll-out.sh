#!/bin/sh
# Rolls a version out in the cluster of KUBECONFIG without downtime: migrations, then API and workers, one at a time.
#   deploy/roll-out.sh registry.example.com/photo-service@sha256:…
# Migrations only add (expand), so that the old version still runs while the new one starts. A version that does not become
# ready is rolled back; the database stays as it is.
set -eu
image=$1
case $image in
  *@sha256:*) ;;
  *) echo "Name the image by its digest: a tag may be another image tomorrow." >&2; exit 1 ;;
esac
kubectl() { command kubectl --namespace photo-service "$@"; }

kubectl delete job migrate --ignore-not-found --wait
kubectl set image --local --filename "$(dirname "$0")/k8s/base/migrate.yaml" "migrate=$image" --output json | kubectl apply --filename -
kubectl wait --for=condition=complete --timeout=900s job/migrate

for name in api worker; do
  kubectl set image "deployment/$name" "$name=$image"
done
for name in api worker; do
  if ! kubectl rollout status "deployment/$name" --timeout=300s; then
    kubectl rollout undo deployment/api
    kubectl rollout undo deployment/worker
    exit 1
  fi
done
