-- +goose Up
-- drop index "appointments_live_slot" from table: "appointments"
DROP INDEX "appointments_live_slot";
-- create index "appointments_live_slot" to table: "appointments"
CREATE UNIQUE INDEX "appointments_live_slot" ON "appointments" ("slot_id") WHERE ((status)::text = ANY ((ARRAY['PENDING'::character varying, 'BOOKED'::character varying, 'COMPLETED'::character varying, 'NO_SHOW'::character varying])::text[]));
-- modify "chat_messages" table
ALTER TABLE "chat_messages" ADD COLUMN "search_key" character varying NULL;
-- drop index "orders_live_appointment" from table: "orders"
DROP INDEX "orders_live_appointment";
-- modify "orders" table
ALTER TABLE "orders" ADD COLUMN "method" character varying NULL, ADD COLUMN "checkout_at" timestamptz NULL, ADD COLUMN "failed_at" timestamptz NULL, ADD COLUMN "expired_at" timestamptz NULL;
-- create index "orders_live_appointment" to table: "orders"
CREATE UNIQUE INDEX "orders_live_appointment" ON "orders" ("appointment_id") WHERE ((status)::text = ANY ((ARRAY['PENDING'::character varying, 'PAID'::character varying, 'COMPLETED'::character varying])::text[]));
-- create index "order_payment_ref" to table: "orders"
CREATE INDEX "order_payment_ref" ON "orders" ("payment_ref");
-- modify "refunds" table
ALTER TABLE "refunds" ADD COLUMN "finished_at" timestamptz NULL;
-- modify "chat_rooms" table
ALTER TABLE "chat_rooms" ADD COLUMN "status_since" timestamptz NULL, ADD COLUMN "deleted_at" timestamptz NULL;
-- create index "chat_rooms_deleted" to table: "chat_rooms"
CREATE INDEX "chat_rooms_deleted" ON "chat_rooms" ("deleted_at") WHERE (deleted_at IS NOT NULL);
-- create index "chatroom_status_status_since" to table: "chat_rooms"
CREATE INDEX "chatroom_status_status_since" ON "chat_rooms" ("status", "status_since");
-- create "chat_uploads" table
CREATE TABLE "chat_uploads" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "purpose" character varying NOT NULL, "file_name" character varying NOT NULL, "content_type" character varying NOT NULL, "size_bytes" bigint NOT NULL, "expires_at" timestamptz NOT NULL, "stored_at" timestamptz NULL, "object_key" character varying NULL, "room_id" uuid NOT NULL, "patient_id" uuid NOT NULL, "practitioner_id" uuid NOT NULL, "user_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "chat_uploads_chat_rooms_room" FOREIGN KEY ("room_id") REFERENCES "chat_rooms" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "chat_uploads_patients_patient" FOREIGN KEY ("patient_id") REFERENCES "patients" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "chat_uploads_practitioners_practitioner" FOREIGN KEY ("practitioner_id") REFERENCES "practitioners" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "chat_uploads_users_user" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "chatupload_created_at" to table: "chat_uploads"
CREATE INDEX "chatupload_created_at" ON "chat_uploads" ("created_at");
-- create index "chatupload_patient_id" to table: "chat_uploads"
CREATE INDEX "chatupload_patient_id" ON "chat_uploads" ("patient_id");
-- create index "chatupload_practitioner_id" to table: "chat_uploads"
CREATE INDEX "chatupload_practitioner_id" ON "chat_uploads" ("practitioner_id");
-- create index "chatupload_room_id" to table: "chat_uploads"
CREATE INDEX "chatupload_room_id" ON "chat_uploads" ("room_id");
-- create index "chatupload_user_id" to table: "chat_uploads"
CREATE INDEX "chatupload_user_id" ON "chat_uploads" ("user_id");
-- create "chat_attachments" table
CREATE TABLE "chat_attachments" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "place" bigint NOT NULL, "file_name" character varying NOT NULL, "content_type" character varying NOT NULL, "size_bytes" bigint NOT NULL, "room_id" uuid NOT NULL, "patient_id" uuid NOT NULL, "practitioner_id" uuid NOT NULL, "message_id" uuid NOT NULL, "upload_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "chat_attachments_chat_messages_message" FOREIGN KEY ("message_id") REFERENCES "chat_messages" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "chat_attachments_chat_rooms_room" FOREIGN KEY ("room_id") REFERENCES "chat_rooms" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "chat_attachments_chat_uploads_upload" FOREIGN KEY ("upload_id") REFERENCES "chat_uploads" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "chat_attachments_patients_patient" FOREIGN KEY ("patient_id") REFERENCES "patients" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "chat_attachments_practitioners_practitioner" FOREIGN KEY ("practitioner_id") REFERENCES "practitioners" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "chatattachment_message_id_place" to table: "chat_attachments"
CREATE UNIQUE INDEX "chatattachment_message_id_place" ON "chat_attachments" ("message_id", "place");
-- create index "chatattachment_patient_id" to table: "chat_attachments"
CREATE INDEX "chatattachment_patient_id" ON "chat_attachments" ("patient_id");
-- create index "chatattachment_practitioner_id" to table: "chat_attachments"
CREATE INDEX "chatattachment_practitioner_id" ON "chat_attachments" ("practitioner_id");
-- create index "chatattachment_room_id" to table: "chat_attachments"
CREATE INDEX "chatattachment_room_id" ON "chat_attachments" ("room_id");
-- create index "chatattachment_upload_id" to table: "chat_attachments"
CREATE UNIQUE INDEX "chatattachment_upload_id" ON "chat_attachments" ("upload_id");
-- create "chat_message_versions" table
CREATE TABLE "chat_message_versions" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "number" bigint NOT NULL, "body" character varying NULL, "search_key" character varying NULL, "message_id" uuid NOT NULL, "room_id" uuid NOT NULL, "patient_id" uuid NOT NULL, "practitioner_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "chat_message_versions_chat_messages_versions" FOREIGN KEY ("message_id") REFERENCES "chat_messages" ("id") ON UPDATE NO ACTION ON DELETE NO ACTION, CONSTRAINT "chat_message_versions_chat_rooms_room" FOREIGN KEY ("room_id") REFERENCES "chat_rooms" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "chat_message_versions_patients_patient" FOREIGN KEY ("patient_id") REFERENCES "patients" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "chat_message_versions_practitioners_practitioner" FOREIGN KEY ("practitioner_id") REFERENCES "practitioners" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "chatmessageversion_message_id_number" to table: "chat_message_versions"
CREATE UNIQUE INDEX "chatmessageversion_message_id_number" ON "chat_message_versions" ("message_id", "number");
-- create index "chatmessageversion_patient_id" to table: "chat_message_versions"
CREATE INDEX "chatmessageversion_patient_id" ON "chat_message_versions" ("patient_id");
-- create index "chatmessageversion_practitioner_id" to table: "chat_message_versions"
CREATE INDEX "chatmessageversion_practitioner_id" ON "chat_message_versions" ("practitioner_id");
-- create index "chatmessageversion_room_id" to table: "chat_message_versions"
CREATE INDEX "chatmessageversion_room_id" ON "chat_message_versions" ("room_id");
-- create "record_openings" table
CREATE TABLE "record_openings" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "reason" character varying NOT NULL, "expires_at" timestamptz NOT NULL, "room_id" uuid NOT NULL, "patient_id" uuid NOT NULL, "practitioner_id" uuid NOT NULL, "user_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "record_openings_chat_rooms_room" FOREIGN KEY ("room_id") REFERENCES "chat_rooms" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "record_openings_patients_patient" FOREIGN KEY ("patient_id") REFERENCES "patients" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "record_openings_practitioners_practitioner" FOREIGN KEY ("practitioner_id") REFERENCES "practitioners" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "record_openings_users_user" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "recordopening_patient_id" to table: "record_openings"
CREATE INDEX "recordopening_patient_id" ON "record_openings" ("patient_id");
-- create index "recordopening_practitioner_id" to table: "record_openings"
CREATE INDEX "recordopening_practitioner_id" ON "record_openings" ("practitioner_id");
-- create index "recordopening_room_id" to table: "record_openings"
CREATE INDEX "recordopening_room_id" ON "record_openings" ("room_id");
-- create index "recordopening_user_id_expires_at" to table: "record_openings"
CREATE INDEX "recordopening_user_id_expires_at" ON "record_openings" ("user_id", "expires_at");
