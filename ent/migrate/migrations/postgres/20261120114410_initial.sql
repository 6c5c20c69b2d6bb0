-- +goose Up
-- create "login_attempts" table
CREATE TABLE "login_attempts" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "user_id" uuid NULL, "session_id" uuid NULL, "email_hash" character varying NOT NULL, "ip" character varying NOT NULL, "user_agent" character varying NOT NULL, "outcome" character varying NOT NULL, PRIMARY KEY ("id"));
-- create index "loginattempt_created_at" to table: "login_attempts"
CREATE INDEX "loginattempt_created_at" ON "login_attempts" ("created_at");
-- create index "loginattempt_session_id" to table: "login_attempts"
CREATE INDEX "loginattempt_session_id" ON "login_attempts" ("session_id");
-- create index "loginattempt_user_id_created_at" to table: "login_attempts"
CREATE INDEX "loginattempt_user_id_created_at" ON "login_attempts" ("user_id", "created_at");
-- create "rate_events" table
CREATE TABLE "rate_events" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "key" character varying NOT NULL, PRIMARY KEY ("id"));
-- create index "rateevent_created_at" to table: "rate_events"
CREATE INDEX "rateevent_created_at" ON "rate_events" ("created_at");
-- create index "rateevent_key_created_at" to table: "rate_events"
CREATE INDEX "rateevent_key_created_at" ON "rate_events" ("key", "created_at");
-- create "payment_events" table
CREATE TABLE "payment_events" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "provider" character varying NOT NULL, "event_id" character varying NOT NULL, "type" character varying NOT NULL, "order_id" uuid NULL, "outcome" character varying NOT NULL, PRIMARY KEY ("id"));
-- create index "paymentevent_order_id" to table: "payment_events"
CREATE INDEX "paymentevent_order_id" ON "payment_events" ("order_id");
-- create index "paymentevent_provider_event_id" to table: "payment_events"
CREATE UNIQUE INDEX "paymentevent_provider_event_id" ON "payment_events" ("provider", "event_id");
-- create "audit_events" table
CREATE TABLE "audit_events" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "actor_id" uuid NULL, "session_id" uuid NULL, "patient_id" uuid NULL, "roles" character varying NULL, "ip" character varying NULL, "user_agent" character varying NULL, "request_id" character varying NULL, "action" character varying NOT NULL, "entity" character varying NOT NULL, "entity_id" uuid NULL, "changes" jsonb NULL, "cause" character varying NOT NULL, PRIMARY KEY ("id"));
-- create index "auditevent_actor_id_created_at" to table: "audit_events"
CREATE INDEX "auditevent_actor_id_created_at" ON "audit_events" ("actor_id", "created_at");
-- create index "auditevent_created_at" to table: "audit_events"
CREATE INDEX "auditevent_created_at" ON "audit_events" ("created_at");
-- create index "auditevent_entity_entity_id" to table: "audit_events"
CREATE INDEX "auditevent_entity_entity_id" ON "audit_events" ("entity", "entity_id");
-- create index "auditevent_patient_id_created_at" to table: "audit_events"
CREATE INDEX "auditevent_patient_id_created_at" ON "audit_events" ("patient_id", "created_at");
-- create index "auditevent_session_id" to table: "audit_events"
CREATE INDEX "auditevent_session_id" ON "audit_events" ("session_id");
-- create "sandbox_checkouts" table
CREATE TABLE "sandbox_checkouts" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "ref" character varying NOT NULL, "order_id" uuid NOT NULL, "amount_minor" bigint NOT NULL, "currency" character varying NOT NULL, "description" character varying NOT NULL, "status" character varying NOT NULL, "refunded_minor" bigint NOT NULL DEFAULT 0, "expires_at" timestamptz NOT NULL, PRIMARY KEY ("id"));
-- create index "sandbox_checkouts_order_id_key" to table: "sandbox_checkouts"
CREATE UNIQUE INDEX "sandbox_checkouts_order_id_key" ON "sandbox_checkouts" ("order_id");
-- create index "sandbox_checkouts_ref_key" to table: "sandbox_checkouts"
CREATE UNIQUE INDEX "sandbox_checkouts_ref_key" ON "sandbox_checkouts" ("ref");
-- create index "sandboxcheckout_created_at" to table: "sandbox_checkouts"
CREATE INDEX "sandboxcheckout_created_at" ON "sandbox_checkouts" ("created_at");
-- create "counters" table
CREATE TABLE "counters" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "name" character varying NOT NULL, "value" bigint NOT NULL, PRIMARY KEY ("id"));
-- create index "counters_name_key" to table: "counters"
CREATE UNIQUE INDEX "counters_name_key" ON "counters" ("name");
-- create "deliveries" table
CREATE TABLE "deliveries" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "user_id" uuid NULL, "kind" character varying NOT NULL, "subject_id" uuid NOT NULL, "occurrence" character varying NOT NULL, "channel" character varying NOT NULL, "address" character varying NOT NULL, "subject" character varying NOT NULL, "body" character varying NOT NULL, "status" character varying NOT NULL, "attempts" bigint NOT NULL DEFAULT 0, "next_attempt_at" timestamptz NOT NULL, "leased_until" timestamptz NULL, "sent_at" timestamptz NULL, "answer" character varying NULL, PRIMARY KEY ("id"));
-- create index "delivery_created_at" to table: "deliveries"
CREATE INDEX "delivery_created_at" ON "deliveries" ("created_at");
-- create index "delivery_kind_subject_id_occurrence_channel_address" to table: "deliveries"
CREATE UNIQUE INDEX "delivery_kind_subject_id_occurrence_channel_address" ON "deliveries" ("kind", "subject_id", "occurrence", "channel", "address");
-- create index "delivery_status_next_attempt_at" to table: "deliveries"
CREATE INDEX "delivery_status_next_attempt_at" ON "deliveries" ("status", "next_attempt_at");
-- create index "delivery_user_id" to table: "deliveries"
CREATE INDEX "delivery_user_id" ON "deliveries" ("user_id");
-- create "users" table
CREATE TABLE "users" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "version" bigint NOT NULL DEFAULT 1, "updated_at" timestamptz NOT NULL, "email" character varying NOT NULL, "email_key" character varying NOT NULL, "password_hash" character varying NOT NULL, "given_name" character varying NOT NULL, "family_name" character varying NOT NULL, "phone" character varying NULL, "roles" jsonb NOT NULL, "is_active" boolean NOT NULL DEFAULT true, "email_verified_at" timestamptz NULL, "deactivated_at" timestamptz NULL, PRIMARY KEY ("id"));
-- create index "user_created_at" to table: "users"
CREATE INDEX "user_created_at" ON "users" ("created_at");
-- create index "users_email_key_key" to table: "users"
CREATE UNIQUE INDEX "users_email_key_key" ON "users" ("email_key");
-- create "idempotency_keys" table
CREATE TABLE "idempotency_keys" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "scope" character varying NOT NULL, "key" character varying NOT NULL, "input_hash" character varying NOT NULL, "result_ids" jsonb NULL, "expires_at" timestamptz NOT NULL, PRIMARY KEY ("id"));
-- create index "idempotencykey_expires_at" to table: "idempotency_keys"
CREATE INDEX "idempotencykey_expires_at" ON "idempotency_keys" ("expires_at");
-- create index "idempotencykey_scope_key" to table: "idempotency_keys"
CREATE UNIQUE INDEX "idempotencykey_scope_key" ON "idempotency_keys" ("scope", "key");
-- create "patients" table
CREATE TABLE "patients" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "version" bigint NOT NULL DEFAULT 1, "updated_at" timestamptz NOT NULL, "number" character varying NOT NULL, "given_name" character varying NOT NULL, "family_name" character varying NOT NULL, "search_key" character varying NOT NULL, "birth_date" date NULL, "gender" character varying NOT NULL DEFAULT 'UNKNOWN', "email" character varying NULL, "phone" character varying NULL, "address_line" character varying NULL, "suburb" character varying NULL, "state" character varying NULL, "postcode" character varying NULL, "medicare_number" character varying NULL, "medicare_irn" character varying NULL, "medicare_expiry" character varying NULL, "ihi" character varying NULL, "type" character varying NOT NULL DEFAULT 'REGULAR', "time_zone" character varying NOT NULL, "user_id" uuid NULL, PRIMARY KEY ("id"), CONSTRAINT "patients_users_user" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "patient_created_at" to table: "patients"
CREATE INDEX "patient_created_at" ON "patients" ("created_at");
-- create index "patient_family_name" to table: "patients"
CREATE INDEX "patient_family_name" ON "patients" ("family_name");
-- create index "patient_medicare_number_medicare_irn" to table: "patients"
CREATE UNIQUE INDEX "patient_medicare_number_medicare_irn" ON "patients" ("medicare_number", "medicare_irn");
-- create index "patient_user_id" to table: "patients"
CREATE UNIQUE INDEX "patient_user_id" ON "patients" ("user_id");
-- create index "patients_ihi_key" to table: "patients"
CREATE UNIQUE INDEX "patients_ihi_key" ON "patients" ("ihi");
-- create index "patients_number_key" to table: "patients"
CREATE UNIQUE INDEX "patients_number_key" ON "patients" ("number");
-- create "practitioners" table
CREATE TABLE "practitioners" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "version" bigint NOT NULL DEFAULT 1, "updated_at" timestamptz NOT NULL, "name" character varying NOT NULL, "kind" character varying NOT NULL, "specialty" character varying NULL, "qualification" character varying NULL, "time_zone" character varying NOT NULL, "is_active" boolean NOT NULL DEFAULT true, "user_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "practitioners_users_user" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "practitioner_created_at" to table: "practitioners"
CREATE INDEX "practitioner_created_at" ON "practitioners" ("created_at");
-- create index "practitioner_name" to table: "practitioners"
CREATE INDEX "practitioner_name" ON "practitioners" ("name");
-- create index "practitioner_user_id" to table: "practitioners"
CREATE UNIQUE INDEX "practitioner_user_id" ON "practitioners" ("user_id");
-- create "slots" table
CREATE TABLE "slots" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "version" bigint NOT NULL DEFAULT 1, "updated_at" timestamptz NOT NULL, "starts_at" timestamptz NOT NULL, "ends_at" timestamptz NOT NULL, "type" character varying NOT NULL, "duration_minutes" bigint NOT NULL, "time_zone" character varying NOT NULL, "local_date" date NOT NULL, "practitioner_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "slots_practitioners_practitioner" FOREIGN KEY ("practitioner_id") REFERENCES "practitioners" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "slot_created_at" to table: "slots"
CREATE INDEX "slot_created_at" ON "slots" ("created_at");
-- create index "slot_practitioner_id_starts_at" to table: "slots"
CREATE UNIQUE INDEX "slot_practitioner_id_starts_at" ON "slots" ("practitioner_id", "starts_at");
-- create index "slot_starts_at" to table: "slots"
CREATE INDEX "slot_starts_at" ON "slots" ("starts_at");
-- create "appointments" table
CREATE TABLE "appointments" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "version" bigint NOT NULL DEFAULT 1, "updated_at" timestamptz NOT NULL, "starts_at" timestamptz NOT NULL, "ends_at" timestamptz NOT NULL, "status" character varying NOT NULL, "is_initial" boolean NOT NULL, "price_minor" bigint NOT NULL, "currency" character varying NOT NULL, "expires_at" timestamptz NOT NULL, "patient_id" uuid NOT NULL, "practitioner_id" uuid NOT NULL, "slot_id" uuid NOT NULL, "booked_by" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "appointments_patients_patient" FOREIGN KEY ("patient_id") REFERENCES "patients" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "appointments_practitioners_practitioner" FOREIGN KEY ("practitioner_id") REFERENCES "practitioners" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "appointments_slots_slot" FOREIGN KEY ("slot_id") REFERENCES "slots" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "appointments_users_booker" FOREIGN KEY ("booked_by") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "appointment_booked_by_created_at" to table: "appointments"
CREATE INDEX "appointment_booked_by_created_at" ON "appointments" ("booked_by", "created_at");
-- create index "appointment_created_at" to table: "appointments"
CREATE INDEX "appointment_created_at" ON "appointments" ("created_at");
-- create index "appointment_patient_id_starts_at" to table: "appointments"
CREATE INDEX "appointment_patient_id_starts_at" ON "appointments" ("patient_id", "starts_at");
-- create index "appointment_practitioner_id_starts_at" to table: "appointments"
CREATE INDEX "appointment_practitioner_id_starts_at" ON "appointments" ("practitioner_id", "starts_at");
-- create index "appointment_slot_id_status" to table: "appointments"
CREATE INDEX "appointment_slot_id_status" ON "appointments" ("slot_id", "status");
-- create index "appointment_starts_at" to table: "appointments"
CREATE INDEX "appointment_starts_at" ON "appointments" ("starts_at");
-- create index "appointment_status_expires_at" to table: "appointments"
CREATE INDEX "appointment_status_expires_at" ON "appointments" ("status", "expires_at");
-- create index "appointments_live_slot" to table: "appointments"
CREATE UNIQUE INDEX "appointments_live_slot" ON "appointments" ("slot_id") WHERE ((status)::text = ANY ((ARRAY['PENDING'::character varying, 'BOOKED'::character varying, 'COMPLETED'::character varying, 'NO_SHOW'::character varying])::text[]));
-- create "appointment_intakes" table
CREATE TABLE "appointment_intakes" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "version" bigint NOT NULL DEFAULT 1, "updated_at" timestamptz NOT NULL, "note" character varying NULL, "appointment_id" uuid NOT NULL, "patient_id" uuid NOT NULL, "practitioner_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "appointment_intakes_appointments_intake" FOREIGN KEY ("appointment_id") REFERENCES "appointments" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION, CONSTRAINT "appointment_intakes_patients_patient" FOREIGN KEY ("patient_id") REFERENCES "patients" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "appointment_intakes_practitioners_practitioner" FOREIGN KEY ("practitioner_id") REFERENCES "practitioners" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "appointment_intakes_appointment_id_key" to table: "appointment_intakes"
CREATE UNIQUE INDEX "appointment_intakes_appointment_id_key" ON "appointment_intakes" ("appointment_id");
-- create index "appointmentintake_appointment_id" to table: "appointment_intakes"
CREATE UNIQUE INDEX "appointmentintake_appointment_id" ON "appointment_intakes" ("appointment_id");
-- create index "appointmentintake_patient_id" to table: "appointment_intakes"
CREATE INDEX "appointmentintake_patient_id" ON "appointment_intakes" ("patient_id");
-- create index "appointmentintake_practitioner_id" to table: "appointment_intakes"
CREATE INDEX "appointmentintake_practitioner_id" ON "appointment_intakes" ("practitioner_id");
-- create "appointment_status_changes" table
CREATE TABLE "appointment_status_changes" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "from_status" character varying NULL, "to_status" character varying NOT NULL, "changed_by" uuid NULL, "cause" character varying NOT NULL, "reason" character varying NULL, "appointment_id" uuid NOT NULL, "patient_id" uuid NOT NULL, "practitioner_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "appointment_status_changes_appointments_appointment" FOREIGN KEY ("appointment_id") REFERENCES "appointments" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "appointment_status_changes_patients_patient" FOREIGN KEY ("patient_id") REFERENCES "patients" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "appointment_status_changes_practitioners_practitioner" FOREIGN KEY ("practitioner_id") REFERENCES "practitioners" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "appointmentstatuschange_appointment_id_created_at" to table: "appointment_status_changes"
CREATE INDEX "appointmentstatuschange_appointment_id_created_at" ON "appointment_status_changes" ("appointment_id", "created_at");
-- create index "appointmentstatuschange_patient_id" to table: "appointment_status_changes"
CREATE INDEX "appointmentstatuschange_patient_id" ON "appointment_status_changes" ("patient_id");
-- create index "appointmentstatuschange_practitioner_id" to table: "appointment_status_changes"
CREATE INDEX "appointmentstatuschange_practitioner_id" ON "appointment_status_changes" ("practitioner_id");
-- create "care_relations" table
CREATE TABLE "care_relations" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "source" character varying NOT NULL, "source_id" uuid NOT NULL, "practitioner_id" uuid NOT NULL, "patient_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "care_relations_patients_patient" FOREIGN KEY ("patient_id") REFERENCES "patients" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "care_relations_practitioners_practitioner" FOREIGN KEY ("practitioner_id") REFERENCES "practitioners" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "carerelation_patient_id" to table: "care_relations"
CREATE INDEX "carerelation_patient_id" ON "care_relations" ("patient_id");
-- create index "carerelation_practitioner_id_patient_id_source_source_id" to table: "care_relations"
CREATE UNIQUE INDEX "carerelation_practitioner_id_patient_id_source_source_id" ON "care_relations" ("practitioner_id", "patient_id", "source", "source_id");
-- create "email_tokens" table
CREATE TABLE "email_tokens" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "purpose" character varying NOT NULL, "token_hash" character varying NOT NULL, "expires_at" timestamptz NOT NULL, "used_at" timestamptz NULL, "user_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "email_tokens_users_user" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "email_tokens_token_hash_key" to table: "email_tokens"
CREATE UNIQUE INDEX "email_tokens_token_hash_key" ON "email_tokens" ("token_hash");
-- create index "emailtoken_user_id" to table: "email_tokens"
CREATE INDEX "emailtoken_user_id" ON "email_tokens" ("user_id");
-- create "notifications" table
CREATE TABLE "notifications" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "kind" character varying NOT NULL, "subject_id" uuid NOT NULL, "occurrence" character varying NOT NULL, "title" character varying NOT NULL, "text" character varying NOT NULL, "read_at" timestamptz NULL, "withdrawn_at" timestamptz NULL, "user_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "notifications_users_user" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "notification_kind_subject_id_occurrence_user_id" to table: "notifications"
CREATE UNIQUE INDEX "notification_kind_subject_id_occurrence_user_id" ON "notifications" ("kind", "subject_id", "occurrence", "user_id");
-- create index "notification_user_id_created_at" to table: "notifications"
CREATE INDEX "notification_user_id_created_at" ON "notifications" ("user_id", "created_at");
-- create "orders" table
CREATE TABLE "orders" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "version" bigint NOT NULL DEFAULT 1, "updated_at" timestamptz NOT NULL, "amount_minor" bigint NOT NULL, "currency" character varying NOT NULL, "status" character varying NOT NULL, "provider" character varying NOT NULL, "provider_ref" character varying NULL, "payment_ref" character varying NULL, "checkout_url" character varying NULL, "expires_at" timestamptz NOT NULL, "paid_at" timestamptz NULL, "completed_at" timestamptz NULL, "refunded_minor" bigint NOT NULL DEFAULT 0, "fee_minor" bigint NOT NULL DEFAULT 0, "appointment_id" uuid NOT NULL, "patient_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "orders_appointments_appointment" FOREIGN KEY ("appointment_id") REFERENCES "appointments" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "orders_patients_patient" FOREIGN KEY ("patient_id") REFERENCES "patients" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "order_appointment_id_created_at" to table: "orders"
CREATE INDEX "order_appointment_id_created_at" ON "orders" ("appointment_id", "created_at");
-- create index "order_created_at" to table: "orders"
CREATE INDEX "order_created_at" ON "orders" ("created_at");
-- create index "order_patient_id_created_at" to table: "orders"
CREATE INDEX "order_patient_id_created_at" ON "orders" ("patient_id", "created_at");
-- create index "order_status_created_at" to table: "orders"
CREATE INDEX "order_status_created_at" ON "orders" ("status", "created_at");
-- create index "orders_live_appointment" to table: "orders"
CREATE UNIQUE INDEX "orders_live_appointment" ON "orders" ("appointment_id") WHERE ((status)::text = ANY ((ARRAY['PENDING'::character varying, 'PAID'::character varying, 'COMPLETED'::character varying])::text[]));
-- create index "orders_provider_ref_key" to table: "orders"
CREATE UNIQUE INDEX "orders_provider_ref_key" ON "orders" ("provider_ref");
-- create "practitioner_credentials" table
CREATE TABLE "practitioner_credentials" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "version" bigint NOT NULL DEFAULT 1, "updated_at" timestamptz NOT NULL, "ahpra_number" character varying NULL, "ahpra_expires_on" date NULL, "prescriber_number" character varying NULL, "provider_number" character varying NULL, "hpi_i" character varying NULL, "has_schedule8_authority" boolean NOT NULL DEFAULT false, "schedule8_expires_on" date NULL, "practitioner_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "practitioner_credentials_practitioners_credentials" FOREIGN KEY ("practitioner_id") REFERENCES "practitioners" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION);
-- create index "practitioner_credentials_practitioner_id_key" to table: "practitioner_credentials"
CREATE UNIQUE INDEX "practitioner_credentials_practitioner_id_key" ON "practitioner_credentials" ("practitioner_id");
-- create index "practitionercredential_practitioner_id" to table: "practitioner_credentials"
CREATE UNIQUE INDEX "practitionercredential_practitioner_id" ON "practitioner_credentials" ("practitioner_id");
-- create "refunds" table
CREATE TABLE "refunds" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "amount_minor" bigint NOT NULL, "currency" character varying NOT NULL, "status" character varying NOT NULL, "reason" character varying NOT NULL, "provider_ref" character varying NULL, "attempts" bigint NOT NULL DEFAULT 0, "next_attempt_at" timestamptz NULL, "order_id" uuid NOT NULL, "patient_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "refunds_orders_order" FOREIGN KEY ("order_id") REFERENCES "orders" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "refunds_patients_patient" FOREIGN KEY ("patient_id") REFERENCES "patients" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "refund_order_id" to table: "refunds"
CREATE INDEX "refund_order_id" ON "refunds" ("order_id");
-- create index "refund_patient_id" to table: "refunds"
CREATE INDEX "refund_patient_id" ON "refunds" ("patient_id");
-- create index "refund_status_next_attempt_at" to table: "refunds"
CREATE INDEX "refund_status_next_attempt_at" ON "refunds" ("status", "next_attempt_at");
-- create "sessions" table
CREATE TABLE "sessions" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "last_activity_at" timestamptz NOT NULL, "expires_at" timestamptz NOT NULL, "ends_at" timestamptz NOT NULL, "ended_at" timestamptz NULL, "end_reason" character varying NULL, "ip" character varying NOT NULL, "user_agent" character varying NOT NULL, "is_suspicious" boolean NOT NULL DEFAULT false, "user_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "sessions_users_user" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "session_ended_at_expires_at" to table: "sessions"
CREATE INDEX "session_ended_at_expires_at" ON "sessions" ("ended_at", "expires_at");
-- create index "session_user_id_ended_at" to table: "sessions"
CREATE INDEX "session_user_id_ended_at" ON "sessions" ("user_id", "ended_at");
