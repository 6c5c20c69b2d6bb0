// Command newmigration writes the versioned SQL that leads from the present migrations to ent/schema, for both engines:
//
//	DEV_DATABASE_URL=postgres://... go run ./internal/store/newmigration NAME
//
// DEV_DATABASE_URL names an empty PostgreSQL database, in which the present migrations are replayed.
package main

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"os"

	"ariga.io/atlas/sql/sqltool"
	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/schema"
	_ "github.com/lib/pq"
	_ "modernc.org/sqlite"

	"github.com/caregraph/caregraph/ent/migrate"
)

func main() {
	if len(os.Args) != 2 || os.Getenv("DEV_DATABASE_URL") == "" {
		log.Fatal("usage: DEV_DATABASE_URL=postgres://... newmigration NAME")
	}
	for _, engine := range []struct{ dialect, driver, url, folder string }{
		{dialect.Postgres, "postgres", os.Getenv("DEV_DATABASE_URL"), "postgres"},
		{dialect.SQLite, "sqlite", "file:newmigration?mode=memory&cache=shared&_pragma=foreign_keys(1)", "sqlite"},
	} {
		if err := write(engine.dialect, engine.driver, engine.url, "ent/migrate/migrations/"+engine.folder, os.Args[1]); err != nil {
			log.Fatalf("%s: %v", engine.folder, err)
		}
	}
}

func write(engine, driver, url, folder, name string) error {
	db, err := sql.Open(driver, url)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	dir, err := sqltool.NewGooseDir(folder)
	if err != nil {
		return fmt.Errorf("%s: %w", folder, err)
	}
	return migrate.NewSchema(entsql.OpenDB(engine, db)).NamedDiff(context.Background(), name,
		schema.WithDir(dir), schema.WithMigrationMode(schema.ModeReplay), schema.WithDialect(engine), schema.WithForeignKeys(true), schema.WithDropIndex(true), schema.WithDropColumn(true))
}
