#!/usr/bin/env bash
# Runs the two commands of the README as a stranger would: in a fresh clone, with an empty home and closed stdin.
# Prints how long each took, and what is still running afterwards. Usage: test/fresh-clone.sh [demo|test|all] [<repository> [<branch>]]
set -euo pipefail
what=${1:-all}
repository=${2:-$(git rev-parse --show-toplevel)}
branch=${3:-$(git -C "$repository" rev-parse --abbrev-ref HEAD)}
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
git clone --quiet --branch "$branch" "$repository" "$place/clone"
mkdir "$place/home"
cd "$place/clone"
export HOME="$place/home"
unset CENTRIFUGO_BIN CENTRIFUGO_TEST_URL DATABASE_URL PORT XDG_CONFIG_HOME XDG_CACHE_HOME XDG_DATA_HOME npm_config_cache
now() { date +%s%3N; }
failed=0

# Processes that were started from the clone: by their folder or their command line.
left_behind() {
  local pid line found=1
  for pid in /proc/[0-9]*; do
    [ "${pid#/proc/}" = $$ ] && continue
    line=$(tr '\0' ' ' 2>/dev/null <"$pid/cmdline" || true)
    if [[ "$(readlink "$pid/cwd")" == "$place"/clone* || "$line" == *"$place/clone/"* ]]; then
      # This script's own subshells work here too.
      [ "$(cut -d' ' -f4 "$pid/stat")" = $$ ] && continue
      echo "  still running: ${pid#/proc/} $line"
      found=0
    fi
  done 2>/dev/null
  return $found
}

until_gone() {
  local deadline=$(($(now) + $1))
  while left_behind >/dev/null; do
    [ "$(now)" -lt "$deadline" ] || return 1
    sleep 0.05
  done
}

if [ "$what" = demo ] || [ "$what" = all ]; then
  started=$(now)
  setsid npx --yes pnpm@12.21.0 demo </dev/null >"$place/demo.log" 2>&1 &
  group=$!
  address=
  while [ -z "$address" ] && kill -0 $group 2>/dev/null && [ $(($(now) - started)) -lt 180000 ]; do
    address=$(sed -E 's/\x1b\[[0-9;]*m//g' "$place/demo.log" | grep -oE 'http://localhost:[0-9]+' | head -n 1 || true)
    if [ -n "$address" ] && ! curl -sf -o /dev/null "$address"; then address=; fi
    sleep 0.1
  done
  echo "demo: ${address:-no address} after $(($(now) - started)) ms"
  [ -n "$address" ] || { failed=1; tail -n 30 "$place/demo.log"; }
  started=$(now)
  kill -INT -- -$group 2>/dev/null || true
  if until_gone 5000; then echo "demo: everything ended within $(($(now) - started)) ms of Ctrl-C"; else
    failed=1
    echo "demo: left behind after Ctrl-C"
    left_behind || true
    kill -KILL -- -$group 2>/dev/null || true
  fi
fi

if [ "$what" = test ] || [ "$what" = all ]; then
  started=$(now)
  code=0
  TIMEFORMAT='test: %U s of processor time for the user, %S s for the system'
  time npx --yes pnpm@12.21.0 test </dev/null >"$place/test.log" 2>&1 || code=$?
  echo "test: exit code $code after $(($(now) - started)) ms: $(grep -aE '^[0-9]+ passed' "$place/test.log" || echo 'no closing line')"
  sed -n '/^Lanes$/,/^$/p' "$place/test.log"
  grep -a 'SKIPPED' "$place/test.log" | sort -u || true
  if [ $code -ne 0 ]; then
    failed=1
    cp "$place/test.log" "${TMPDIR:-/tmp}/fresh-clone-test.log"
    echo "test: the whole log is in ${TMPDIR:-/tmp}/fresh-clone-test.log"
    grep -aE 'FAIL|Error:' "$place/test.log" | head -n 30 || true
  fi
  if until_gone 2000; then echo "test: nothing left behind"; else
    failed=1
    left_behind || true
  fi
  [ -z "$(git status --porcelain)" ] || { failed=1; echo "test: changed the work tree:"; git status --short; }
fi
exit $failed
