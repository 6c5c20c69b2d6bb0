-- +goose Up
-- disable the enforcement of foreign-keys constraints
PRAGMA foreign_keys = off;
-- add column "method" to table: "orders"
ALTER TABLE `orders` ADD COLUMN `method` text NULL;
-- add column "checkout_at" to table: "orders"
ALTER TABLE `orders` ADD COLUMN `checkout_at` datetime NULL;
-- add column "failed_at" to table: "orders"
ALTER TABLE `orders` ADD COLUMN `failed_at` datetime NULL;
-- add column "expired_at" to table: "orders"
ALTER TABLE `orders` ADD COLUMN `expired_at` datetime NULL;
-- create index "order_payment_ref" to table: "orders"
CREATE INDEX `order_payment_ref` ON `orders` (`payment_ref`);
-- add column "finished_at" to table: "refunds"
ALTER TABLE `refunds` ADD COLUMN `finished_at` datetime NULL;
-- add column "search_key" to table: "chat_messages"
ALTER TABLE `chat_messages` ADD COLUMN `search_key` text NULL;
-- create "new_chat_rooms" table
CREATE TABLE `new_chat_rooms` (`id` uuid NOT NULL, `created_at` datetime NOT NULL, `status` text NOT NULL, `status_since` datetime NULL, `deleted_at` datetime NULL, `appointment_id` uuid NOT NULL, `patient_id` uuid NOT NULL, `practitioner_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `chat_rooms_appointments_appointment` FOREIGN KEY (`appointment_id`) REFERENCES `appointments` (`id`) ON DELETE RESTRICT, CONSTRAINT `chat_rooms_patients_patient` FOREIGN KEY (`patient_id`) REFERENCES `patients` (`id`) ON DELETE RESTRICT, CONSTRAINT `chat_rooms_practitioners_practitioner` FOREIGN KEY (`practitioner_id`) REFERENCES `practitioners` (`id`) ON DELETE RESTRICT);
-- copy rows from old table "chat_rooms" to new temporary table "new_chat_rooms"
INSERT INTO `new_chat_rooms` (`id`, `created_at`, `status`, `appointment_id`, `patient_id`, `practitioner_id`) SELECT `id`, `created_at`, `status`, `appointment_id`, `patient_id`, `practitioner_id` FROM `chat_rooms`;
-- drop "chat_rooms" table after copying rows
DROP TABLE `chat_rooms`;
-- rename temporary table "new_chat_rooms" to "chat_rooms"
ALTER TABLE `new_chat_rooms` RENAME TO `chat_rooms`;
-- create index "chatroom_appointment_id" to table: "chat_rooms"
CREATE UNIQUE INDEX `chatroom_appointment_id` ON `chat_rooms` (`appointment_id`);
-- create index "chatroom_patient_id" to table: "chat_rooms"
CREATE INDEX `chatroom_patient_id` ON `chat_rooms` (`patient_id`);
-- create index "chatroom_practitioner_id" to table: "chat_rooms"
CREATE INDEX `chatroom_practitioner_id` ON `chat_rooms` (`practitioner_id`);
-- create index "chatroom_status_status_since" to table: "chat_rooms"
CREATE INDEX `chatroom_status_status_since` ON `chat_rooms` (`status`, `status_since`);
-- create index "chat_rooms_deleted" to table: "chat_rooms"
CREATE INDEX `chat_rooms_deleted` ON `chat_rooms` (`deleted_at`) WHERE deleted_at IS NOT NULL;
-- create "chat_attachments" table
CREATE TABLE `chat_attachments` (`id` uuid NOT NULL, `created_at` datetime NOT NULL, `place` integer NOT NULL, `file_name` text NOT NULL, `content_type` text NOT NULL, `size_bytes` integer NOT NULL, `room_id` uuid NOT NULL, `patient_id` uuid NOT NULL, `practitioner_id` uuid NOT NULL, `message_id` uuid NOT NULL, `upload_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `chat_attachments_chat_rooms_room` FOREIGN KEY (`room_id`) REFERENCES `chat_rooms` (`id`) ON DELETE RESTRICT, CONSTRAINT `chat_attachments_patients_patient` FOREIGN KEY (`patient_id`) REFERENCES `patients` (`id`) ON DELETE RESTRICT, CONSTRAINT `chat_attachments_practitioners_practitioner` FOREIGN KEY (`practitioner_id`) REFERENCES `practitioners` (`id`) ON DELETE RESTRICT, CONSTRAINT `chat_attachments_chat_messages_message` FOREIGN KEY (`message_id`) REFERENCES `chat_messages` (`id`) ON DELETE RESTRICT, CONSTRAINT `chat_attachments_chat_uploads_upload` FOREIGN KEY (`upload_id`) REFERENCES `chat_uploads` (`id`) ON DELETE RESTRICT);
-- create index "chatattachment_upload_id" to table: "chat_attachments"
CREATE UNIQUE INDEX `chatattachment_upload_id` ON `chat_attachments` (`upload_id`);
-- create index "chatattachment_message_id_place" to table: "chat_attachments"
CREATE UNIQUE INDEX `chatattachment_message_id_place` ON `chat_attachments` (`message_id`, `place`);
-- create index "chatattachment_room_id" to table: "chat_attachments"
CREATE INDEX `chatattachment_room_id` ON `chat_attachments` (`room_id`);
-- create index "chatattachment_patient_id" to table: "chat_attachments"
CREATE INDEX `chatattachment_patient_id` ON `chat_attachments` (`patient_id`);
-- create index "chatattachment_practitioner_id" to table: "chat_attachments"
CREATE INDEX `chatattachment_practitioner_id` ON `chat_attachments` (`practitioner_id`);
-- create "chat_message_versions" table
CREATE TABLE `chat_message_versions` (`id` uuid NOT NULL, `created_at` datetime NOT NULL, `number` integer NOT NULL, `body` text NULL, `search_key` text NULL, `message_id` uuid NOT NULL, `room_id` uuid NOT NULL, `patient_id` uuid NOT NULL, `practitioner_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `chat_message_versions_chat_messages_versions` FOREIGN KEY (`message_id`) REFERENCES `chat_messages` (`id`) ON DELETE NO ACTION, CONSTRAINT `chat_message_versions_chat_rooms_room` FOREIGN KEY (`room_id`) REFERENCES `chat_rooms` (`id`) ON DELETE RESTRICT, CONSTRAINT `chat_message_versions_patients_patient` FOREIGN KEY (`patient_id`) REFERENCES `patients` (`id`) ON DELETE RESTRICT, CONSTRAINT `chat_message_versions_practitioners_practitioner` FOREIGN KEY (`practitioner_id`) REFERENCES `practitioners` (`id`) ON DELETE RESTRICT);
-- create index "chatmessageversion_message_id_number" to table: "chat_message_versions"
CREATE UNIQUE INDEX `chatmessageversion_message_id_number` ON `chat_message_versions` (`message_id`, `number`);
-- create index "chatmessageversion_room_id" to table: "chat_message_versions"
CREATE INDEX `chatmessageversion_room_id` ON `chat_message_versions` (`room_id`);
-- create index "chatmessageversion_patient_id" to table: "chat_message_versions"
CREATE INDEX `chatmessageversion_patient_id` ON `chat_message_versions` (`patient_id`);
-- create index "chatmessageversion_practitioner_id" to table: "chat_message_versions"
CREATE INDEX `chatmessageversion_practitioner_id` ON `chat_message_versions` (`practitioner_id`);
-- create "chat_uploads" table
CREATE TABLE `chat_uploads` (`id` uuid NOT NULL, `created_at` datetime NOT NULL, `purpose` text NOT NULL, `file_name` text NOT NULL, `content_type` text NOT NULL, `size_bytes` integer NOT NULL, `expires_at` datetime NOT NULL, `stored_at` datetime NULL, `object_key` text NULL, `room_id` uuid NOT NULL, `patient_id` uuid NOT NULL, `practitioner_id` uuid NOT NULL, `user_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `chat_uploads_chat_rooms_room` FOREIGN KEY (`room_id`) REFERENCES `chat_rooms` (`id`) ON DELETE RESTRICT, CONSTRAINT `chat_uploads_patients_patient` FOREIGN KEY (`patient_id`) REFERENCES `patients` (`id`) ON DELETE RESTRICT, CONSTRAINT `chat_uploads_practitioners_practitioner` FOREIGN KEY (`practitioner_id`) REFERENCES `practitioners` (`id`) ON DELETE RESTRICT, CONSTRAINT `chat_uploads_users_user` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE RESTRICT);
-- create index "chatupload_room_id" to table: "chat_uploads"
CREATE INDEX `chatupload_room_id` ON `chat_uploads` (`room_id`);
-- create index "chatupload_patient_id" to table: "chat_uploads"
CREATE INDEX `chatupload_patient_id` ON `chat_uploads` (`patient_id`);
-- create index "chatupload_practitioner_id" to table: "chat_uploads"
CREATE INDEX `chatupload_practitioner_id` ON `chat_uploads` (`practitioner_id`);
-- create index "chatupload_user_id" to table: "chat_uploads"
CREATE INDEX `chatupload_user_id` ON `chat_uploads` (`user_id`);
-- create index "chatupload_created_at" to table: "chat_uploads"
CREATE INDEX `chatupload_created_at` ON `chat_uploads` (`created_at`);
-- create "record_openings" table
CREATE TABLE `record_openings` (`id` uuid NOT NULL, `created_at` datetime NOT NULL, `reason` text NOT NULL, `expires_at` datetime NOT NULL, `room_id` uuid NOT NULL, `patient_id` uuid NOT NULL, `practitioner_id` uuid NOT NULL, `user_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `record_openings_chat_rooms_room` FOREIGN KEY (`room_id`) REFERENCES `chat_rooms` (`id`) ON DELETE RESTRICT, CONSTRAINT `record_openings_patients_patient` FOREIGN KEY (`patient_id`) REFERENCES `patients` (`id`) ON DELETE RESTRICT, CONSTRAINT `record_openings_practitioners_practitioner` FOREIGN KEY (`practitioner_id`) REFERENCES `practitioners` (`id`) ON DELETE RESTRICT, CONSTRAINT `record_openings_users_user` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE RESTRICT);
-- create index "recordopening_room_id" to table: "record_openings"
CREATE INDEX `recordopening_room_id` ON `record_openings` (`room_id`);
-- create index "recordopening_patient_id" to table: "record_openings"
CREATE INDEX `recordopening_patient_id` ON `record_openings` (`patient_id`);
-- create index "recordopening_practitioner_id" to table: "record_openings"
CREATE INDEX `recordopening_practitioner_id` ON `record_openings` (`practitioner_id`);
-- create index "recordopening_user_id_expires_at" to table: "record_openings"
CREATE INDEX `recordopening_user_id_expires_at` ON `record_openings` (`user_id`, `expires_at`);
-- enable back the enforcement of foreign-keys constraints
PRAGMA foreign_keys = on;
