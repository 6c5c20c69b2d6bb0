# Runs `caregraph demo` for the steps that need a server. Sourced by .ci/run.

# start_demo COMMAND... starts it on a free port and waits for the URL it prints. Sets demo_url; the output is in $work/demo.log.
start_demo() {
  local waited=0
  stop_demo # one that a failed step left behind
  : >"$work/demo.log"
  "$@" --listen 127.0.0.1:0 >"$work/demo.log" 2>&1 &
  echo $! >"$work/demo.pid"
  until demo_url=$(grep -oE -m 1 'http://127\.0\.0\.1:[0-9]+' "$work/demo.log" | head -n 1) && [[ -n $demo_url ]]; do
    demo_runs || { cat "$work/demo.log"; fail "the demo ended before it printed its URL"; return 1; }
    [[ $waited -lt 600 ]] || { cat "$work/demo.log"; fail "no URL after 120 s"; return 1; }
    sleep 0.2
    waited=$((waited + 1))
  done
  curl -fsS --retry 20 --retry-delay 1 --retry-all-errors --max-time 10 -o /dev/null "$demo_url/readyz"
  echo "the demo is ready at $demo_url"
}

demo_runs() {
  kill -0 "$(cat "$work/demo.pid")" 2>/dev/null
}

# demo_process prints the program's own process: `go run` does not pass SIGTERM on to its child.
demo_process() {
  local pid children
  pid=$(cat "$work/demo.pid")
  children=$(cat /proc/"$pid"/task/*/children 2>/dev/null || true)
  if [[ $(cat /proc/"$pid"/comm) == go && -n $children ]]; then
    echo "${children%% *}"
  else
    echo "$pid"
  fi
}

# end_demo sends SIGTERM and expects exit status 0 within 20 s.
end_demo() {
  local pid waited=0 code=0
  pid=$(cat "$work/demo.pid")
  kill -TERM "$(demo_process)"
  while demo_runs; do
    [[ $waited -lt 100 ]] || { cat "$work/demo.log"; fail "still running 20 s after SIGTERM"; return 1; }
    sleep 0.2
    waited=$((waited + 1))
  done
  wait "$pid" || code=$?
  rm "$work/demo.pid"
  [[ $code -eq 0 ]] || { cat "$work/demo.log"; fail "exit status $code after SIGTERM"; return 1; }
  echo "SIGTERM: exit status 0 within $(((waited + 4) / 5)) s"
}

# stop_demo is the clean-up after a failure.
stop_demo() {
  [[ -f $work/demo.pid ]] || return 0
  demo_runs || return 0
  kill -KILL "$(demo_process)" "$(cat "$work/demo.pid")" 2>/dev/null || true
}

# demo_account prints "email password" of a sign-in that the demo offers: the patient's, else the first.
demo_account() {
  local line
  line=$(grep -iE 'patient.*@' "$work/demo.log" | head -n 1 || true)
  [[ -n $line ]] || line=$(grep -E '[^ ]+@[^ ]+' "$work/demo.log" | head -n 1 || true)
  sed -nE 's/^.*[^[:alnum:]._+-]([[:alnum:]._+-]+@[[:alnum:].-]+)[^[:alnum:]]+([^[:space:]|]+).*$/\1 \2/p' <<<" $line"
}
