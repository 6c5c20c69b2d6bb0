// Package migrations embeds the versioned SQL of both engines: forward only, one folder each, with a file of triggers per engine, which is run again
// after every migration because a rebuilt SQLite table loses its triggers.
package migrations

import "embed"

// Files holds the folders postgres, sqlite and triggers.
//
//go:embed postgres sqlite triggers
var Files embed.FS
