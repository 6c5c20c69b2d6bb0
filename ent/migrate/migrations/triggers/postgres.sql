-- Rules that the tables alone cannot state. Idempotent; run after every migration.

CREATE OR REPLACE FUNCTION caregraph_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rows of % are never changed', TG_TABLE_NAME USING ERRCODE = '23514', CONSTRAINT = 'caregraph_immutable';
END $$;

DROP TRIGGER IF EXISTS audit_events_immutable ON audit_events;
CREATE TRIGGER audit_events_immutable BEFORE UPDATE OR DELETE ON audit_events FOR EACH ROW EXECUTE FUNCTION caregraph_immutable();
DROP TRIGGER IF EXISTS audit_events_kept ON audit_events;
CREATE TRIGGER audit_events_kept BEFORE TRUNCATE ON audit_events FOR EACH STATEMENT EXECUTE FUNCTION caregraph_immutable();
DROP TRIGGER IF EXISTS appointment_status_changes_immutable ON appointment_status_changes;
CREATE TRIGGER appointment_status_changes_immutable BEFORE UPDATE OR DELETE ON appointment_status_changes FOR EACH ROW EXECUTE FUNCTION caregraph_immutable();
DROP TRIGGER IF EXISTS appointment_status_changes_kept ON appointment_status_changes;
CREATE TRIGGER appointment_status_changes_kept BEFORE TRUNCATE ON appointment_status_changes FOR EACH STATEMENT EXECUTE FUNCTION caregraph_immutable();
DROP TRIGGER IF EXISTS payment_events_immutable ON payment_events;
CREATE TRIGGER payment_events_immutable BEFORE UPDATE OR DELETE ON payment_events FOR EACH ROW EXECUTE FUNCTION caregraph_immutable();
DROP TRIGGER IF EXISTS payment_events_kept ON payment_events;
CREATE TRIGGER payment_events_kept BEFORE TRUNCATE ON payment_events FOR EACH STATEMENT EXECUTE FUNCTION caregraph_immutable();
DROP TRIGGER IF EXISTS chat_messages_immutable ON chat_messages;
CREATE TRIGGER chat_messages_immutable BEFORE UPDATE OR DELETE ON chat_messages FOR EACH ROW EXECUTE FUNCTION caregraph_immutable();
DROP TRIGGER IF EXISTS chat_messages_kept ON chat_messages;
CREATE TRIGGER chat_messages_kept BEFORE TRUNCATE ON chat_messages FOR EACH STATEMENT EXECUTE FUNCTION caregraph_immutable();
DROP TRIGGER IF EXISTS chat_reads_immutable ON chat_reads;
CREATE TRIGGER chat_reads_immutable BEFORE UPDATE OR DELETE ON chat_reads FOR EACH ROW EXECUTE FUNCTION caregraph_immutable();
DROP TRIGGER IF EXISTS chat_reads_kept ON chat_reads;
CREATE TRIGGER chat_reads_kept BEFORE TRUNCATE ON chat_reads FOR EACH STATEMENT EXECUTE FUNCTION caregraph_immutable();
DROP TRIGGER IF EXISTS chat_message_versions_immutable ON chat_message_versions;
CREATE TRIGGER chat_message_versions_immutable BEFORE UPDATE OR DELETE ON chat_message_versions FOR EACH ROW EXECUTE FUNCTION caregraph_immutable();
DROP TRIGGER IF EXISTS chat_message_versions_kept ON chat_message_versions;
CREATE TRIGGER chat_message_versions_kept BEFORE TRUNCATE ON chat_message_versions FOR EACH STATEMENT EXECUTE FUNCTION caregraph_immutable();
DROP TRIGGER IF EXISTS chat_attachments_immutable ON chat_attachments;
CREATE TRIGGER chat_attachments_immutable BEFORE UPDATE OR DELETE ON chat_attachments FOR EACH ROW EXECUTE FUNCTION caregraph_immutable();
DROP TRIGGER IF EXISTS chat_attachments_kept ON chat_attachments;
CREATE TRIGGER chat_attachments_kept BEFORE TRUNCATE ON chat_attachments FOR EACH STATEMENT EXECUTE FUNCTION caregraph_immutable();
DROP TRIGGER IF EXISTS record_openings_immutable ON record_openings;
CREATE TRIGGER record_openings_immutable BEFORE UPDATE OR DELETE ON record_openings FOR EACH ROW EXECUTE FUNCTION caregraph_immutable();
DROP TRIGGER IF EXISTS record_openings_kept ON record_openings;
CREATE TRIGGER record_openings_kept BEFORE TRUNCATE ON record_openings FOR EACH STATEMENT EXECUTE FUNCTION caregraph_immutable();
DROP TRIGGER IF EXISTS stream_entries_immutable ON stream_entries;
CREATE TRIGGER stream_entries_immutable BEFORE UPDATE OR DELETE ON stream_entries FOR EACH ROW EXECUTE FUNCTION caregraph_immutable();
DROP TRIGGER IF EXISTS stream_entries_kept ON stream_entries;
CREATE TRIGGER stream_entries_kept BEFORE TRUNCATE ON stream_entries FOR EACH STATEMENT EXECUTE FUNCTION caregraph_immutable();

