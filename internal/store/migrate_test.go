package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/postgres"
	"ariga.io/atlas/sql/schema"
	"ariga.io/atlas/sql/sqlite"
	"ariga.io/atlas/sql/sqltool"
	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	entmigrate "github.com/caregraph/caregraph/ent/migrate"
	"github.com/caregraph/caregraph/ent/migrate/migrations"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

// eachURL runs fn once per engine with the URL that newURL gives.
func eachURL(t *testing.T, newURL func(tb testing.TB, engine string) string, fn func(t *testing.T, engine, url string)) {
	t.Helper()
	for _, engine := range testkit.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			fn(t, engine, newURL(t, engine))
		})
	}
}

// plain opens a database as somebody else's tool would, for as long as fn runs.
func plain(t *testing.T, engine, url string, fn func(db *sql.DB)) {
	t.Helper()
	driver := "sqlite"
	if engine == testkit.Postgres {
		driver = "postgres"
	}
	db, err := sql.Open(driver, url)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	fn(db)
}

func TestMigrateFromNothing(t *testing.T) {
	t.Parallel()
	eachURL(t, testkit.EmptyURL, func(t *testing.T, engine, url string) {
		current, err := store.IsCurrent(t.Context(), url)
		require.NoError(t, err)
		assert.False(t, current)

		applied, err := store.Migrate(t.Context(), url)
		require.NoError(t, err)
		files, err := fs.Glob(migrations.Files, engine+"/*.sql")
		require.NoError(t, err)
		assert.Len(t, files, applied)

		current, err = store.IsCurrent(t.Context(), url)
		require.NoError(t, err)
		assert.True(t, current)
		applied, err = store.Migrate(t.Context(), url)
		require.NoError(t, err)
		assert.Zero(t, applied, "nothing is left to do")
	})
}

// The versioned files lead to the schema of ent: what they make differs in nothing from what ent's own migrator makes of an empty
// database.
func TestMigrationsLeadToTheSchema(t *testing.T) {
	t.Parallel()
	eachURL(t, testkit.URL, func(t *testing.T, engine, url string) {
		wanted := testkit.EmptyURL(t, engine)
		if engine == testkit.SQLite {
			wanted += "?_pragma=foreign_keys(1)"
		}
		plain(t, engine, wanted, func(db *sql.DB) {
			name := map[string]string{testkit.SQLite: dialect.SQLite, testkit.Postgres: dialect.Postgres}[engine]
			require.NoError(t, entmigrate.NewSchema(entsql.OpenDB(name, db)).Create(t.Context()))
		})
		assert.Empty(t, changes(t, engine, url, wanted))

		plain(t, engine, url, func(db *sql.DB) {
			_, err := db.Exec("DROP INDEX appointments_live_slot")
			require.NoError(t, err)
			_, err = db.Exec("CREATE UNIQUE INDEX appointments_live_slot ON appointments (slot_id) WHERE status IN ('PENDING')")
			require.NoError(t, err)
		})
		assert.NotEmpty(t, changes(t, engine, url, wanted), "the check sees a wrong condition")
	})
}

// changes plans the statements that lead from one database to another.
func changes(t *testing.T, engine, from, to string) (statements []string) {
	t.Helper()
	inspect := func(url string) (found *schema.Schema) {
		plain(t, engine, url, func(db *sql.DB) {
			if engine == testkit.Postgres {
				_, err := db.Exec(settleConditions)
				require.NoError(t, err)
			}
			var err error
			found, err = atlas(t, engine, db).InspectSchema(t.Context(), "", &schema.InspectOptions{Exclude: []string{"goose_db_version", "caregraph_triggers"}})
			require.NoError(t, err)
		})
		return found
	}
	plain(t, engine, to, func(db *sql.DB) {
		diff, err := atlas(t, engine, db).SchemaDiff(inspect(from), inspect(to))
		require.NoError(t, err)
		plan, err := atlas(t, engine, db).PlanChanges(t.Context(), "plan", diff)
		require.NoError(t, err)
		for _, c := range plan.Changes {
			statements = append(statements, c.Cmd)
		}
	})
	return statements
}

// settleConditions makes every partial index anew from what PostgreSQL says of it: it writes an IN in one way when it reads it first, and
// in another when it reads what it wrote itself.
const settleConditions = `DO $$ DECLARE i record; BEGIN
	FOR i IN SELECT indexrelid::regclass AS name, pg_get_indexdef(indexrelid) AS definition FROM pg_index
		WHERE indpred IS NOT NULL AND indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)
	LOOP
		EXECUTE 'DROP INDEX ' || i.name;
		EXECUTE i.definition;
	END LOOP;
END $$`

func atlas(t *testing.T, engine string, db *sql.DB) migrate.Driver {
	t.Helper()
	open := sqlite.Open
	if engine == testkit.Postgres {
		open = postgres.Open
	}
	driver, err := open(db)
	require.NoError(t, err)
	return driver
}

