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
	"text/template"

	atlas "ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/sqltool"
	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/schema"
	_ "github.com/lib/pq"
	_ "modernc.org/sqlite"

	"github.com/caregraph/caregraph/ent/migrate"
	"github.com/caregraph/caregraph/internal/clock"
)

// forward writes files without a way back: what a generated Down does on SQLite is wrong, and data that was moved on does not move back.
var forward = func() atlas.Formatter {
	f, err := atlas.NewTemplateFormatter(
		template.Must(template.New("name").Funcs(template.FuncMap{"version": func() string { return version }}).Parse("{{ version }}_{{ .Name }}.sql")),
		template.Must(template.New("content").Parse("-- +goose Up\n{{ range .Changes }}{{ with .Comment }}-- {{ . }}\n{{ end }}{{ .Cmd }};\n{{ end }}")),
	)
	if err != nil {
		panic(err) // only when a template is missing
	}
	return f
}()

// version is the same for both engines.
var version = clock.System{}.Now().Format("20060102150405")

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
		schema.WithDir(dir), schema.WithFormatter(forward), schema.WithMigrationMode(schema.ModeReplay), schema.WithDialect(engine), schema.WithForeignKeys(true), schema.WithDropIndex(true), schema.WithDropColumn(true))
}
