#!/usr/bin/env bash
# Usage: invalidate-and-wait.sh DISTRIBUTION PATH...
# Invalidates the paths in one batch and prints every status seen until it reads Completed.
set -eu
distribution=$1
shift

id=$(aws cloudfront create-invalidation --distribution-id "$distribution" --paths "$@" \
  --query 'Invalidation.Id' --output text)
echo "id $id"

status=
until [ "$status" = Completed ]; do
  [ -z "$status" ] || sleep 1
  status=$(aws cloudfront get-invalidation --distribution-id "$distribution" --id "$id" \
    --query 'Invalidation.Status' --output text)
  echo "status $status"
done
