-- +goose Up
-- modify "appointment_intakes" table
ALTER TABLE "appointment_intakes" ADD COLUMN "symptoms" character varying NULL, ADD COLUMN "consultation_type" character varying NULL;
-- modify "appointment_status_changes" table
ALTER TABLE "appointment_status_changes" ADD COLUMN "context" character varying NULL;
-- drop index "orders_live_appointment" from table: "orders"
DROP INDEX "orders_live_appointment";
-- create index "orders_live_appointment" to table: "orders"
CREATE UNIQUE INDEX "orders_live_appointment" ON "orders" ("appointment_id") WHERE ((status)::text = ANY ((ARRAY['PENDING'::character varying, 'PAID'::character varying, 'COMPLETED'::character varying])::text[]));
-- drop index "slot_practitioner_id_starts_at" from table: "slots"
DROP INDEX "slot_practitioner_id_starts_at";
-- modify "slots" table
ALTER TABLE "slots" ADD COLUMN "status" character varying NOT NULL DEFAULT 'OPEN';
-- create index "slot_practitioner_id_starts_at" to table: "slots"
CREATE INDEX "slot_practitioner_id_starts_at" ON "slots" ("practitioner_id", "starts_at");
-- drop index "appointments_live_slot" from table: "appointments"
DROP INDEX "appointments_live_slot";
-- modify "appointments" table
ALTER TABLE "appointments" ADD COLUMN "deleted_at" timestamptz NULL, ADD COLUMN "deleted_by" uuid NULL, ADD COLUMN "rescheduled_from_id" uuid NULL, ADD CONSTRAINT "appointments_appointments_rescheduled_to" FOREIGN KEY ("rescheduled_from_id") REFERENCES "appointments" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, ADD CONSTRAINT "appointments_users_deleter" FOREIGN KEY ("deleted_by") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT;
-- create index "appointments_live_slot" to table: "appointments"
CREATE UNIQUE INDEX "appointments_live_slot" ON "appointments" ("slot_id") WHERE ((status)::text = ANY ((ARRAY['PENDING'::character varying, 'BOOKED'::character varying, 'COMPLETED'::character varying, 'NO_SHOW'::character varying])::text[]));
-- create index "appointment_deleted_by" to table: "appointments"
CREATE INDEX "appointment_deleted_by" ON "appointments" ("deleted_by");
-- create index "appointments_rescheduled_from_id_key" to table: "appointments"
CREATE UNIQUE INDEX "appointments_rescheduled_from_id_key" ON "appointments" ("rescheduled_from_id");
-- create "leaves" table
CREATE TABLE "leaves" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "starts_at" timestamptz NOT NULL, "ends_at" timestamptz NOT NULL, "reason" character varying NULL, "practitioner_id" uuid NOT NULL, "created_by" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "leaves_practitioners_practitioner" FOREIGN KEY ("practitioner_id") REFERENCES "practitioners" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "leaves_users_creator" FOREIGN KEY ("created_by") REFERENCES "users" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "leave_created_by" to table: "leaves"
CREATE INDEX "leave_created_by" ON "leaves" ("created_by");
-- create index "leave_practitioner_id_ends_at" to table: "leaves"
CREATE INDEX "leave_practitioner_id_ends_at" ON "leaves" ("practitioner_id", "ends_at");
-- create "questions" table
CREATE TABLE "questions" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "version" bigint NOT NULL DEFAULT 1, "updated_at" timestamptz NOT NULL, "prompt" character varying NOT NULL, "kind" character varying NOT NULL, "choices" jsonb NOT NULL, "is_active" boolean NOT NULL DEFAULT true, "position" bigint NOT NULL, PRIMARY KEY ("id"));
-- create index "question_position" to table: "questions"
CREATE INDEX "question_position" ON "questions" ("position");
-- create "question_answers" table
CREATE TABLE "question_answers" ("id" uuid NOT NULL, "created_at" timestamptz NOT NULL, "version" bigint NOT NULL DEFAULT 1, "updated_at" timestamptz NOT NULL, "prompt" character varying NOT NULL, "text" character varying NULL, "choices" jsonb NOT NULL, "appointment_id" uuid NOT NULL, "patient_id" uuid NOT NULL, "practitioner_id" uuid NOT NULL, "question_id" uuid NOT NULL, PRIMARY KEY ("id"), CONSTRAINT "question_answers_appointments_appointment" FOREIGN KEY ("appointment_id") REFERENCES "appointments" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "question_answers_patients_patient" FOREIGN KEY ("patient_id") REFERENCES "patients" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "question_answers_practitioners_practitioner" FOREIGN KEY ("practitioner_id") REFERENCES "practitioners" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT, CONSTRAINT "question_answers_questions_question" FOREIGN KEY ("question_id") REFERENCES "questions" ("id") ON UPDATE NO ACTION ON DELETE RESTRICT);
-- create index "questionanswer_appointment_id_question_id" to table: "question_answers"
CREATE UNIQUE INDEX "questionanswer_appointment_id_question_id" ON "question_answers" ("appointment_id", "question_id");
-- create index "questionanswer_patient_id" to table: "question_answers"
CREATE INDEX "questionanswer_patient_id" ON "question_answers" ("patient_id");
-- create index "questionanswer_practitioner_id" to table: "question_answers"
CREATE INDEX "questionanswer_practitioner_id" ON "question_answers" ("practitioner_id");
-- create index "questionanswer_question_id" to table: "question_answers"
CREATE INDEX "questionanswer_question_id" ON "question_answers" ("question_id");
