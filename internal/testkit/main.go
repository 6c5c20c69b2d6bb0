package testkit

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// The engines, as in the names of subtests.
const (
	SQLite   = "sqlite"
	Postgres = "postgres"
)

// Main runs the tests of a package, for its TestMain, and ends the process. It says in one line what took part.
func Main(m *testing.M) {
	fmt.Println(Summary())
	if !slices.Contains(Engines(), Postgres) && os.Getenv("CAREGRAPH_REQUIRE_POSTGRES") == "1" {
		fmt.Println("CAREGRAPH_REQUIRE_POSTGRES=1: set TEST_DATABASE_URL or install PostgreSQL")
		os.Exit(1)
	}
	waitTogether()
	code := m.Run()
	stopPostgres()
	atEnd.Lock()
	for _, end := range atEnd.ends {
		end()
	}
	os.Exit(code)
}

var atEnd struct {
	sync.Mutex
	ends []func()
}

// AtEnd runs fn when all tests of the package are over.
func AtEnd(fn func()) {
	atEnd.Lock()
	defer atEnd.Unlock()
	atEnd.ends = append(atEnd.ends, fn)
}

// Summary tells in one line what takes part in the tests and what is left out.
func Summary() string {
	long, leftOut := "no", ""
	if IsLong() {
		long = "yes"
	}
	if !slices.Contains(Engines(), Postgres) {
		leftOut = " (PostgreSQL left out: no TEST_DATABASE_URL and no binaries)"
	}
	if isAlone() {
		leftOut = " (PostgreSQL left out: CAREGRAPH_ENGINES=sqlite)"
	}
	return fmt.Sprintf("caregraph tests: engines=%s long=%s%s", strings.Join(Engines(), ","), long, leftOut)
}

// waitTogether lets more tests run at once than there are processors, unless -parallel says how many: they wait for databases most of the time.
func waitTogether() {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if atOnce := 4 * runtime.GOMAXPROCS(0); !given && atOnce < 32 {
		_ = flag.Set("test.parallel", strconv.Itoa(atOnce))
	}
}

// isAlone tells whether SQLite was asked for alone, as it is where no PostgreSQL is installed.
func isAlone() bool { return os.Getenv("CAREGRAPH_ENGINES") == SQLite }

// Engines lists the engines that take part.
func Engines() []string {
	if isAlone() || os.Getenv("TEST_DATABASE_URL") == "" && binaries() == "" {
		return []string{SQLite}
	}
	return []string{SQLite, Postgres}
}

// Long skips the test unless the long ones were asked for.
func Long(tb testing.TB) {
	tb.Helper()
	if !IsLong() {
		tb.Skip("a long test: set CAREGRAPH_LONG=1")
	}
}

// IsLong tells whether the long tests were asked for.
func IsLong() bool { return os.Getenv("CAREGRAPH_LONG") == "1" }