// The folders' checksums hold: no file was edited, or added by hand without saying so.
func TestMigrationChecksums(t *testing.T) {
	t.Parallel()
	for _, engine := range []string{testkit.SQLite, testkit.Postgres} {
		dir, err := sqltool.NewGooseDir("../../ent/migrate/migrations/" + engine)
		require.NoError(t, err)
		require.NoError(t, migrate.Validate(dir), engine)
	}
}

// The engines' histories are told in the same steps.
func TestMigrationsOfBothEnginesHaveTheSameVersions(t *testing.T) {
	t.Parallel()
	names := map[string][]string{}
	for _, engine := range []string{testkit.SQLite, testkit.Postgres} {
		list, err := fs.Glob(migrations.Files, engine+"/*.sql")
		require.NoError(t, err)
		for _, name := range list {
			names[engine] = append(names[engine], name[len(engine):])
			text, err := migrations.Files.ReadFile(name)
			require.NoError(t, err)
			assert.NotContains(t, string(text), "+goose Down", "%s: forward only", name)
		}
	}
	assert.Equal(t, names[testkit.SQLite], names[testkit.Postgres])
}

func TestNewerDatabaseIsRefused(t *testing.T) {
	t.Parallel()
	eachURL(t, testkit.URL, func(t *testing.T, engine, url string) {
		plain(t, engine, url, func(db *sql.DB) {
			_, err := db.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99990101000000, true)")
			require.NoError(t, err)
		})
		_, err := store.Migrate(t.Context(), url)
		require.ErrorContains(t, err, "99990101000000")
		require.ErrorContains(t, err, "run the newer program")
		_, err = store.IsCurrent(t.Context(), url)
		require.ErrorContains(t, err, "run the newer program")
	})
}

// Whether a database is current is not guessed from an error.
func TestIsCurrentTellsFailures(t *testing.T) {
	t.Parallel()
	for _, engine := range testkit.Engines() {
		url := t.TempDir() + "/no/such/folder/caregraph.db"
		if engine == testkit.Postgres {
			_, url = testkit.NewProxy(t, testkit.EmptyURL(t, engine))
			url += "&dbname=no_such_database"
		}
		_, err := store.IsCurrent(t.Context(), url)
		require.Error(t, err, engine)
	}
}

// Several starts at once on an empty database all succeed, those too that find the first one at work already, and the work is done once.
func TestMigrateAtOnce(t *testing.T) {
	t.Parallel()
	eachURL(t, testkit.EmptyURL, func(t *testing.T, _, url string) {
		applied := make(chan int, 5)
		together(t, cap(applied), func(i int) error {
			n, err := store.Migrate(t.Context(), url)
			if err != nil {
				return err
			}
			applied <- n
			db, err := store.Open(t.Context(), store.Config{URL: url, MaxConns: 2}, clock.System{})
			if err != nil {
				return err
			}
			t.Cleanup(func() { require.NoError(t, db.Close()) })
			return db.WithTx(testkit.System(t), func(ctx context.Context) error { return createCounter(ctx, db, fmt.Sprint("start ", i)) })
		})
		close(applied)
		total := 0
		for n := range applied {
			total += n
		}
		once, err := fs.Glob(migrations.Files, "sqlite/*.sql")
		require.NoError(t, err)
		assert.Len(t, once, total)
	})
}

// A file that another program has open is waited for, and once that one has done the work, it need not be closed.
func TestMigrateWaitsForOtherPrograms(t *testing.T) {
	t.Parallel()
	const old = "UPDATE caregraph_triggers SET hash = 'old' || hash"
	start := func(t *testing.T) (other *sql.DB, done chan error) {
		url := testkit.URL(t, testkit.SQLite)
		other, err := sql.Open("sqlite", url)
		require.NoError(t, err)
		_, err = other.Exec(old)
		require.NoError(t, err)
		done = make(chan error, 1)
		go func() {
			_, err := store.Migrate(t.Context(), url)
			done <- err
		}()
		select {
		case err := <-done:
			require.Fail(t, "did not wait", "%v", err)
		case <-time.After(1500 * time.Millisecond): // longer than one try
		}
		return other, done
	}
	t.Run("UntilClosed", func(t *testing.T) {
		t.Parallel()
		other, done := start(t)
		require.NoError(t, other.Close())
		require.NoError(t, <-done)
	})
	t.Run("UntilCurrent", func(t *testing.T) {
		t.Parallel()
		other, done := start(t)
		defer func() { require.NoError(t, other.Close()) }()
		_, err := other.Exec("PRAGMA busy_timeout = 5000")
		require.NoError(t, err)
		_, err = other.Exec("UPDATE caregraph_triggers SET hash = substr(hash, 4)")
		require.NoError(t, err)
		require.NoError(t, <-done)
	})
}

const migrateURL = "CAREGRAPH_TEST_MIGRATE_URL"

// TestMigrateProcess is what the processes of TestMigrateInProcessesAtOnce run.
func TestMigrateProcess(t *testing.T) {
	url := os.Getenv(migrateURL)
	if url == "" {
		t.Skip("run by TestMigrateInProcessesAtOnce")
	}
	_, err := store.Migrate(t.Context(), url)
	require.NoError(t, err)
}

