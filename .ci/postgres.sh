# Step postgres: one throw-away cluster for all tests. Sourced by .ci/run.

# postgres_bin prints the folder of the newest installed server, or nothing.
postgres_bin() {
  local found
  found=$(compgen -G '/usr/lib/postgresql/*/bin/initdb' | sort -V | tail -n 1) || true
  [[ -z $found ]] || dirname "$found"
}

# as_postgres runs a command as the user who may run a server: initdb refuses root.
as_postgres() {
  if [[ $EUID -eq 0 ]]; then
    (cd / && runuser -u postgres -- "$@")
  else
    (cd / && "$@")
  fi
}

start_postgres() {
  if [[ -n ${TEST_DATABASE_URL-} ]]; then
    echo "using the server that TEST_DATABASE_URL names"
    return
  fi
  local bin data=$work/postgres port
  bin=$(postgres_bin)
  [[ -n $bin ]] || fail "no PostgreSQL server below /usr/lib/postgresql"
  port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close() })')

  mkdir "$data"
  [[ $EUID -ne 0 ]] || chown postgres "$data"
  as_postgres "$bin/initdb" --pgdata "$data/db" --username postgres --auth trust --encoding UTF8 --locale C.UTF-8 --no-sync \
    >"$work/initdb.log" || { cat "$work/initdb.log"; return 1; }
  as_postgres "$bin/pg_ctl" --pgdata "$data/db" --log "$data/log" --wait --timeout 60 --options \
    "-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories=$data -c max_connections=300 \
     -c fsync=off -c synchronous_commit=off -c full_page_writes=off" start >/dev/null || { cat "$data/log"; return 1; }

  # For the steps after this one: they run in shells of their own.
  echo "export TEST_DATABASE_URL='postgres://postgres@127.0.0.1:$port/postgres?sslmode=disable'" >>"$work/environment"
  echo "$("$bin/postgres" --version) on port $port, without durability, gone at the end"
}

stop_postgres() {
  local data=$work/postgres
  [[ -f $data/db/postmaster.pid ]] || return 0
  as_postgres "$(postgres_bin)/pg_ctl" --pgdata "$data/db" --mode immediate --wait stop >/dev/null
}