-- Slots of one practitioner never overlap, but for those that are REMOVED, and none is offered during a leave. The lock makes concurrent writers of one
-- calendar wait for each other; under READ COMMITTED the check that follows sees what they committed. No slot is a day long, which bounds the search.
CREATE OR REPLACE FUNCTION caregraph_slots_overlap() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.status = 'REMOVED' THEN
    RETURN NEW;
  END IF;
  IF TG_OP = 'UPDATE' THEN
    IF OLD.status = NEW.status AND OLD.starts_at = NEW.starts_at AND OLD.ends_at = NEW.ends_at AND OLD.practitioner_id = NEW.practitioner_id THEN
      RETURN NEW;
    END IF;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('slots:' || NEW.practitioner_id::text, 0));
  IF EXISTS (
    SELECT 1 FROM slots WHERE practitioner_id = NEW.practitioner_id AND id <> NEW.id AND status <> 'REMOVED'
      AND starts_at < NEW.ends_at AND ends_at > NEW.starts_at AND starts_at > NEW.starts_at - interval '1 day'
  ) THEN
    RAISE EXCEPTION 'slots overlap' USING ERRCODE = '23P01', CONSTRAINT = 'slots_overlap';
  END IF;
  IF NEW.status = 'OPEN' AND EXISTS (
    SELECT 1 FROM leaves WHERE practitioner_id = NEW.practitioner_id AND starts_at < NEW.ends_at AND ends_at > NEW.starts_at
  ) THEN
    RAISE EXCEPTION 'slot during a leave' USING ERRCODE = '23P01', CONSTRAINT = 'slots_leave';
  END IF;
  RETURN NEW;
END $$;
DROP TRIGGER IF EXISTS slots_overlap ON slots;
CREATE TRIGGER slots_overlap BEFORE INSERT OR UPDATE OF starts_at, ends_at, practitioner_id, status ON slots FOR EACH ROW EXECUTE FUNCTION caregraph_slots_overlap();

-- A leave waits for the writers of its calendar, and they for it.
CREATE OR REPLACE FUNCTION caregraph_leaves_calendar() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('slots:' || NEW.practitioner_id::text, 0));
  RETURN NEW;
END $$;
DROP TRIGGER IF EXISTS leaves_calendar ON leaves;
CREATE TRIGGER leaves_calendar BEFORE INSERT ON leaves FOR EACH ROW EXECUTE FUNCTION caregraph_leaves_calendar();

-- A slot that a live appointment holds stays where it is. The change has locked the slot's row, which a new live appointment shares.
CREATE OR REPLACE FUNCTION caregraph_slots_held() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (OLD.status IS DISTINCT FROM NEW.status AND NEW.status <> 'OPEN' OR OLD.starts_at <> NEW.starts_at OR OLD.ends_at <> NEW.ends_at
      OR OLD.practitioner_id <> NEW.practitioner_id)
    AND EXISTS (SELECT 1 FROM appointments WHERE slot_id = NEW.id AND status IN ('PENDING', 'BOOKED', 'COMPLETED', 'NO_SHOW'))
  THEN
    RAISE EXCEPTION 'slot is held' USING ERRCODE = '23P01', CONSTRAINT = 'slots_held';
  END IF;
  RETURN NEW;
END $$;
DROP TRIGGER IF EXISTS slots_held ON slots;
CREATE TRIGGER slots_held BEFORE UPDATE OF starts_at, ends_at, practitioner_id, status ON slots FOR EACH ROW EXECUTE FUNCTION caregraph_slots_held();

-- Only an open slot outside of a leave gets a live appointment, of the slot's own time; one that has it keeps it.
CREATE OR REPLACE FUNCTION caregraph_slots_open() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.status NOT IN ('PENDING', 'BOOKED', 'COMPLETED', 'NO_SHOW') THEN
    RETURN NEW;
  END IF;
  IF TG_OP = 'UPDATE' THEN
    IF OLD.status IN ('PENDING', 'BOOKED', 'COMPLETED', 'NO_SHOW') THEN
      RETURN NEW;
    END IF;
  END IF;
  PERFORM 1 FROM slots s WHERE s.id = NEW.slot_id AND s.status = 'OPEN' AND s.starts_at = NEW.starts_at AND s.ends_at = NEW.ends_at AND NOT EXISTS (
    SELECT 1 FROM leaves l WHERE l.practitioner_id = s.practitioner_id AND l.starts_at < s.ends_at AND l.ends_at > s.starts_at) FOR SHARE OF s;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'slot is not open' USING ERRCODE = '23P01', CONSTRAINT = 'slots_open';
  END IF;
  RETURN NEW;
