package testkit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"
)

// cluster is a throw-away PostgreSQL server.
type cluster struct {
	url   string
	leash io.Closer
	ended chan struct{}
}

// serve makes a cluster in $2 and runs its server until stdin ends: so it goes, with its files, however the tests end.
const serve = `
trap '' INT TERM HUP
"$1/initdb" -D "$2/data" -U postgres -A trust -E UTF8 --locale C.UTF-8 --no-sync >"$2/log" 2>&1 || exit 1
"$1/postgres" -D "$2/data" -c listen_addresses=127.0.0.1 -c port="$3" -c unix_socket_directories= -c max_connections=300 \
  -c fsync=off -c full_page_writes=off -c autovacuum=off >>"$2/log" 2>&1 &
server=$!
cat >/dev/null
kill -QUIT $server
wait $server
rm -rf "$2"
`

// binaries returns the folder of the newest installed server that this user can run, or "".
var binaries = sync.OnceValue(func() string {
	if os.Geteuid() == 0 { // the server refuses root
		if _, err := user.Lookup("postgres"); err != nil {
			return ""
		}
		if _, err := exec.LookPath("runuser"); err != nil {
			return ""
		}
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	slices.SortFunc(found, func(a, b string) int { return majorOf(a) - majorOf(b) })
	if len(found) > 0 {
		return filepath.Dir(found[len(found)-1])
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path)
	}
	return ""
})

func majorOf(initdb string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(initdb))))
	return n
}

// startCluster starts a server; again when somebody else took the port meanwhile.
func startCluster() (*cluster, error) {
	var failures error
	for range 3 {
		c, err := tryCluster()
		if err == nil {
			return c, nil
		}
		failures = errors.Join(failures, err)
	}
	return nil, fmt.Errorf("start PostgreSQL: %w", failures)
}

func tryCluster() (*cluster, error) {
	dir, err := os.MkdirTemp("", "caregraph-postgres-")
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	command := []string{"sh", "-c", serve, "serve", binaries(), dir, port}
	if os.Geteuid() == 0 {
		if err := giveToPostgres(dir); err != nil {
			return nil, err
		}
		command = append([]string{"runuser", "-u", "postgres", "--"}, command...)
	}
	process := exec.Command(command[0], command[1:]...)
	process.Dir = "/"
	c := &cluster{url: "postgres://postgres@127.0.0.1:" + port + "/postgres?sslmode=disable", ended: make(chan struct{})}
	if c.leash, err = process.StdinPipe(); err != nil {
		return nil, err
	}
	if err := process.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(c.ended)
		_ = process.Wait()
	}()
	if err := c.await(filepath.Join(dir, "data")); err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "log"))
		c.stop()
		return nil, errors.Join(fmt.Errorf("%w\n%s", err, log), os.RemoveAll(dir))
	}
	return c, nil
}

func giveToPostgres(dir string) error {
	owner, err := user.Lookup("postgres")
	if err != nil {
		return err
	}
	uid, err := strconv.Atoi(owner.Uid)
	if err != nil {
		return err
	}
	return os.Chown(dir, uid, -1)
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, errors.Join(err, l.Close())
}

// await returns once this very server answers, not another one that got the port.
func (c *cluster) await(data string) error {
	db, err := sql.Open("postgres", c.url)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		var serves string
		err := db.QueryRowContext(ctx, "SHOW data_directory").Scan(&serves)
		switch {
		case err == nil && serves == data:
			return nil
		case err == nil:
			return fmt.Errorf("another server has the port: %s", serves)
		}
		select {
		case <-c.ended:
			return errors.New("the server cannot be made")
		case <-ctx.Done():
			return fmt.Errorf("the server does not answer: %w", err)
		case <-tick.C:
		}
	}
}

func (c *cluster) stop() {
	_ = c.leash.Close()
	<-c.ended
}
