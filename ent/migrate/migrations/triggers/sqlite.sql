-- Rules that the tables alone cannot state. Idempotent; run after every migration.

DROP TRIGGER IF EXISTS audit_events_immutable_update;
CREATE TRIGGER audit_events_immutable_update BEFORE UPDATE ON audit_events BEGIN SELECT RAISE(ABORT, 'caregraph_immutable'); END;
DROP TRIGGER IF EXISTS audit_events_immutable_delete;
CREATE TRIGGER audit_events_immutable_delete BEFORE DELETE ON audit_events BEGIN SELECT RAISE(ABORT, 'caregraph_immutable'); END;
DROP TRIGGER IF EXISTS appointment_status_changes_immutable_update;
CREATE TRIGGER appointment_status_changes_immutable_update BEFORE UPDATE ON appointment_status_changes BEGIN SELECT RAISE(ABORT, 'caregraph_immutable'); END;
DROP TRIGGER IF EXISTS appointment_status_changes_immutable_delete;
CREATE TRIGGER appointment_status_changes_immutable_delete BEFORE DELETE ON appointment_status_changes BEGIN SELECT RAISE(ABORT, 'caregraph_immutable'); END;
DROP TRIGGER IF EXISTS payment_events_immutable_update;
CREATE TRIGGER payment_events_immutable_update BEFORE UPDATE ON payment_events BEGIN SELECT RAISE(ABORT, 'caregraph_immutable'); END;
DROP TRIGGER IF EXISTS payment_events_immutable_delete;
CREATE TRIGGER payment_events_immutable_delete BEFORE DELETE ON payment_events BEGIN SELECT RAISE(ABORT, 'caregraph_immutable'); END;
DROP TRIGGER IF EXISTS chat_messages_immutable_update;
CREATE TRIGGER chat_messages_immutable_update BEFORE UPDATE ON chat_messages BEGIN SELECT RAISE(ABORT, 'caregraph_immutable'); END;
DROP TRIGGER IF EXISTS chat_messages_immutable_delete;
CREATE TRIGGER chat_messages_immutable_delete BEFORE DELETE ON chat_messages BEGIN SELECT RAISE(ABORT, 'caregraph_immutable'); END;
DROP TRIGGER IF EXISTS chat_reads_immutable_update;
CREATE TRIGGER chat_reads_immutable_update BEFORE UPDATE ON chat_reads BEGIN SELECT RAISE(ABORT, 'caregraph_immutable'); END;
DROP TRIGGER IF EXISTS chat_reads_immutable_delete;
CREATE TRIGGER chat_reads_immutable_delete BEFORE DELETE ON chat_reads BEGIN SELECT RAISE(ABORT, 'caregraph_immutable'); END;
DROP TRIGGER IF EXISTS chat_message_versions_immutable_update;
CREATE TRIGGER chat_message_versions_immutable_update BEFORE UPDATE ON chat_message_versions BEGIN SELECT RAISE(ABORT, 'caregraph_immutable'); END;
DROP TRIGGER IF EXISTS chat_message_versions_immutable_delete;
CREATE TRIGGER chat_message_versions_immutable_delete BEFORE DELETE ON chat_message_versions BEGIN SELECT RAISE(ABORT, 'caregraph_immutable'); END;
DROP TRIGGER IF EXISTS chat_attachments_immutable_update;
CREATE TRIGGER chat_attachments_immutable_update BEFORE UPDATE ON chat_attachments BEGIN SELECT RAISE(ABORT, 'caregraph_immutable'); END;
DROP TRIGGER IF EXISTS chat_attachments_immutable_delete;
CREATE TRIGGER chat_attachments_immutable_delete BEFORE DELETE ON chat_attachments BEGIN SELECT RAISE(ABORT, 'caregraph_immutable'); END;
DROP TRIGGER IF EXISTS record_openings_immutable_update;
CREATE TRIGGER record_openings_immutable_update BEFORE UPDATE ON record_openings BEGIN SELECT RAISE(ABORT, 'caregraph_immutable'); END;
DROP TRIGGER IF EXISTS record_openings_immutable_delete;
CREATE TRIGGER record_openings_immutable_delete BEFORE DELETE ON record_openings BEGIN SELECT RAISE(ABORT, 'caregraph_immutable'); END;
DROP TRIGGER IF EXISTS stream_entries_immutable_update;
CREATE TRIGGER stream_entries_immutable_update BEFORE UPDATE ON stream_entries BEGIN SELECT RAISE(ABORT, 'caregraph_immutable'); END;
DROP TRIGGER IF EXISTS stream_entries_immutable_delete;
CREATE TRIGGER stream_entries_immutable_delete BEFORE DELETE ON stream_entries BEGIN SELECT RAISE(ABORT, 'caregraph_immutable'); END;