END $$;
DROP TRIGGER IF EXISTS slots_open ON appointments;
CREATE TRIGGER slots_open BEFORE INSERT OR UPDATE OF status ON appointments FOR EACH ROW EXECUTE FUNCTION caregraph_slots_open();

-- Live appointments of one patient never overlap.
CREATE OR REPLACE FUNCTION caregraph_appointments_overlap() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.status NOT IN ('PENDING', 'BOOKED', 'COMPLETED', 'NO_SHOW') THEN
    RETURN NEW;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('appointments:' || NEW.patient_id::text, 0));
  IF EXISTS (
    SELECT 1 FROM appointments WHERE patient_id = NEW.patient_id AND id <> NEW.id
      AND status IN ('PENDING', 'BOOKED', 'COMPLETED', 'NO_SHOW')
      AND starts_at < NEW.ends_at AND ends_at > NEW.starts_at AND starts_at > NEW.starts_at - interval '1 day'
  ) THEN
    RAISE EXCEPTION 'appointments overlap' USING ERRCODE = '23P01', CONSTRAINT = 'appointments_overlap';
  END IF;
  RETURN NEW;
END $$;
DROP TRIGGER IF EXISTS appointments_overlap ON appointments;
CREATE TRIGGER appointments_overlap BEFORE INSERT OR UPDATE OF status, starts_at, ends_at ON appointments FOR EACH ROW EXECUTE FUNCTION caregraph_appointments_overlap();

DROP TRIGGER IF EXISTS wallet_transactions_immutable ON wallet_transactions;
CREATE TRIGGER wallet_transactions_immutable BEFORE UPDATE OR DELETE ON wallet_transactions FOR EACH ROW EXECUTE FUNCTION caregraph_immutable();
DROP TRIGGER IF EXISTS wallet_transactions_kept ON wallet_transactions;
CREATE TRIGGER wallet_transactions_kept BEFORE TRUNCATE ON wallet_transactions FOR EACH STATEMENT EXECUTE FUNCTION caregraph_immutable();

-- A stay begins, and it ends: nothing else of it ever changes, and none is removed.
CREATE OR REPLACE FUNCTION caregraph_stays_ending() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.to_at IS NULL AND NEW.to_at >= OLD.from_at
    AND (NEW.id, NEW.created_at, NEW.admission_id, NEW.patient_id, NEW.bed_id, NEW.ward_id, NEW.from_at)
      = (OLD.id, OLD.created_at, OLD.admission_id, OLD.patient_id, OLD.bed_id, OLD.ward_id, OLD.from_at)
  THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'a stay is never rewritten' USING ERRCODE = '23514', CONSTRAINT = 'stays_immutable';
END $$;
DROP TRIGGER IF EXISTS stays_immutable ON stays;
CREATE TRIGGER stays_immutable BEFORE UPDATE ON stays FOR EACH ROW EXECUTE FUNCTION caregraph_stays_ending();
DROP TRIGGER IF EXISTS stays_kept ON stays;
CREATE TRIGGER stays_kept BEFORE DELETE ON stays FOR EACH ROW EXECUTE FUNCTION caregraph_immutable();
DROP TRIGGER IF EXISTS stays_kept_all ON stays;
CREATE TRIGGER stays_kept_all BEFORE TRUNCATE ON stays FOR EACH STATEMENT EXECUTE FUNCTION caregraph_immutable();

-- At no instant do two patients lie in a bed, or a patient in two; a stay that ended when it began holds no instant. The locks make concurrent writers wait for each other, beds before patients.
CREATE OR REPLACE FUNCTION caregraph_stays_overlap() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('bed:' || NEW.bed_id::text, 0));
  IF EXISTS (SELECT 1 FROM stays WHERE bed_id = NEW.bed_id AND id <> NEW.id
      AND (NEW.to_at IS NULL OR from_at < NEW.to_at) AND (to_at IS NULL OR to_at > NEW.from_at AND to_at > from_at)) THEN
    RAISE EXCEPTION 'the bed is taken' USING ERRCODE = '23P01', CONSTRAINT = 'stays_bed_overlap';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('stays:' || NEW.patient_id::text, 0));
  IF EXISTS (SELECT 1 FROM stays WHERE patient_id = NEW.patient_id AND id <> NEW.id
      AND (NEW.to_at IS NULL OR from_at < NEW.to_at) AND (to_at IS NULL OR to_at > NEW.from_at AND to_at > from_at)) THEN
    RAISE EXCEPTION 'the patient lies in another bed' USING ERRCODE = '23P01', CONSTRAINT = 'stays_patient_overlap';
  END IF;
  RETURN NEW;
END $$;
DROP TRIGGER IF EXISTS stays_overlap ON stays;
CREATE TRIGGER stays_overlap BEFORE INSERT ON stays FOR EACH ROW EXECUTE FUNCTION caregraph_stays_overlap();
