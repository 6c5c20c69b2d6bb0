package store_test

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/caregraph/caregraph/ent"
	"github.com/caregraph/caregraph/internal/clock"
	"github.com/caregraph/caregraph/internal/store"
	"github.com/caregraph/caregraph/internal/testkit"
)

// immutable lists the tables whose rows are never changed or deleted.
var immutable = []string{
	"appointment_status_changes", "audit_events", "chat_attachments", "chat_message_versions", "chat_messages", "chat_reads", "payment_events", "record_openings",
	"stream_entries", "wallet_transactions",
}

// triggers lists what no migration may lose.
var triggers = map[string][]string{
	testkit.Postgres: {
		"appointment_status_changes_immutable", "appointment_status_changes_kept", "appointments_overlap",
		"audit_events_immutable", "audit_events_kept", "chat_attachments_immutable", "chat_attachments_kept",
		"chat_message_versions_immutable", "chat_message_versions_kept", "chat_messages_immutable", "chat_messages_kept", "chat_reads_immutable", "chat_reads_kept",
		"leaves_calendar", "payment_events_immutable", "payment_events_kept", "record_openings_immutable", "record_openings_kept", "slots_held", "slots_open", "slots_overlap",
		"stays_immutable", "stays_kept", "stays_kept_all", "stays_overlap", "stream_entries_immutable", "stream_entries_kept",
		"wallet_transactions_immutable", "wallet_transactions_kept",
	},
	testkit.SQLite: {
		"appointment_status_changes_immutable_delete", "appointment_status_changes_immutable_update",
		"appointments_overlap_insert", "appointments_overlap_update",
		"audit_events_immutable_delete", "audit_events_immutable_update",
		"chat_attachments_immutable_delete", "chat_attachments_immutable_update",
		"chat_message_versions_immutable_delete", "chat_message_versions_immutable_update",
		"chat_messages_immutable_delete", "chat_messages_immutable_update", "chat_reads_immutable_delete", "chat_reads_immutable_update",
		"payment_events_immutable_delete", "payment_events_immutable_update",
		"record_openings_immutable_delete", "record_openings_immutable_update",
		"slots_held_update", "slots_leave_insert", "slots_leave_update", "slots_open_insert", "slots_open_update",
		"slots_overlap_insert", "slots_overlap_update", "stays_bed_overlap", "stays_immutable", "stays_kept", "stays_patient_overlap",
		"stream_entries_immutable_delete", "stream_entries_immutable_update",
		"wallet_transactions_immutable_delete", "wallet_transactions_immutable_update",
	},
}

// catalogue asks an engine's catalogue; every row is a list of texts.
func catalogue(t *testing.T, engine, url string, queries map[string]string) (rows [][]string) {
	t.Helper()
	plain(t, engine, url, func(db *sql.DB) {
		found, err := db.Query(queries[engine])
		require.NoError(t, err)
		defer func() { require.NoError(t, found.Close()) }()
		columns, err := found.Columns()
		require.NoError(t, err)
		for found.Next() {
			row := make([]string, len(columns))
			into := make([]any, len(columns))
			for i := range row {
				into[i] = &row[i]
			}
			require.NoError(t, found.Scan(into...))
			rows = append(rows, row)
		}
		require.NoError(t, found.Err())
	})
	return rows
}

func triggersOf(t *testing.T, engine, url string) (names []string) {
	t.Helper()
	for _, row := range catalogue(t, engine, url, map[string]string{
		testkit.Postgres: "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal ORDER BY tgname",
		testkit.SQLite:   "SELECT name FROM sqlite_master WHERE type = 'trigger' ORDER BY name",
	}) {
		names = append(names, row[0])
	}
	return names
}

// columnsOf returns, per table of ours, the columns and whether they may be null.
func columnsOf(t *testing.T, engine, url string) map[string]map[string]string {
	t.Helper()
	tables := map[string]map[string]string{}
	for _, row := range catalogue(t, engine, url, map[string]string{
		testkit.Postgres: `SELECT table_name, column_name, CASE is_nullable WHEN 'YES' THEN 'null' ELSE 'not null' END
			FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT IN ('goose_db_version', 'caregraph_triggers')`,
		testkit.SQLite: `SELECT t.name, c.name, CASE c."notnull" WHEN 0 THEN 'null' ELSE 'not null' END
			FROM sqlite_master t, pragma_table_info(t.name) c
			WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND t.name NOT IN ('goose_db_version', 'caregraph_triggers')`,
	}) {
		if tables[row[0]] == nil {
			tables[row[0]] = map[string]string{}
		}
		tables[row[0]][row[1]] = row[2]
	}
	return tables
}

func TestTriggersAreAllThere(t *testing.T) {
	t.Parallel()
	eachURL(t, testkit.URL, func(t *testing.T, engine, url string) {
		assert.Equal(t, triggers[engine], triggersOf(t, engine, url))
	})
}

