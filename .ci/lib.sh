# The machinery of .ci/run: named steps, their times, what was left out, the summary. Sourced.

names=() results=() seconds=() failed=()
wanted=()
listing=

begin() {
  if [[ ${1-} == --list ]]; then
    listing=yes
    return
  fi
  wanted=("$@")
  temporary_files_in_memory
  work=$(mktemp -d "${TMPDIR:-/tmp}/caregraph-ci.XXXXXX")
  chmod 755 "$work" # PostgreSQL's user passes through
  notes=$work/notes
  : >"$notes"
  trap clean_up EXIT
  trap 'exit 130' INT TERM

  # A checkout that belongs to another user is fine here.
  export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0=$root
  export DEBIAN_FRONTEND=noninteractive NPM_CONFIG_UPDATE_NOTIFIER=false
  PATH=$(go env GOPATH)/bin:$PATH
  start=$SECONDS
  [[ -z $(git status --porcelain) ]] || leave_out checkout "it had changes at the start: this run says nothing about a commit"
}

# step NAME NEEDS FUNCTION runs the function in a subshell of its own, unless the step it needs ("-" for none) failed or it was not
# asked for. What one step hands to the next goes through files in $work.
step() {
  local name=$1 needs=$2 function=$3 began code=0
  if [[ $listing ]]; then
    echo "$name"
    return
  fi
  if [[ ${#wanted[@]} -gt 0 && $name != install && $name != postgres ]] && ! listed "$name" "${wanted[@]}"; then
    record "$name" "left out" 0
    leave_out "$name" "not asked for"
    return
  fi
  if [[ $needs != - ]] && listed "$needs" ${failed[@]+"${failed[@]}"}; then
    record "$name" "not run" 0
    leave_out "$name" "needs $needs, which failed"
    failed+=("$name")
    return
  fi

  printf '\n=== %s (after %d s)\n' "$name" $((SECONDS - start))
  began=$SECONDS
  [[ ! -f $work/environment ]] || . "$work/environment"
  # Not in a condition: there bash would ignore -e inside.
  set +e
  (
    set -euo pipefail
    current=$name
    "$function"
  )
  code=$?
  set -e
  if [[ $code -eq 0 ]]; then
    record "$name" ok $((SECONDS - began))
  else
    record "$name" FAILED $((SECONDS - began))
    failed+=("$name")
  fi
  printf -- '--- %s: %s, %d s\n' "$name" "${results[-1]}" "${seconds[-1]}"
}

listed() {
  local name=$1 other
  shift
  for other in "$@"; do
    [[ $other != "$name" ]] || return 0
  done
  return 1
}

record() {
  names+=("$1") results+=("$2") seconds+=("$3")
}

# leave_out STEP TEXT puts a line under "left out" of the summary.
leave_out() {
  printf '%s: %s\n' "$1" "$2" >>"$notes"
}

fail() {
  echo "error: $*" >&2
  return 1
}

finish() {
  [[ ! $listing ]] || return 0
  local total=$((SECONDS - start)) i unknown
  for unknown in ${wanted[@]+"${wanted[@]}"}; do
    listed "$unknown" "${names[@]}" || {
      leave_out "$unknown" "there is no such step"
      failed+=("$unknown")
    }
  done
  if [[ $total -gt $total_limit ]]; then
    failed+=("time limit of $total_limit s")
  fi

  printf '\n=== summary\n%-14s %-9s %8s\n' step result seconds
  for i in "${!names[@]}"; do
    printf '%-14s %-9s %8d\n' "${names[i]}" "${results[i]}" "${seconds[i]}"
  done
  printf '%-14s %-9s %8d\n' total "" "$total"

  printf '\nleft out:\n'
  if [[ -s $notes ]]; then
    sort -u "$notes" | sed 's/^/  /'
  else
    echo "  nothing"
  fi

  printf '\ncounted:\n'
  if compgen -G "$work/counts.*" >/dev/null; then
    cat "$work"/counts.* | sed 's/^/  /'
  else
    echo "  no tests were run"
  fi

  if [[ ${#failed[@]} -gt 0 ]]; then
    printf '\nCI: FAILED after %d s:%s\n' "$total" "$(printf ' %s,' "${failed[@]}" | sed 's/,$//')"
    exit 1
  fi
  printf '\nCI: passed in %d s\n' "$total"
}

# Tests make and delete hundreds of databases, each of hundreds of files, at which a disk's file system spends most of the time. Where
# memory has room and programs may run from it, temporary files go there.
temporary_files_in_memory() {
  local probe
  [[ -z ${TMPDIR-} && -w /dev/shm ]] || return 0
  [[ $(df -Pk /dev/shm | awk 'NR == 2 { print $4 }') -gt $((8 << 20)) ]] || return 0
  probe=$(mktemp /dev/shm/caregraph-probe.XXXXXX)
  printf '#!/bin/sh\n' >"$probe"
  chmod 755 "$probe"
  if "$probe" 2>/dev/null; then
    export TMPDIR=/dev/shm
  fi
  rm -f "$probe"
}

clean_up() {
  local code=$?
  trap - EXIT
  stop_demo || true
  stop_postgres || true
  rm -rf "$work"
  exit "$code"
}

# worktree prints something that changes when any file of the checkout does, ignored files apart.
worktree() {
  {
    git status --porcelain --untracked-files=all
    git diff --binary
    git ls-files -z --others --exclude-standard | xargs -0 -r sha256sum
  } | sha256sum
}

# unchanged_by COMMAND... fails when the command changes the checkout, and shows how.
unchanged_by() {
  local before
  before=$(worktree)
  "$@"
  [[ $(worktree) == "$before" ]] && return
  git --no-pager diff --stat
  git status --porcelain --untracked-files=all
  fail "\"$*\" changed the checkout: commit what it makes"
}