-- Slots of one practitioner never overlap, but for those that are REMOVED, and none is offered during a leave; write transactions are alone. No slot is a
-- day long, which bounds the search.
DROP TRIGGER IF EXISTS slots_overlap_insert;
CREATE TRIGGER slots_overlap_insert BEFORE INSERT ON slots
WHEN NEW.status <> 'REMOVED' AND EXISTS (
  SELECT 1 FROM slots WHERE practitioner_id = NEW.practitioner_id AND id <> NEW.id AND status <> 'REMOVED'
    AND starts_at < NEW.ends_at AND ends_at > NEW.starts_at AND starts_at > datetime(NEW.starts_at, '-1 day'))
BEGIN SELECT RAISE(ABORT, 'slots_overlap'); END;
DROP TRIGGER IF EXISTS slots_overlap_update;
CREATE TRIGGER slots_overlap_update BEFORE UPDATE OF starts_at, ends_at, practitioner_id, status ON slots
WHEN NEW.status <> 'REMOVED' AND (OLD.starts_at <> NEW.starts_at OR OLD.ends_at <> NEW.ends_at OR OLD.practitioner_id <> NEW.practitioner_id OR OLD.status <> NEW.status) AND EXISTS (
  SELECT 1 FROM slots WHERE practitioner_id = NEW.practitioner_id AND id <> NEW.id AND status <> 'REMOVED'
    AND starts_at < NEW.ends_at AND ends_at > NEW.starts_at AND starts_at > datetime(NEW.starts_at, '-1 day'))
BEGIN SELECT RAISE(ABORT, 'slots_overlap'); END;
DROP TRIGGER IF EXISTS slots_leave_insert;
CREATE TRIGGER slots_leave_insert BEFORE INSERT ON slots
WHEN NEW.status = 'OPEN' AND EXISTS (
  SELECT 1 FROM leaves WHERE practitioner_id = NEW.practitioner_id AND starts_at < NEW.ends_at AND ends_at > NEW.starts_at)
BEGIN SELECT RAISE(ABORT, 'slots_leave'); END;
DROP TRIGGER IF EXISTS slots_leave_update;
CREATE TRIGGER slots_leave_update BEFORE UPDATE OF starts_at, ends_at, practitioner_id, status ON slots
WHEN NEW.status = 'OPEN' AND (OLD.starts_at <> NEW.starts_at OR OLD.ends_at <> NEW.ends_at OR OLD.practitioner_id <> NEW.practitioner_id OR OLD.status <> NEW.status) AND EXISTS (
  SELECT 1 FROM leaves WHERE practitioner_id = NEW.practitioner_id AND starts_at < NEW.ends_at AND ends_at > NEW.starts_at)
BEGIN SELECT RAISE(ABORT, 'slots_leave'); END;

-- A slot that a live appointment holds stays where it is.
DROP TRIGGER IF EXISTS slots_held_update;
CREATE TRIGGER slots_held_update BEFORE UPDATE OF starts_at, ends_at, practitioner_id, status ON slots
WHEN (OLD.starts_at <> NEW.starts_at OR OLD.ends_at <> NEW.ends_at OR OLD.practitioner_id <> NEW.practitioner_id OR OLD.status <> NEW.status) AND NOT (NEW.status = 'OPEN' AND OLD.starts_at = NEW.starts_at AND OLD.ends_at = NEW.ends_at AND OLD.practitioner_id = NEW.practitioner_id)
  AND EXISTS (SELECT 1 FROM appointments WHERE slot_id = NEW.id AND status IN ('PENDING', 'BOOKED', 'COMPLETED', 'NO_SHOW'))
BEGIN SELECT RAISE(ABORT, 'slots_held'); END;

-- Only an open slot outside of a leave gets a live appointment, of the slot's own time; one that has it keeps it.
DROP TRIGGER IF EXISTS slots_open_insert;
CREATE TRIGGER slots_open_insert BEFORE INSERT ON appointments
WHEN NEW.status IN ('PENDING', 'BOOKED', 'COMPLETED', 'NO_SHOW') AND NOT EXISTS (
  SELECT 1 FROM slots s WHERE s.id = NEW.slot_id AND s.status = 'OPEN' AND s.starts_at = NEW.starts_at AND s.ends_at = NEW.ends_at AND NOT EXISTS (
    SELECT 1 FROM leaves l WHERE l.practitioner_id = s.practitioner_id AND l.starts_at < s.ends_at AND l.ends_at > s.starts_at))
