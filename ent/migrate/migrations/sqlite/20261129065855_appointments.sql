-- +goose Up
-- disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- create "new_appointments" table
CREATE TABLE `new_appointments` (`id` uuid NOT NULL, `created_at` datetime NOT NULL, `version` integer NOT NULL DEFAULT (1), `updated_at` datetime NOT NULL, `starts_at` datetime NOT NULL, `ends_at` datetime NOT NULL, `status` text NOT NULL, `is_initial` bool NOT NULL, `price_minor` integer NOT NULL, `currency` text NOT NULL, `expires_at` datetime NOT NULL, `deleted_at` datetime NULL, `patient_id` uuid NOT NULL, `practitioner_id` uuid NOT NULL, `slot_id` uuid NOT NULL, `booked_by` uuid NOT NULL, `deleted_by` uuid NULL, `rescheduled_from_id` uuid NULL, PRIMARY KEY (`id`), CONSTRAINT `appointments_patients_patient` FOREIGN KEY (`patient_id`) REFERENCES `patients` (`id`) ON DELETE RESTRICT, CONSTRAINT `appointments_practitioners_practitioner` FOREIGN KEY (`practitioner_id`) REFERENCES `practitioners` (`id`) ON DELETE RESTRICT, CONSTRAINT `appointments_slots_slot` FOREIGN KEY (`slot_id`) REFERENCES `slots` (`id`) ON DELETE RESTRICT, CONSTRAINT `appointments_users_booker` FOREIGN KEY (`booked_by`) REFERENCES `users` (`id`) ON DELETE RESTRICT, CONSTRAINT `appointments_users_deleter` FOREIGN KEY (`deleted_by`) REFERENCES `users` (`id`) ON DELETE RESTRICT, CONSTRAINT `appointments_appointments_rescheduled_to` FOREIGN KEY (`rescheduled_from_id`) REFERENCES `appointments` (`id`) ON DELETE RESTRICT);
-- copy rows from old table "appointments" to new temporary table "new_appointments"
INSERT INTO `new_appointments` (`id`, `created_at`, `version`, `updated_at`, `starts_at`, `ends_at`, `status`, `is_initial`, `price_minor`, `currency`, `expires_at`, `patient_id`, `practitioner_id`, `slot_id`, `booked_by`) SELECT `id`, `created_at`, `version`, `updated_at`, `starts_at`, `ends_at`, `status`, `is_initial`, `price_minor`, `currency`, `expires_at`, `patient_id`, `practitioner_id`, `slot_id`, `booked_by` FROM `appointments`;
-- drop "appointments" table after copying rows
DROP TABLE `appointments`;
-- rename temporary table "new_appointments" to "appointments"
ALTER TABLE `new_appointments` RENAME TO `appointments`;
-- create index "appointments_rescheduled_from_id_key" to table: "appointments"
CREATE UNIQUE INDEX `appointments_rescheduled_from_id_key` ON `appointments` (`rescheduled_from_id`);
-- create index "appointments_live_slot" to table: "appointments"
CREATE UNIQUE INDEX `appointments_live_slot` ON `appointments` (`slot_id`) WHERE status IN ('PENDING', 'BOOKED', 'COMPLETED', 'NO_SHOW');
-- create index "appointment_slot_id_status" to table: "appointments"
CREATE INDEX `appointment_slot_id_status` ON `appointments` (`slot_id`, `status`);
-- create index "appointment_patient_id_starts_at" to table: "appointments"
CREATE INDEX `appointment_patient_id_starts_at` ON `appointments` (`patient_id`, `starts_at`);
-- create index "appointment_practitioner_id_starts_at" to table: "appointments"
CREATE INDEX `appointment_practitioner_id_starts_at` ON `appointments` (`practitioner_id`, `starts_at`);
-- create index "appointment_status_expires_at" to table: "appointments"
CREATE INDEX `appointment_status_expires_at` ON `appointments` (`status`, `expires_at`);
-- create index "appointment_starts_at" to table: "appointments"
CREATE INDEX `appointment_starts_at` ON `appointments` (`starts_at`);
-- create index "appointment_booked_by_created_at" to table: "appointments"
CREATE INDEX `appointment_booked_by_created_at` ON `appointments` (`booked_by`, `created_at`);
-- create index "appointment_deleted_by" to table: "appointments"
CREATE INDEX `appointment_deleted_by` ON `appointments` (`deleted_by`);
-- create index "appointment_created_at" to table: "appointments"
CREATE INDEX `appointment_created_at` ON `appointments` (`created_at`);
-- add column "symptoms" to table: "appointment_intakes"
ALTER TABLE `appointment_intakes` ADD COLUMN `symptoms` text NULL;
-- add column "consultation_type" to table: "appointment_intakes"
ALTER TABLE `appointment_intakes` ADD COLUMN `consultation_type` text NULL;
-- add column "context" to table: "appointment_status_changes"
ALTER TABLE `appointment_status_changes` ADD COLUMN `context` text NULL;
-- create "new_slots" table
CREATE TABLE `new_slots` (`id` uuid NOT NULL, `created_at` datetime NOT NULL, `version` integer NOT NULL DEFAULT (1), `updated_at` datetime NOT NULL, `starts_at` datetime NOT NULL, `ends_at` datetime NOT NULL, `type` text NOT NULL, `duration_minutes` integer NOT NULL, `time_zone` text NOT NULL, `local_date` date NOT NULL, `status` text NOT NULL DEFAULT ('OPEN'), `practitioner_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `slots_practitioners_practitioner` FOREIGN KEY (`practitioner_id`) REFERENCES `practitioners` (`id`) ON DELETE RESTRICT);
-- copy rows from old table "slots" to new temporary table "new_slots"
INSERT INTO `new_slots` (`id`, `created_at`, `version`, `updated_at`, `starts_at`, `ends_at`, `type`, `duration_minutes`, `time_zone`, `local_date`, `practitioner_id`) SELECT `id`, `created_at`, `version`, `updated_at`, `starts_at`, `ends_at`, `type`, `duration_minutes`, `time_zone`, `local_date`, `practitioner_id` FROM `slots`;
-- drop "slots" table after copying rows
DROP TABLE `slots`;
-- rename temporary table "new_slots" to "slots"
ALTER TABLE `new_slots` RENAME TO `slots`;
-- create index "slot_practitioner_id_starts_at" to table: "slots"
CREATE INDEX `slot_practitioner_id_starts_at` ON `slots` (`practitioner_id`, `starts_at`);
-- create index "slot_starts_at" to table: "slots"
CREATE INDEX `slot_starts_at` ON `slots` (`starts_at`);
-- create index "slot_created_at" to table: "slots"
CREATE INDEX `slot_created_at` ON `slots` (`created_at`);
-- create "leaves" table
CREATE TABLE `leaves` (`id` uuid NOT NULL, `created_at` datetime NOT NULL, `starts_at` datetime NOT NULL, `ends_at` datetime NOT NULL, `reason` text NULL, `practitioner_id` uuid NOT NULL, `created_by` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `leaves_practitioners_practitioner` FOREIGN KEY (`practitioner_id`) REFERENCES `practitioners` (`id`) ON DELETE RESTRICT, CONSTRAINT `leaves_users_creator` FOREIGN KEY (`created_by`) REFERENCES `users` (`id`) ON DELETE RESTRICT);
-- create index "leave_practitioner_id_ends_at" to table: "leaves"
CREATE INDEX `leave_practitioner_id_ends_at` ON `leaves` (`practitioner_id`, `ends_at`);
-- create index "leave_created_by" to table: "leaves"
CREATE INDEX `leave_created_by` ON `leaves` (`created_by`);
-- create "questions" table
CREATE TABLE `questions` (`id` uuid NOT NULL, `created_at` datetime NOT NULL, `version` integer NOT NULL DEFAULT (1), `updated_at` datetime NOT NULL, `prompt` text NOT NULL, `kind` text NOT NULL, `choices` json NOT NULL, `is_active` bool NOT NULL DEFAULT (true), `position` integer NOT NULL, PRIMARY KEY (`id`));
-- create index "question_position" to table: "questions"
CREATE INDEX `question_position` ON `questions` (`position`);
-- create "question_answers" table
CREATE TABLE `question_answers` (`id` uuid NOT NULL, `created_at` datetime NOT NULL, `version` integer NOT NULL DEFAULT (1), `updated_at` datetime NOT NULL, `prompt` text NOT NULL, `text` text NULL, `choices` json NOT NULL, `appointment_id` uuid NOT NULL, `patient_id` uuid NOT NULL, `practitioner_id` uuid NOT NULL, `question_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `question_answers_appointments_appointment` FOREIGN KEY (`appointment_id`) REFERENCES `appointments` (`id`) ON DELETE RESTRICT, CONSTRAINT `question_answers_patients_patient` FOREIGN KEY (`patient_id`) REFERENCES `patients` (`id`) ON DELETE RESTRICT, CONSTRAINT `question_answers_practitioners_practitioner` FOREIGN KEY (`practitioner_id`) REFERENCES `practitioners` (`id`) ON DELETE RESTRICT, CONSTRAINT `question_answers_questions_question` FOREIGN KEY (`question_id`) REFERENCES `questions` (`id`) ON DELETE RESTRICT);
-- create index "questionanswer_appointment_id_question_id" to table: "question_answers"
CREATE UNIQUE INDEX `questionanswer_appointment_id_question_id` ON `question_answers` (`appointment_id`, `question_id`);
-- create index "questionanswer_question_id" to table: "question_answers"
CREATE INDEX `questionanswer_question_id` ON `question_answers` (`question_id`);
-- create index "questionanswer_patient_id" to table: "question_answers"
CREATE INDEX `questionanswer_patient_id` ON `question_answers` (`patient_id`);
-- create index "questionanswer_practitioner_id" to table: "question_answers"
CREATE INDEX `questionanswer_practitioner_id` ON `question_answers` (`practitioner_id`);
-- enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;