func TestMigrateInProcessesAtOnce(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	require.NoError(t, err)
	eachURL(t, testkit.EmptyURL, func(t *testing.T, _, url string) {
		together(t, 5, func(int) error {
			c := exec.Command(program, "-test.run=^TestMigrateProcess$")
			c.Env = append(os.Environ(), migrateURL+"="+url)
			out, err := c.CombinedOutput()
			if err != nil {
				return fmt.Errorf("%w: %s", err, out)
			}
			return nil
		})
		newCounter(t, testkit.OpenURL(t, store.Config{URL: url}, clock.NewFake(testkit.Start)), "works")
	})
}

// later returns the embedded folders with one more migration for SQLite.
func later(t *testing.T, statements string) fs.ReadFileFS {
	t.Helper()
	folders := fstest.MapFS{}
	require.NoError(t, fs.WalkDir(migrations.Files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := migrations.Files.ReadFile(path)
		folders[path] = &fstest.MapFile{Data: data}
		return err
	}))
	folders["sqlite/99990101000000_later.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\n" + statements)}
	return folders
}

// rebuild makes a table anew as ent's migrator does on SQLite to change a column, keeping the rows that match.
func rebuild(t *testing.T, url, table, where string) string {
	t.Helper()
	create := catalogue(t, testkit.SQLite, url, map[string]string{
		testkit.SQLite: "SELECT sql FROM sqlite_master WHERE name = '" + table + "'",
	})[0][0]
	text := "CREATE TABLE `new_" + table + "`" + strings.TrimPrefix(create, "CREATE TABLE `"+table+"`") + ";\n" +
		"INSERT INTO `new_" + table + "` SELECT * FROM `" + table + "` WHERE " + where + ";\n" +
		"DROP TABLE `" + table + "`;\nALTER TABLE `new_" + table + "` RENAME TO `" + table + "`;\n"
	for _, index := range catalogue(t, testkit.SQLite, url, map[string]string{
		testkit.SQLite: "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = '" + table + "'",
	}) {
		text += index[0] + ";\n"
	}
	return text
}

// A rebuilt SQLite table loses neither the rows that point to it nor its triggers.
func TestRebuiltTable(t *testing.T) {
	t.Parallel()
	clk := clock.NewFake(testkit.Start)
	filled := func(t *testing.T) (url string, rows map[string]string) {
		url = testkit.URL(t, testkit.SQLite)
		db, err := store.Open(t.Context(), store.Config{URL: url}, clk)
		require.NoError(t, err)
		doctor := testkit.Practitioner(t, db)
		testkit.Intake(t, db, testkit.Appointment(t, db, testkit.Slot(t, db, doctor, clk.Now().Add(time.Hour)), testkit.Patient(t, db)))
		require.NoError(t, db.Close())
		return url, rowCounts(t, url)
	}

	t.Run("KeepsRowsAndTriggers", func(t *testing.T) {
		t.Parallel()
		url, before := filled(t)
		folders := later(t, rebuild(t, url, "practitioners", "true")+rebuild(t, url, "slots", "true")+rebuild(t, url, "appointments", "true"))
		applied, err := store.MigrateFrom(t.Context(), url, folders)
		require.NoError(t, err)
		assert.Equal(t, 1, applied)
		assert.Equal(t, before, rowCounts(t, url))
		assert.Equal(t, triggers[testkit.SQLite], triggersOf(t, testkit.SQLite, url))
	})
	t.Run("TriggersComeBackAfterAKill", func(t *testing.T) {
		t.Parallel()
		url, _ := filled(t)
		folders := later(t, rebuild(t, url, "slots", "true"))
		require.NoError(t, store.MigrateWithoutTriggers(t.Context(), url, folders))
		require.NotEqual(t, triggers[testkit.SQLite], triggersOf(t, testkit.SQLite, url), "the rebuild drops them")
		_, err := store.MigrateFrom(t.Context(), url, folders)
		require.NoError(t, err)
		assert.Equal(t, triggers[testkit.SQLite], triggersOf(t, testkit.SQLite, url))
	})
	t.Run("RowsThatPointToNothingAreRefused", func(t *testing.T) {
		t.Parallel()
		url, _ := filled(t)
		folders := later(t, rebuild(t, url, "practitioners", "false"))
		for range 2 { // and the next start does not pass it by
			_, err := store.MigrateFrom(t.Context(), url, folders)
			require.ErrorContains(t, err, "rows point to rows that do not exist")
		}
	})
}

// rowCounts returns the number of rows of every SQLite table of ours.
func rowCounts(t *testing.T, url string) map[string]string {
	t.Helper()
	counts := map[string]string{}
	for table := range columnsOf(t, testkit.SQLite, url) {
		counts[table] = catalogue(t, testkit.SQLite, url, map[string]string{testkit.SQLite: "SELECT count(*) FROM " + table})[0][0]
	}
	return counts
}
