-- +goose Up
-- add column "emergency_name" to table: "patients"
ALTER TABLE `patients` ADD COLUMN `emergency_name` text NULL;
-- add column "emergency_relationship" to table: "patients"
ALTER TABLE `patients` ADD COLUMN `emergency_relationship` text NULL;
-- add column "emergency_phone" to table: "patients"
ALTER TABLE `patients` ADD COLUMN `emergency_phone` text NULL;
-- create "admissions" table
CREATE TABLE `admissions` (`id` uuid NOT NULL, `created_at` datetime NOT NULL, `status` text NOT NULL DEFAULT ('ADMITTED'), `admitted_at` datetime NOT NULL, `discharged_at` datetime NULL, `admitted_by` uuid NULL, `discharged_by` uuid NULL, `patient_id` uuid NOT NULL, `attending_id` uuid NULL, PRIMARY KEY (`id`), CONSTRAINT `admissions_patients_patient` FOREIGN KEY (`patient_id`) REFERENCES `patients` (`id`) ON DELETE RESTRICT, CONSTRAINT `admissions_practitioners_attending` FOREIGN KEY (`attending_id`) REFERENCES `practitioners` (`id`) ON DELETE RESTRICT);
-- create index "admissions_open" to table: "admissions"
CREATE UNIQUE INDEX `admissions_open` ON `admissions` (`patient_id`) WHERE status = 'ADMITTED';
-- create index "admission_patient_id_admitted_at" to table: "admissions"
CREATE INDEX `admission_patient_id_admitted_at` ON `admissions` (`patient_id`, `admitted_at`);
-- create index "admission_attending_id" to table: "admissions"
CREATE INDEX `admission_attending_id` ON `admissions` (`attending_id`);
-- create index "admission_status_admitted_at" to table: "admissions"
CREATE INDEX `admission_status_admitted_at` ON `admissions` (`status`, `admitted_at`);
-- create index "admission_admitted_at" to table: "admissions"
CREATE INDEX `admission_admitted_at` ON `admissions` (`admitted_at`);
-- create "admission_records" table
CREATE TABLE `admission_records` (`id` uuid NOT NULL, `created_at` datetime NOT NULL, `patient_id` uuid NOT NULL, `reason` text NOT NULL DEFAULT (''), `diagnosis` text NOT NULL DEFAULT (''), `discharge_notes` text NOT NULL DEFAULT (''), `admission_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `admission_records_admissions_record` FOREIGN KEY (`admission_id`) REFERENCES `admissions` (`id`) ON DELETE RESTRICT);
-- create index "admission_records_admission_id_key" to table: "admission_records"
CREATE UNIQUE INDEX `admission_records_admission_id_key` ON `admission_records` (`admission_id`);
-- create index "admissionrecord_patient_id" to table: "admission_records"
CREATE INDEX `admissionrecord_patient_id` ON `admission_records` (`patient_id`);
-- create "beds" table
CREATE TABLE `beds` (`id` uuid NOT NULL, `created_at` datetime NOT NULL, `version` integer NOT NULL DEFAULT (1), `updated_at` datetime NOT NULL, `number` text NOT NULL, `is_active` bool NOT NULL DEFAULT (true), `ward_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `beds_wards_ward` FOREIGN KEY (`ward_id`) REFERENCES `wards` (`id`) ON DELETE RESTRICT);
-- create index "bed_ward_id_number" to table: "beds"
CREATE UNIQUE INDEX `bed_ward_id_number` ON `beds` (`ward_id`, `number`);
-- create "charge_failures" table
CREATE TABLE `charge_failures` (`id` uuid NOT NULL, `created_at` datetime NOT NULL, `patient_id` uuid NOT NULL, `charge_date` date NOT NULL, `attempts` integer NOT NULL, `error` text NOT NULL, `last_tried_at` datetime NOT NULL, `resolved_at` datetime NULL, `admission_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `charge_failures_admissions_admission` FOREIGN KEY (`admission_id`) REFERENCES `admissions` (`id`) ON DELETE RESTRICT);
-- create index "chargefailure_admission_id_charge_date" to table: "charge_failures"
CREATE UNIQUE INDEX `chargefailure_admission_id_charge_date` ON `charge_failures` (`admission_id`, `charge_date`);
-- create index "charge_failures_open" to table: "charge_failures"
CREATE INDEX `charge_failures_open` ON `charge_failures` (`charge_date`) WHERE resolved_at IS NULL;
-- create index "chargefailure_patient_id" to table: "charge_failures"
CREATE INDEX `chargefailure_patient_id` ON `charge_failures` (`patient_id`);
-- create "nhia_memberships" table
CREATE TABLE `nhia_memberships` (`id` uuid NOT NULL, `created_at` datetime NOT NULL, `registration_number` text NOT NULL, `registered_on` date NOT NULL, `ended_on` date NULL, `registered_by` uuid NULL, `ended_by` uuid NULL, `patient_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `nhia_memberships_patients_patient` FOREIGN KEY (`patient_id`) REFERENCES `patients` (`id`) ON DELETE RESTRICT);
-- create index "nhia_memberships_active" to table: "nhia_memberships"
CREATE UNIQUE INDEX `nhia_memberships_active` ON `nhia_memberships` (`patient_id`) WHERE ended_on IS NULL;
-- create index "nhia_memberships_number" to table: "nhia_memberships"
CREATE UNIQUE INDEX `nhia_memberships_number` ON `nhia_memberships` (`registration_number`) WHERE ended_on IS NULL;
-- create index "nhiamembership_patient_id_registered_on" to table: "nhia_memberships"
CREATE INDEX `nhiamembership_patient_id_registered_on` ON `nhia_memberships` (`patient_id`, `registered_on`);
-- create index "nhiamembership_registration_number_registered_on" to table: "nhia_memberships"
CREATE UNIQUE INDEX `nhiamembership_registration_number_registered_on` ON `nhia_memberships` (`registration_number`, `registered_on`);
-- create "patient_healths" table
CREATE TABLE `patient_healths` (`id` uuid NOT NULL, `created_at` datetime NOT NULL, `version` integer NOT NULL DEFAULT (1), `updated_at` datetime NOT NULL, `allergies` text NOT NULL DEFAULT (''), `patient_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `patient_healths_patients_health` FOREIGN KEY (`patient_id`) REFERENCES `patients` (`id`) ON DELETE RESTRICT);
-- create index "patient_healths_patient_id_key" to table: "patient_healths"
CREATE UNIQUE INDEX `patient_healths_patient_id_key` ON `patient_healths` (`patient_id`);
-- create "stays" table
CREATE TABLE `stays` (`id` uuid NOT NULL, `created_at` datetime NOT NULL, `from_at` datetime NOT NULL, `to_at` datetime NULL, `admission_id` uuid NOT NULL, `patient_id` uuid NOT NULL, `bed_id` uuid NOT NULL, `ward_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `stays_admissions_admission` FOREIGN KEY (`admission_id`) REFERENCES `admissions` (`id`) ON DELETE RESTRICT, CONSTRAINT `stays_patients_patient` FOREIGN KEY (`patient_id`) REFERENCES `patients` (`id`) ON DELETE RESTRICT, CONSTRAINT `stays_beds_bed` FOREIGN KEY (`bed_id`) REFERENCES `beds` (`id`) ON DELETE RESTRICT, CONSTRAINT `stays_wards_ward` FOREIGN KEY (`ward_id`) REFERENCES `wards` (`id`) ON DELETE RESTRICT);
-- create index "stays_bed_taken" to table: "stays"
CREATE UNIQUE INDEX `stays_bed_taken` ON `stays` (`bed_id`) WHERE to_at IS NULL;
-- create index "stays_admission_open" to table: "stays"
CREATE UNIQUE INDEX `stays_admission_open` ON `stays` (`admission_id`) WHERE to_at IS NULL;
-- create index "stay_admission_id_from_at" to table: "stays"
CREATE INDEX `stay_admission_id_from_at` ON `stays` (`admission_id`, `from_at`);
-- create index "stay_bed_id_from_at" to table: "stays"
CREATE INDEX `stay_bed_id_from_at` ON `stays` (`bed_id`, `from_at`);
-- create index "stay_ward_id_to_at" to table: "stays"
CREATE INDEX `stay_ward_id_to_at` ON `stays` (`ward_id`, `to_at`);
-- create index "stay_patient_id" to table: "stays"
CREATE INDEX `stay_patient_id` ON `stays` (`patient_id`);
-- create index "stay_from_at" to table: "stays"
CREATE INDEX `stay_from_at` ON `stays` (`from_at`);
-- create index "stay_to_at" to table: "stays"
CREATE INDEX `stay_to_at` ON `stays` (`to_at`);
-- create "wallets" table
CREATE TABLE `wallets` (`id` uuid NOT NULL, `created_at` datetime NOT NULL, `currency` text NOT NULL, `balance_minor` integer NOT NULL DEFAULT (0), `position` integer NOT NULL DEFAULT (0), `hash` text NOT NULL DEFAULT (''), `alert_level` text NOT NULL DEFAULT ('NONE'), `low_told_at` datetime NULL, `overdrawn_told_at` datetime NULL, `patient_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `wallets_patients_wallet` FOREIGN KEY (`patient_id`) REFERENCES `patients` (`id`) ON DELETE RESTRICT);
-- create index "wallets_patient_id_key" to table: "wallets"
CREATE UNIQUE INDEX `wallets_patient_id_key` ON `wallets` (`patient_id`);
-- create "wallet_transactions" table
CREATE TABLE `wallet_transactions` (`id` uuid NOT NULL, `created_at` datetime NOT NULL, `patient_id` uuid NOT NULL, `position` integer NOT NULL, `kind` text NOT NULL, `amount_minor` integer NOT NULL, `balance_after_minor` integer NOT NULL, `currency` text NOT NULL, `counter_account` text NOT NULL, `charge_date` date NULL, `charge_sequence` integer NULL, `reference` text NOT NULL, `description` text NOT NULL, `actor_id` uuid NULL, `actor` text NOT NULL, `hash` text NOT NULL, `wallet_id` uuid NOT NULL, `admission_id` uuid NULL, `reverses_id` uuid NULL, PRIMARY KEY (`id`), CONSTRAINT `wallet_transactions_wallets_wallet` FOREIGN KEY (`wallet_id`) REFERENCES `wallets` (`id`) ON DELETE RESTRICT, CONSTRAINT `wallet_transactions_admissions_admission` FOREIGN KEY (`admission_id`) REFERENCES `admissions` (`id`) ON DELETE RESTRICT, CONSTRAINT `wallet_transactions_wallet_transactions_reversals` FOREIGN KEY (`reverses_id`) REFERENCES `wallet_transactions` (`id`) ON DELETE RESTRICT);
-- create index "wallettransaction_wallet_id_position" to table: "wallet_transactions"
CREATE UNIQUE INDEX `wallettransaction_wallet_id_position` ON `wallet_transactions` (`wallet_id`, `position`);
-- create index "wallettransaction_reference" to table: "wallet_transactions"
CREATE UNIQUE INDEX `wallettransaction_reference` ON `wallet_transactions` (`reference`);
-- create index "wallet_transactions_charge" to table: "wallet_transactions"
CREATE UNIQUE INDEX `wallet_transactions_charge` ON `wallet_transactions` (`admission_id`, `charge_date`, `charge_sequence`) WHERE kind = 'DAILY_ADMISSION_CHARGE';
-- create index "wallettransaction_reverses_id" to table: "wallet_transactions"
CREATE UNIQUE INDEX `wallettransaction_reverses_id` ON `wallet_transactions` (`reverses_id`);
-- create index "wallettransaction_admission_id" to table: "wallet_transactions"
CREATE INDEX `wallettransaction_admission_id` ON `wallet_transactions` (`admission_id`);
-- create index "wallettransaction_patient_id_created_at" to table: "wallet_transactions"
CREATE INDEX `wallettransaction_patient_id_created_at` ON `wallet_transactions` (`patient_id`, `created_at`);
-- create "wards" table
CREATE TABLE `wards` (`id` uuid NOT NULL, `created_at` datetime NOT NULL, `version` integer NOT NULL DEFAULT (1), `updated_at` datetime NOT NULL, `name` text NOT NULL, `name_key` text NOT NULL, `type` text NOT NULL, `is_active` bool NOT NULL DEFAULT (true), PRIMARY KEY (`id`));
-- create index "wards_name_key_key" to table: "wards"
CREATE UNIQUE INDEX `wards_name_key_key` ON `wards` (`name_key`);
-- create "ward_rates" table
CREATE TABLE `ward_rates` (`id` uuid NOT NULL, `created_at` datetime NOT NULL, `from_date` date NOT NULL, `rate_minor` integer NOT NULL, `currency` text NOT NULL, `set_by` uuid NULL, `ward_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `ward_rates_wards_ward` FOREIGN KEY (`ward_id`) REFERENCES `wards` (`id`) ON DELETE RESTRICT);
-- create index "wardrate_ward_id_from_date" to table: "ward_rates"
CREATE UNIQUE INDEX `wardrate_ward_id_from_date` ON `ward_rates` (`ward_id`, `from_date`);
