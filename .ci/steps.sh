# The steps of .ci/run. Each runs in a shell of its own with -e. Sourced.

build_all() {
  go build ./...
  go build -o "$work/caregraph" .
}

# readme_command NAME prints the one command line between <!-- NAME --> and <!-- /NAME --> in the README.
readme_command() {
  local lines
  lines=$(awk -v from="<!-- $1 -->" -v to="<!-- /$1 -->" '
    index($0, to) { inside = 0 }
    inside && !/^```/ && !/^[[:space:]]*$/ { print }
    index($0, from) { inside = 1 }' README.md)
  [[ -n $lines && $(wc -l <<<"$lines") -eq 1 ]] || fail "README.md must hold one command between <!-- $1 --> and <!-- /$1 -->"
  sed -E 's/^[[:space:]]*(\$ )?//; s/[[:space:]]+$//' <<<"$lines"
}

readme_test() {
  local command
  command=$(readme_command test-command)
  [[ $command == "go test ./..." ]] || fail "the README's test command is \"$command\", not \"go test ./...\""
  echo "\$ $command"
  leave_out readme-test "PostgreSQL, which a newcomer need not have: the long and the race tests are for both engines"
  CAREGRAPH_ENGINES=sqlite timeout "$readme_test_limit" bash -c "$command" ||
    fail "\"$command\" failed, or took more than $readme_test_limit s"
}

long_tests() {
  CAREGRAPH_LONG=1 CAREGRAPH_REQUIRE_POSTGRES=1 CAREGRAPH_REQUIRE_STRIPE_MOCK=1 go_test long-tests -count=1 -timeout 25m ./...
}

race_tests() {
  local pattern packages=()
  for pattern in ./internal/store/... ./internal/stream/... ./internal/chat/... ./internal/identity/... ./graph/... ./scheduler/... ./internal/booking/... ./internal/wallet/... ./internal/hospital/...; do
    if [[ -d ${pattern%/...} ]] && go list "$pattern" >/dev/null 2>&1; then
      packages+=("$pattern")
    else
      leave_out race "$pattern does not exist"
    fi
  done
  [[ ${#packages[@]} -gt 0 ]] || fail "none of the packages exists"
  leave_out race "other packages than ${packages[*]}, and the long tests"
  CGO_ENABLED=1 CAREGRAPH_REQUIRE_POSTGRES=1 go_test race -race -count=1 -timeout 20m "${packages[@]}"
}

# go_test NAME ARGUMENTS... runs go test, prints packages and failures, keeps the events and the counts.
go_test() {
  local name=$1
  shift
  go test -json "$@" | tee "$work/$name.json" |
    node .ci/go-test-report.mjs "$name" "$work/counts.$name" "$notes" || {
    grep -E -A 80 'DATA RACE|fatal error:|ThreadSanitizer' "$work/$name.json" | head -n 160 || true # the race detector's report belongs to no test
    return 1
  }
}

# Each package that uses the test kit prints one line with the engines it ran on.
engines_took_part() {
  [[ -f $work/long-tests.json ]] || fail "the long tests did not run"
  node .ci/engines.mjs long "$work/long-tests.json"
  if [[ -f $work/race.json ]]; then
    node .ci/engines.mjs short "$work/race.json"
  fi
}

gofmt_all() {
  local unformatted
  unformatted=$(git ls-files -z -- '*.go' | xargs -0 -r gofmt -l)
  [[ -z $unformatted ]] || fail "not formatted:"$'\n'"$unformatted"
  echo "$(git ls-files -- '*.go' | wc -l) files"
}

vet_all() {
  go vet ./...
}

lint_all() {
  golangci-lint run --timeout 20m ./...
}

# bench/ is a module of its own: ./... does not reach it.
bench_builds() {
  if [[ ! -f bench/go.mod ]]; then
    leave_out bench "there is no bench module"
    return
  fi
  (cd bench && go vet ./... && go test ./...)
  leave_out bench "the benchmarks are built and not run"
}

# What other people's tools say of a running server.
outside_checks() {
  local account
  [[ -d .ci/outside/node_modules/graphql-sse ]] || npm_ci .ci/outside
  start_demo "$work/caregraph" demo
  .ci/outside/lint.sh "$demo_url/schema.graphql" 2>"$work/lint.err" || { cat "$work/lint.err"; fail "the schema lint failed"; }
  leave_out outside "$(cat "$work/lint.err")"
  node .ci/outside/audit.mjs "$demo_url/graphql"
  account=$(demo_account)
  [[ -n $account ]] || { cat "$work/demo.log"; fail "the demo printed no sign-in"; }
  DEMO_EMAIL=${account% *} DEMO_PASSWORD=${account#* } node .ci/outside/apollo.mjs "$demo_url/graphql"
  DEMO_EMAIL=${account% *} DEMO_PASSWORD=${account#* } node .ci/outside/realtime.mjs "$demo_url/graphql"
  DEMO_EMAIL=${account% *} DEMO_PASSWORD=${account#* } node .ci/outside/events.mjs "$demo_url/graphql"
  end_demo
}

# The README's run command, as a newcomer types it.
smoke_test() {
  local command words answer
  command=$(readme_command run-command)
  echo "\$ $command"
  read -ra words <<<"$command"
  start_demo "${words[@]}"

  curl -fsS --max-time 10 "$demo_url/healthz" >/dev/null
  curl -fsS --max-time 10 "$demo_url/readyz" >/dev/null
  answer=$(curl -fsS --max-time 10 -H 'Content-Type: application/json' -d '{"query":"{__typename}"}' "$demo_url/graphql")
  [[ $answer == *'"__typename":"Query"'* ]] || fail "/graphql answered $answer"
  curl -fsS --max-time 10 -o "$work/schema.graphql" "$demo_url/schema.graphql"
  grep -q '^type Query' "$work/schema.graphql" || fail "/schema.graphql shows no type Query"
  curl -fsS --max-time 10 -D "$work/headers" -o "$work/index.html" "$demo_url/"
  grep -qi '^content-security-policy:' "$work/headers" || fail "/ has no Content-Security-Policy"
  grep -q 'Caregraph explorer' "$work/index.html" || fail "/ is not the explorer"
  echo "healthz, readyz, graphql, schema.graphql and the explorer answer"
  end_demo
}

explorer_is_current() {
  npm_ci internal/httpserver/explorer/web
  unchanged_by npm --prefix internal/httpserver/explorer/web run build --silent -- --logLevel warn
}

generated_is_current() {
  unchanged_by go generate ./...
}
