#!/usr/bin/env bash
# Publishes what the merged version pull request raised. The registry takes provenance only from packages that name their repository, so each is told where it is built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
for package in packages/*/; do
  (cd "$package" && npm pkg set "repository.type=git" "repository.url=git+$GITHUB_SERVER_URL/$GITHUB_REPOSITORY.git" "repository.directory=${package%/}")
done
pnpm run release