// The history cannot be rewritten, by no statement of anybody.
func TestImmutableTables(t *testing.T) {
	t.Parallel()
	rows := map[string]string{
		"audit_events": `INSERT INTO audit_events (id, created_at, action, entity, cause)
			VALUES ('0194674c-d000-7000-8000-000000000013', '2025-01-15 00:00:00+00:00', 'CREATE', 'User', 'test')`,
		"payment_events": `INSERT INTO payment_events (id, created_at, provider, event_id, type, outcome)
			VALUES ('0194674c-d000-7000-8000-00000000000f', '2025-01-15 00:00:00+00:00', 'sandbox', '1', 'test', 'test')`,
		"appointment_status_changes": `INSERT INTO appointment_status_changes (id, created_at, to_status, cause, appointment_id, patient_id, practitioner_id)
			SELECT '0194674c-d000-7000-8000-00000000000d', '2025-01-15 00:00:00+00:00', 'BOOKED', 'test', id, patient_id, practitioner_id FROM appointments`,
		"chat_messages": `INSERT INTO chat_messages (id, created_at, sender_role, position, body, room_id, patient_id, practitioner_id, sender_id)
			SELECT '0194674c-d000-7000-8000-00000000001a', '2025-01-15 00:00:00+00:00', 'PATIENT', 1, 'test', id, patient_id, practitioner_id,
				(SELECT booked_by FROM appointments) FROM chat_rooms`,
		"chat_attachments": `INSERT INTO chat_attachments (id, created_at, place, file_name, content_type, size_bytes, room_id, patient_id, practitioner_id, message_id, upload_id)
			SELECT '0194674c-d000-7000-8000-00000000001f', '2025-01-15 00:00:00+00:00', 1, 'x.png', 'image/png', 1, room_id, patient_id, practitioner_id, id,
				(SELECT id FROM chat_uploads) FROM chat_messages`,
		"chat_message_versions": `INSERT INTO chat_message_versions (id, created_at, number, message_id, room_id, patient_id, practitioner_id)
			SELECT '0194674c-d000-7000-8000-00000000001d', '2025-01-15 00:00:00+00:00', 2, id, room_id, patient_id, practitioner_id FROM chat_messages`,
		"record_openings": `INSERT INTO record_openings (id, created_at, reason, expires_at, room_id, patient_id, practitioner_id, user_id)
			SELECT '0194674c-d000-7000-8000-000000000020', '2025-01-15 00:00:00+00:00', 'test', '2025-01-15 00:00:00+00:00', id, patient_id, practitioner_id,
				(SELECT booked_by FROM appointments) FROM chat_rooms`,
		"chat_reads": `INSERT INTO chat_reads (id, created_at, up_to, room_id, patient_id, practitioner_id, user_id)
			SELECT '0194674c-d000-7000-8000-00000000001b', '2025-01-15 00:00:00+00:00', 1, id, patient_id, practitioner_id,
				(SELECT booked_by FROM appointments) FROM chat_rooms`,
		"stream_entries": `INSERT INTO stream_entries (id, created_at, stream_id, position, kind)
			VALUES ('0194674c-d000-7000-8000-000000000018', '2025-01-15 00:00:00+00:00', '0194674c-d000-7000-8000-000000000019', 1, 'test')`,
		"wallet_transactions": `INSERT INTO wallet_transactions (id, created_at, position, kind, amount_minor, balance_after_minor, currency, counter_account, reference,
				description, actor, hash, wallet_id, patient_id)
			SELECT '0194674c-d000-7000-8000-00000000002a', '2025-01-15 00:00:00+00:00', 1, 'TOP_UP', 1, 1, 'AUD', 'CASH', 'test', 'test', 'test', '', id, patient_id FROM wallets`,
	}
	assert.Equal(t, immutable, slices.Sorted(maps.Keys(rows)))
	testkit.Each(t, func(t *testing.T, db *store.DB, clk *clock.Fake) {
		testkit.Appointment(t, db, testkit.Slot(t, db, testkit.Practitioner(t, db), clk.Now().Add(time.Hour)), testkit.Patient(t, db))
		execute(t, db, `INSERT INTO chat_rooms (id, created_at, status, appointment_id, patient_id, practitioner_id)
			SELECT '0194674c-d000-7000-8000-000000000019', '2025-01-15 00:00:00+00:00', 'ACTIVE', id, patient_id, practitioner_id FROM appointments`)
		execute(t, db, `INSERT INTO chat_uploads (id, created_at, purpose, file_name, content_type, size_bytes, expires_at, room_id, patient_id, practitioner_id, user_id)
			SELECT '0194674c-d000-7000-8000-00000000001e', '2025-01-15 00:00:00+00:00', 'CHAT_ATTACHMENT', 'x.png', 'image/png', 1, '2025-01-15 00:00:00+00:00',
				id, patient_id, practitioner_id, (SELECT booked_by FROM appointments) FROM chat_rooms`)
		execute(t, db, `INSERT INTO wallets (id, created_at, currency, patient_id) SELECT '0194674c-d000-7000-8000-00000000002b', '2025-01-15 00:00:00+00:00', 'AUD', id FROM patients`)
		execute(t, db, rows["chat_messages"]) // others point to it
		for _, table := range immutable {
			if table != "chat_messages" {
				execute(t, db, rows[table])
			}
		}
		for _, table := range immutable {
			replace := strings.Replace(rows[table], "INSERT", "REPLACE", 1)
			if db.Dialect() == testkit.Postgres {
				replace = "TRUNCATE " + table + " CASCADE"
			}
			for _, statement := range []string{"UPDATE " + table + " SET created_at = '2020-01-01 00:00:00+00:00'", "DELETE FROM " + table, replace} {
				err := db.WithTx(testkit.System(t), func(ctx context.Context) error {
					_, err := db.Exec(ctx, "test", raw(statement))
					return err
				})
				assert.True(t, store.Violates(err, store.Constraint{Postgres: "caregraph_immutable", SQLite: "caregraph_immutable"}), "%s: %v", statement, err)
			}
			assert.Equal(t, []string{"1"}, texts(t, db, "SELECT count(*) FROM "+table+" WHERE created_at > '2024-01-01 00:00:00+00:00'"))
		}
	})
}

