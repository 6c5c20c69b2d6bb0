-- +goose Up
-- disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- add column "session_ended_at" to table: "login_attempts"
ALTER TABLE `login_attempts` ADD COLUMN `session_ended_at` datetime NULL;
-- add column "session_end_reason" to table: "login_attempts"
ALTER TABLE `login_attempts` ADD COLUMN `session_end_reason` text NULL;
-- create "new_users" table
CREATE TABLE `new_users` (`id` uuid NOT NULL, `created_at` datetime NOT NULL, `version` integer NOT NULL DEFAULT (1), `updated_at` datetime NOT NULL, `email` text NOT NULL, `email_key` text NOT NULL, `password_hash` text NOT NULL, `given_name` text NOT NULL, `family_name` text NOT NULL, `phone` text NULL, `roles` json NOT NULL, `is_active` bool NOT NULL DEFAULT (true), `has_totp` bool NOT NULL DEFAULT (false), `email_verified_at` datetime NULL, `deactivated_at` datetime NULL, PRIMARY KEY (`id`));
-- copy rows from old table "users" to new temporary table "new_users"
INSERT INTO `new_users` (`id`, `created_at`, `version`, `updated_at`, `email`, `email_key`, `password_hash`, `given_name`, `family_name`, `phone`, `roles`, `is_active`, `email_verified_at`, `deactivated_at`) SELECT `id`, `created_at`, `version`, `updated_at`, `email`, `email_key`, `password_hash`, `given_name`, `family_name`, `phone`, `roles`, `is_active`, `email_verified_at`, `deactivated_at` FROM `users`;
-- drop "users" table after copying rows
DROP TABLE `users`;
-- rename temporary table "new_users" to "users"
ALTER TABLE `new_users` RENAME TO `users`;
-- create index "users_email_key_key" to table: "users"
CREATE UNIQUE INDEX `users_email_key_key` ON `users` (`email_key`);
-- create index "user_created_at" to table: "users"
CREATE INDEX `user_created_at` ON `users` (`created_at`);
-- create "link_codes" table
CREATE TABLE `link_codes` (`id` uuid NOT NULL, `created_at` datetime NOT NULL, `address` text NOT NULL, `code_hash` text NOT NULL, `expires_at` datetime NOT NULL, `used_at` datetime NULL, `patient_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `link_codes_patients_patient` FOREIGN KEY (`patient_id`) REFERENCES `patients` (`id`) ON DELETE RESTRICT);
-- create index "link_codes_code_hash_key" to table: "link_codes"
CREATE UNIQUE INDEX `link_codes_code_hash_key` ON `link_codes` (`code_hash`);
-- create index "linkcode_patient_id" to table: "link_codes"
CREATE INDEX `linkcode_patient_id` ON `link_codes` (`patient_id`);
-- create index "linkcode_address_created_at" to table: "link_codes"
CREATE INDEX `linkcode_address_created_at` ON `link_codes` (`address`, `created_at`);
-- create index "linkcode_expires_at" to table: "link_codes"
CREATE INDEX `linkcode_expires_at` ON `link_codes` (`expires_at`);
-- create "recovery_codes" table
CREATE TABLE `recovery_codes` (`id` uuid NOT NULL, `created_at` datetime NOT NULL, `code_hash` text NOT NULL, `used_at` datetime NULL, `user_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `recovery_codes_users_user` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE RESTRICT);
-- create index "recoverycode_user_id_code_hash" to table: "recovery_codes"
CREATE UNIQUE INDEX `recoverycode_user_id_code_hash` ON `recovery_codes` (`user_id`, `code_hash`);
-- create "second_factors" table
CREATE TABLE `second_factors` (`id` uuid NOT NULL, `created_at` datetime NOT NULL, `sealed` text NOT NULL, `key_id` text NOT NULL, `last_counter` integer NOT NULL DEFAULT (0), `confirmed_at` datetime NULL, `user_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `second_factors_users_user` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE RESTRICT);
-- create index "secondfactor_user_id" to table: "second_factors"
CREATE UNIQUE INDEX `secondfactor_user_id` ON `second_factors` (`user_id`);
-- enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;
