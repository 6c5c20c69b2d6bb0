-- +goose Up
-- drop index "appointments_live_slot" from table: "appointments"
DROP INDEX "appointments_live_slot";
-- create index "appointments_live_slot" to table: "appointments"
CREATE UNIQUE INDEX "appointments_live_slot" ON "appointments" ("slot_id") WHERE ((status)::text = ANY ((ARRAY['PENDING'::character varying, 'BOOKED'::character varying, 'COMPLETED'::character varying, 'NO_SHOW'::character varying])::text[]));
-- drop index "orders_live_appointment" from table: "orders"
DROP INDEX "orders_live_appointment";
-- create index "orders_live_appointment" to table: "orders"
CREATE UNIQUE INDEX "orders_live_appointment" ON "orders" ("appointment_id") WHERE ((status)::text = ANY ((ARRAY['PENDING'::character varying, 'PAID'::character varying, 'COMPLETED'::character varying])::text[]));
-- create "job_runs" table
CREATE TABLE "job_runs" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "job" character varying NOT NULL, "occurrence" timestamptz NOT NULL, "first_occurrence" timestamptz NOT NULL, "occurrences" bigint NOT NULL DEFAULT 1, "state" character varying NOT NULL, "cause" character varying NOT NULL, "attempts" bigint NOT NULL DEFAULT 0, "reason" character varying NOT NULL DEFAULT '', "error" character varying NOT NULL DEFAULT '', "counts" jsonb NULL, "started_at" timestamptz NULL, "finished_at" timestamptz NULL, "lease_until" timestamptz NULL, "retry_at" timestamptz NULL, "runner" character varying NOT NULL DEFAULT '', PRIMARY KEY ("id"));
-- create index "jobrun_job_occurrence" to table: "job_runs"
CREATE UNIQUE INDEX "jobrun_job_occurrence" ON "job_runs" ("job", "occurrence");
-- create index "jobrun_occurrence" to table: "job_runs"
CREATE INDEX "jobrun_occurrence" ON "job_runs" ("occurrence");
-- create index "jobrun_state_retry_at" to table: "job_runs"
CREATE INDEX "jobrun_state_retry_at" ON "job_runs" ("state", "retry_at");
-- create "streams" table
CREATE TABLE "streams" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "position" bigint NOT NULL DEFAULT 0, "items" bigint NOT NULL DEFAULT 0, PRIMARY KEY ("id"));
-- create "stream_entries" table
CREATE TABLE "stream_entries" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "stream_id" uuid NOT NULL, "position" bigint NOT NULL, "kind" character varying NOT NULL, "subject_id" uuid NULL, "data" character varying NOT NULL DEFAULT '', "patient_id" uuid NULL, PRIMARY KEY ("id"));
-- create index "streamentry_patient_id" to table: "stream_entries"
CREATE INDEX "streamentry_patient_id" ON "stream_entries" ("patient_id");
-- create index "streamentry_stream_id_position" to table: "stream_entries"
CREATE UNIQUE INDEX "streamentry_stream_id_position" ON "stream_entries" ("stream_id", "position");
-- create "chat_rooms" table
CREATE TABLE "chat_rooms" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "status" character varying NOT NULL, "appointment_id" uuid NOT NULL, "patient_id" uuid NOT NULL, "practitioner_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "chat_rooms_appointments_appointment" FOREIGN KEY ("appointment_id") REFERENCES "appointments" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "chat_rooms_patients_patient" FOREIGN KEY ("patient_id") REFERENCES "patients" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "chat_rooms_practitioners_practitioner" FOREIGN KEY ("practitioner_id") REFERENCES "practitioners" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "chatroom_appointment_id" to table: "chat_rooms"
CREATE UNIQUE INDEX "chatroom_appointment_id" ON "chat_rooms" ("appointment_id");
-- create index "chatroom_patient_id" to table: "chat_rooms"
CREATE INDEX "chatroom_patient_id" ON "chat_rooms" ("patient_id");
-- create index "chatroom_practitioner_id" to table: "chat_rooms"
CREATE INDEX "chatroom_practitioner_id" ON "chat_rooms" ("practitioner_id");
-- create "chat_messages" table
CREATE TABLE "chat_messages" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "sender_role" character varying NOT NULL, "position" bigint NOT NULL, "body" character varying NOT NULL, "client_message_id" character varying NULL, "room_id" uuid NOT NULL, "patient_id" uuid NOT NULL, "practitioner_id" uuid NOT NULL, "sender_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "chat_messages_chat_rooms_room" FOREIGN KEY ("room_id") REFERENCES "chat_rooms" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "chat_messages_patients_patient" FOREIGN KEY ("patient_id") REFERENCES "patients" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "chat_messages_practitioners_practitioner" FOREIGN KEY ("practitioner_id") REFERENCES "practitioners" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "chat_messages_users_sender" FOREIGN KEY ("sender_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "chatmessage_patient_id" to table: "chat_messages"
CREATE INDEX "chatmessage_patient_id" ON "chat_messages" ("patient_id");
-- create index "chatmessage_practitioner_id" to table: "chat_messages"
CREATE INDEX "chatmessage_practitioner_id" ON "chat_messages" ("practitioner_id");
-- create index "chatmessage_room_id_position" to table: "chat_messages"
CREATE UNIQUE INDEX "chatmessage_room_id_position" ON "chat_messages" ("room_id", "position");
-- create index "chatmessage_sender_id_room_id_client_message_id" to table: "chat_messages"
CREATE UNIQUE INDEX "chatmessage_sender_id_room_id_client_message_id" ON "chat_messages" ("sender_id", "room_id", "client_message_id");
-- create "chat_reads" table
CREATE TABLE "chat_reads" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "up_to" bigint NOT NULL, "room_id" uuid NOT NULL, "patient_id" uuid NOT NULL, "practitioner_id" uuid NOT NULL, "user_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "chat_reads_chat_rooms_room" FOREIGN KEY ("room_id") REFERENCES "chat_rooms" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "chat_reads_patients_patient" FOREIGN KEY ("patient_id") REFERENCES "patients" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "chat_reads_practitioners_practitioner" FOREIGN KEY ("practitioner_id") REFERENCES "practitioners" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "chat_reads_users_user" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "chatread_patient_id" to table: "chat_reads"
CREATE INDEX "chatread_patient_id" ON "chat_reads" ("patient_id");
-- create index "chatread_practitioner_id" to table: "chat_reads"
CREATE INDEX "chatread_practitioner_id" ON "chat_reads" ("practitioner_id");
-- create index "chatread_room_id_user_id_up_to" to table: "chat_reads"
CREATE UNIQUE INDEX "chatread_room_id_user_id_up_to" ON "chat_reads" ("room_id", "user_id", "up_to");
-- create index "chatread_user_id" to table: "chat_reads"
CREATE INDEX "chatread_user_id" ON "chat_reads" ("user_id");
