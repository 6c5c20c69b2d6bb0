-- +goose Up
-- drop index "appointments_live_slot" from table: "appointments"
DROP INDEX "appointments_live_slot";
-- create index "appointments_live_slot" to table: "appointments"
CREATE UNIQUE INDEX "appointments_live_slot" ON "appointments" ("slot_id") WHERE ((status)::text = ANY ((ARRAY['PENDING'::character varying, 'BOOKED'::character varying, 'COMPLETED'::character varying, 'NO_SHOW'::character varying])::text[]));
-- modify "login_attempts" table
ALTER TABLE "login_attempts" ADD COLUMN "session_ended_at" timestamptz NULL, ADD COLUMN "session_end_reason" character varying NULL;
-- drop index "orders_live_appointment" from table: "orders"
DROP INDEX "orders_live_appointment";
-- create index "orders_live_appointment" to table: "orders"
CREATE UNIQUE INDEX "orders_live_appointment" ON "orders" ("appointment_id") WHERE ((status)::text = ANY ((ARRAY['PENDING'::character varying, 'PAID'::character varying, 'COMPLETED'::character varying])::text[]));
-- create "link_codes" table
CREATE TABLE "link_codes" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "address" character varying NOT NULL, "code_hash" character varying NOT NULL, "expires_at" timestamptz NOT NULL, "used_at" timestamptz NULL, "patient_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "link_codes_patients_patient" FOREIGN KEY ("patient_id") REFERENCES "patients" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "link_codes_code_hash_key" to table: "link_codes"
CREATE UNIQUE INDEX "link_codes_code_hash_key" ON "link_codes" ("code_hash");
-- create index "linkcode_address_created_at" to table: "link_codes"
CREATE INDEX "linkcode_address_created_at" ON "link_codes" ("address", "created_at");
-- create index "linkcode_expires_at" to table: "link_codes"
CREATE INDEX "linkcode_expires_at" ON "link_codes" ("expires_at");
-- create index "linkcode_patient_id" to table: "link_codes"
CREATE INDEX "linkcode_patient_id" ON "link_codes" ("patient_id");
-- modify "users" table
ALTER TABLE "users" ADD COLUMN "has_totp" boolean NOT NULL DEFAULT false;
-- create "recovery_codes" table
CREATE TABLE "recovery_codes" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "code_hash" character varying NOT NULL, "used_at" timestamptz NULL, "user_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "recovery_codes_users_user" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "recoverycode_user_id_code_hash" to table: "recovery_codes"
CREATE UNIQUE INDEX "recoverycode_user_id_code_hash" ON "recovery_codes" ("user_id", "code_hash");
-- create "second_factors" table
CREATE TABLE "second_factors" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "sealed" character varying NOT NULL, "key_id" character varying NOT NULL, "last_counter" bigint NOT NULL DEFAULT 0, "confirmed_at" timestamptz NULL, "user_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "second_factors_users_user" FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "secondfactor_user_id" to table: "second_factors"
CREATE UNIQUE INDEX "secondfactor_user_id" ON "second_factors" ("user_id");