BEGIN SELECT RAISE(ABORT, 'slots_open'); END;
DROP TRIGGER IF EXISTS slots_open_update;
CREATE TRIGGER slots_open_update BEFORE UPDATE OF status ON appointments
WHEN NEW.status IN ('PENDING', 'BOOKED', 'COMPLETED', 'NO_SHOW') AND OLD.status NOT IN ('PENDING', 'BOOKED', 'COMPLETED', 'NO_SHOW') AND NOT EXISTS (
  SELECT 1 FROM slots s WHERE s.id = NEW.slot_id AND s.status = 'OPEN' AND s.starts_at = NEW.starts_at AND s.ends_at = NEW.ends_at AND NOT EXISTS (
    SELECT 1 FROM leaves l WHERE l.practitioner_id = s.practitioner_id AND l.starts_at < s.ends_at AND l.ends_at > s.starts_at))
BEGIN SELECT RAISE(ABORT, 'slots_open'); END;

-- Live appointments of one patient never overlap.
DROP TRIGGER IF EXISTS appointments_overlap_insert;
CREATE TRIGGER appointments_overlap_insert BEFORE INSERT ON appointments
WHEN NEW.status IN ('PENDING', 'BOOKED', 'COMPLETED', 'NO_SHOW') AND EXISTS (
  SELECT 1 FROM appointments WHERE patient_id = NEW.patient_id AND id <> NEW.id
    AND status IN ('PENDING', 'BOOKED', 'COMPLETED', 'NO_SHOW')
    AND starts_at < NEW.ends_at AND ends_at > NEW.starts_at AND starts_at > datetime(NEW.starts_at, '-1 day'))
BEGIN SELECT RAISE(ABORT, 'appointments_overlap'); END;
DROP TRIGGER IF EXISTS appointments_overlap_update;
CREATE TRIGGER appointments_overlap_update BEFORE UPDATE OF status, starts_at, ends_at ON appointments
WHEN NEW.status IN ('PENDING', 'BOOKED', 'COMPLETED', 'NO_SHOW') AND EXISTS (
  SELECT 1 FROM appointments WHERE patient_id = NEW.patient_id AND id <> NEW.id
    AND status IN ('PENDING', 'BOOKED', 'COMPLETED', 'NO_SHOW')
    AND starts_at < NEW.ends_at AND ends_at > NEW.starts_at AND starts_at > datetime(NEW.starts_at, '-1 day'))
BEGIN SELECT RAISE(ABORT, 'appointments_overlap'); END;

DROP TRIGGER IF EXISTS wallet_transactions_immutable_update;
CREATE TRIGGER wallet_transactions_immutable_update BEFORE UPDATE ON wallet_transactions BEGIN SELECT RAISE(ABORT, 'caregraph_immutable'); END;
DROP TRIGGER IF EXISTS wallet_transactions_immutable_delete;
CREATE TRIGGER wallet_transactions_immutable_delete BEFORE DELETE ON wallet_transactions BEGIN SELECT RAISE(ABORT, 'caregraph_immutable'); END;

-- A stay begins, and it ends: nothing else of it ever changes, and none is removed.
DROP TRIGGER IF EXISTS stays_immutable;
CREATE TRIGGER stays_immutable BEFORE UPDATE ON stays
WHEN NOT (OLD.to_at IS NULL AND NEW.to_at IS NOT NULL AND NEW.to_at >= OLD.from_at AND NEW.id = OLD.id AND NEW.created_at = OLD.created_at
  AND NEW.admission_id = OLD.admission_id AND NEW.patient_id = OLD.patient_id AND NEW.bed_id = OLD.bed_id AND NEW.ward_id = OLD.ward_id AND NEW.from_at = OLD.from_at)
BEGIN SELECT RAISE(ABORT, 'stays_immutable'); END;
DROP TRIGGER IF EXISTS stays_kept;
CREATE TRIGGER stays_kept BEFORE DELETE ON stays BEGIN SELECT RAISE(ABORT, 'caregraph_immutable'); END;

-- At no instant do two patients lie in a bed, or a patient in two. A stay that ended when it began holds no instant.
DROP TRIGGER IF EXISTS stays_bed_overlap;
CREATE TRIGGER stays_bed_overlap BEFORE INSERT ON stays
WHEN EXISTS (SELECT 1 FROM stays WHERE bed_id = NEW.bed_id AND id <> NEW.id
  AND (NEW.to_at IS NULL OR from_at < NEW.to_at) AND (to_at IS NULL OR to_at > NEW.from_at AND to_at > from_at))
BEGIN SELECT RAISE(ABORT, 'stays_bed_overlap'); END;
DROP TRIGGER IF EXISTS stays_patient_overlap;
CREATE TRIGGER stays_patient_overlap BEFORE INSERT ON stays
WHEN EXISTS (SELECT 1 FROM stays WHERE patient_id = NEW.patient_id AND id <> NEW.id
  AND (NEW.to_at IS NULL OR from_at < NEW.to_at) AND (to_at IS NULL OR to_at > NEW.from_at AND to_at > from_at))
BEGIN SELECT RAISE(ABORT, 'stays_patient_overlap'); END;
