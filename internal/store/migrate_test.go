package store_test

import (
	"database/sql"
	"io/fs"
	"testing"

	"ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/postgres"
	"ariga.io/atlas/sql/schema"
	"ariga.io/atlas/sql/sqlite"
	"ariga.io/atlas/sql/sqltool"
	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	entschema "entgo.io/ent/dialect/sql/schema"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	entmigrate "github.com/caregraph/caregraph/ent/migrate"
	"github.com/caregraph/caregraph/ent/migrate/migrations"
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
			tables, err := entschema.CopyTables(entmigrate.Tables) // the migrator writes on what it is given
			require.NoError(t, err)
			require.NoError(t, entmigrate.Create(t.Context(), entmigrate.NewSchema(entsql.OpenDB(name, db)), tables))
			assert.Empty(t, entmigrate.UsersTable.PrimaryKey[0].Key, "the engines' tests, which run at once, share ent's tables")
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
