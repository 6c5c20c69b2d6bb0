package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/sqltool"
	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/schema"
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

// plain opens a database as somebody else's tool would.
func plain(t *testing.T, engine, url string) *sql.DB {
	t.Helper()
	driver := "sqlite"
	if engine == testkit.Postgres {
		driver = "postgres"
	}
	db, err := sql.Open(driver, url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
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

// The versioned files lead to the schema of ent: its own migrator has nothing left to plan.
func TestMigrationsLeadToTheSchema(t *testing.T) {
	t.Parallel()
	eachURL(t, testkit.URL, func(t *testing.T, engine, url string) {
		db := plain(t, engine, url)
		plan := func() string {
			name := dialect.SQLite
			if engine == testkit.Postgres {
				name = dialect.Postgres
			}
			var out bytes.Buffer
			require.NoError(t, entmigrate.NewSchema(entsql.OpenDB(name, db)).WriteTo(t.Context(), &out,
				schema.WithForeignKeys(true), schema.WithDropIndex(true), schema.WithDropColumn(true)))
			return out.String()
		}
		nothing := plan()
		assert.NotRegexp(t, `(?i)create|alter|drop|insert|update`, nothing)

		_, err := db.Exec("DROP INDEX appointments_live_slot")
		require.NoError(t, err)
		assert.Contains(t, plan(), "appointments_live_slot", "the check sees what is missing")
	})
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
		_, err := plain(t, engine, url).Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99990101000000, true)")
		require.NoError(t, err)
		_, err = store.Migrate(t.Context(), url)
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

// Several starts at once on an empty database all succeed, and the work is done once.
func TestMigrateAtOnce(t *testing.T) {
	t.Parallel()
	eachURL(t, testkit.EmptyURL, func(t *testing.T, _, url string) {
		applied := make(chan int, 5)
		together(t, cap(applied), func(int) error {
			n, err := store.Migrate(context.Background(), url)
			applied <- n
			return err
		})
		close(applied)
		total := 0
		for n := range applied {
			total += n
		}
		once, err := fs.Glob(migrations.Files, "sqlite/*.sql")
		require.NoError(t, err)
		assert.Len(t, once, total)
		newCounter(t, testkit.OpenURL(t, store.Config{URL: url}, clock.NewFake(testkit.Start)), "works")
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
	db := plain(t, testkit.SQLite, url)
	var create string
	require.NoError(t, db.QueryRow("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", table).Scan(&create))
	rows, err := db.Query("SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL", table)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	text := "CREATE TABLE `new_" + table + "`" + create[len("CREATE TABLE `"+table+"`"):] + ";\n" +
		"INSERT INTO `new_" + table + "` SELECT * FROM `" + table + "` WHERE " + where + ";\n" +
		"DROP TABLE `" + table + "`;\nALTER TABLE `new_" + table + "` RENAME TO `" + table + "`;\n"
	for rows.Next() {
		var index string
		require.NoError(t, rows.Scan(&index))
		text += index + ";\n"
	}
	require.NoError(t, rows.Err())
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
	db := plain(t, testkit.SQLite, url)
	counts := map[string]string{}
	for _, table := range slices.Sorted(maps.Keys(columnsOf(t, testkit.SQLite, url))) {
		var n string
		require.NoError(t, db.QueryRow("SELECT count(*) FROM "+table).Scan(&n))
		counts[table] = n
	}
	return counts
}
