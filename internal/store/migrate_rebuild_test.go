package store_test

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent/migrate/migrations"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

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
	_, columns, _ := strings.Cut(create, "(") // the name's quotes are others where the table was renamed
	text := "CREATE TABLE `new_" + table + "` (" + columns + ";\n" +
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