// ent makes no index for a foreign key: without one, deleting or looking from the other side reads the whole table.
func TestForeignKeysHaveIndexes(t *testing.T) {
	t.Parallel()
	eachURL(t, testkit.URL, func(t *testing.T, engine, url string) {
		keys := catalogue(t, engine, url, map[string]string{
			testkit.Postgres: `SELECT c.conrelid::regclass::text, a.attname
				FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] WHERE c.contype = 'f'`,
			testkit.SQLite: `SELECT t.name, k."from" FROM sqlite_master t, pragma_foreign_key_list(t.name) k WHERE t.type = 'table'`,
		})
		leading := catalogue(t, engine, url, map[string]string{
			testkit.Postgres: `SELECT i.indrelid::regclass::text, a.attname
				FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] WHERE i.indpred IS NULL`,
			testkit.SQLite: `SELECT t.name, c.name FROM sqlite_master t, pragma_index_list(t.name) i, pragma_index_info(i.name) c
				WHERE t.type = 'table' AND i.partial = 0 AND c.seqno = 0`,
		})
		require.NotEmpty(t, keys)
		for _, key := range keys {
			assert.True(t, slices.ContainsFunc(leading, func(index []string) bool { return slices.Equal(index, key) }), "%s has no index", key)
		}
	})
}

// Both engines have the tables of ent, with the same columns and the same idea of what may be missing.
func TestEnginesAgreeOnTables(t *testing.T) {
	t.Parallel()
	tables := map[string]map[string]map[string]string{}
	for _, engine := range testkit.Engines() {
		tables[engine] = columnsOf(t, engine, testkit.URL(t, engine))
		assert.Equal(t, slices.Sorted(maps.Values(ent.Tables)), slices.Sorted(maps.Keys(tables[engine])), engine)
	}
	if len(tables) < 2 {
		t.Skip("no PostgreSQL")
	}
	assert.Empty(t, cmp.Diff(tables[testkit.SQLite], tables[testkit.Postgres]))
}

// Both engines decide the same claims.
func TestEnginesAgreeOnUniqueIndexes(t *testing.T) {
	t.Parallel()
	if len(testkit.Engines()) < 2 {
		t.Skip("no PostgreSQL")
	}
	unique := map[string][][]string{}
	for _, engine := range testkit.Engines() {
		unique[engine] = catalogue(t, engine, testkit.URL(t, engine), map[string]string{
			testkit.Postgres: `SELECT i.indrelid::regclass::text, string_agg(a.attname, ',' ORDER BY k.n), (i.indpred IS NOT NULL)::int
				FROM pg_index i CROSS JOIN unnest(i.indkey) WITH ORDINALITY k(attnum, n)
				JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum JOIN pg_class r ON r.oid = i.indrelid
				WHERE i.indisunique AND NOT i.indisprimary AND r.relnamespace = 'public'::regnamespace AND r.relname NOT LIKE 'goose%'
				GROUP BY i.indexrelid, i.indrelid, i.indpred ORDER BY 1, 2, 3`,
			testkit.SQLite: `SELECT t.name, (SELECT group_concat(name, ',') FROM pragma_index_info(i.name)), i.partial
				FROM sqlite_master t, pragma_index_list(t.name) i
				WHERE t.type = 'table' AND t.name NOT LIKE 'goose%' AND i."unique" = 1 AND i.origin <> 'pk' ORDER BY 1, 2, 3`,
		})
	}
	assert.Empty(t, cmp.Diff(unique[testkit.SQLite], unique[testkit.Postgres]))
}
