#!/usr/bin/env bash
# Lints the API's schema (SDL) with graphql-schema-linter; the rules are listed in .graphql-schema-linterrc.
#
#   lint.sh http://127.0.0.1:8080/schema.graphql
#   lint.sh path/to/schema.graphql
set -euo pipefail

source=${1:?usage: lint.sh URL_or_file}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

case $source in
  http://* | https://*) curl -fsS --max-time 30 -o "$work/schema.graphql" "$source" ;;
  *) cp "$source" "$work/schema.graphql" ;;
esac

ignore=$(node "$here/lint-ignore.mjs" "$work/schema.graphql")
"$here/node_modules/.bin/graphql-schema-linter" \
  --config-directory "$here" --format compact --ignore "$ignore" "$work/schema.graphql"
echo "schema lint: $(wc -l <"$work/schema.graphql") lines, no complaint"
