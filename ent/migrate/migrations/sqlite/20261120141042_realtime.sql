-- +goose Up
-- create "chat_messages" table
CREATE TABLE `chat_messages` (`id` uuid NOT NULL, `created_at` datetime NOT NULL, `sender_role` text NOT NULL, `position` integer NOT NULL, `body` text NOT NULL, `client_message_id` text NULL, `room_id` uuid NOT NULL, `patient_id` uuid NOT NULL, `practitioner_id` uuid NOT NULL, `sender_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `chat_messages_chat_rooms_room` FOREIGN KEY (`room_id`) REFERENCES `chat_rooms` (`id`) ON DELETE RESTRICT, CONSTRAINT `chat_messages_patients_patient` FOREIGN KEY (`patient_id`) REFERENCES `patients` (`id`) ON DELETE RESTRICT, CONSTRAINT `chat_messages_practitioners_practitioner` FOREIGN KEY (`practitioner_id`) REFERENCES `practitioners` (`id`) ON DELETE RESTRICT, CONSTRAINT `chat_messages_users_sender` FOREIGN KEY (`sender_id`) REFERENCES `users` (`id`) ON DELETE RESTRICT);
-- create index "chatmessage_room_id_position" to table: "chat_messages"
CREATE UNIQUE INDEX `chatmessage_room_id_position` ON `chat_messages` (`room_id`, `position`);
-- create index "chatmessage_sender_id_room_id_client_message_id" to table: "chat_messages"
CREATE UNIQUE INDEX `chatmessage_sender_id_room_id_client_message_id` ON `chat_messages` (`sender_id`, `room_id`, `client_message_id`);
-- create index "chatmessage_patient_id" to table: "chat_messages"
CREATE INDEX `chatmessage_patient_id` ON `chat_messages` (`patient_id`);
-- create index "chatmessage_practitioner_id" to table: "chat_messages"
CREATE INDEX `chatmessage_practitioner_id` ON `chat_messages` (`practitioner_id`);
-- create "chat_reads" table
CREATE TABLE `chat_reads` (`id` uuid NOT NULL, `created_at` datetime NOT NULL, `up_to` integer NOT NULL, `room_id` uuid NOT NULL, `patient_id` uuid NOT NULL, `practitioner_id` uuid NOT NULL, `user_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `chat_reads_chat_rooms_room` FOREIGN KEY (`room_id`) REFERENCES `chat_rooms` (`id`) ON DELETE RESTRICT, CONSTRAINT `chat_reads_patients_patient` FOREIGN KEY (`patient_id`) REFERENCES `patients` (`id`) ON DELETE RESTRICT, CONSTRAINT `chat_reads_practitioners_practitioner` FOREIGN KEY (`practitioner_id`) REFERENCES `practitioners` (`id`) ON DELETE RESTRICT, CONSTRAINT `chat_reads_users_user` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE RESTRICT);
-- create index "chatread_room_id_user_id_up_to" to table: "chat_reads"
CREATE UNIQUE INDEX `chatread_room_id_user_id_up_to` ON `chat_reads` (`room_id`, `user_id`, `up_to`);
-- create index "chatread_user_id" to table: "chat_reads"
CREATE INDEX `chatread_user_id` ON `chat_reads` (`user_id`);
-- create index "chatread_patient_id" to table: "chat_reads"
CREATE INDEX `chatread_patient_id` ON `chat_reads` (`patient_id`);
-- create index "chatread_practitioner_id" to table: "chat_reads"
CREATE INDEX `chatread_practitioner_id` ON `chat_reads` (`practitioner_id`);
-- create "chat_rooms" table
CREATE TABLE `chat_rooms` (`id` uuid NOT NULL, `created_at` datetime NOT NULL, `status` text NOT NULL, `appointment_id` uuid NOT NULL, `patient_id` uuid NOT NULL, `practitioner_id` uuid NOT NULL, PRIMARY KEY (`id`), CONSTRAINT `chat_rooms_appointments_appointment` FOREIGN KEY (`appointment_id`) REFERENCES `appointments` (`id`) ON DELETE RESTRICT, CONSTRAINT `chat_rooms_patients_patient` FOREIGN KEY (`patient_id`) REFERENCES `patients` (`id`) ON DELETE RESTRICT, CONSTRAINT `chat_rooms_practitioners_practitioner` FOREIGN KEY (`practitioner_id`) REFERENCES `practitioners` (`id`) ON DELETE RESTRICT);
-- create index "chatroom_appointment_id" to table: "chat_rooms"
CREATE UNIQUE INDEX `chatroom_appointment_id` ON `chat_rooms` (`appointment_id`);
-- create index "chatroom_patient_id" to table: "chat_rooms"
CREATE INDEX `chatroom_patient_id` ON `chat_rooms` (`patient_id`);
-- create index "chatroom_practitioner_id" to table: "chat_rooms"
CREATE INDEX `chatroom_practitioner_id` ON `chat_rooms` (`practitioner_id`);
-- create "job_runs" table
CREATE TABLE `job_runs` (`id` uuid NOT NULL, `created_at` datetime NOT NULL, `job` text NOT NULL, `occurrence` datetime NOT NULL, `first_occurrence` datetime NOT NULL, `occurrences` integer NOT NULL DEFAULT (1), `state` text NOT NULL, `cause` text NOT NULL, `attempts` integer NOT NULL DEFAULT (0), `reason` text NOT NULL DEFAULT (''), `error` text NOT NULL DEFAULT (''), `counts` json NULL, `started_at` datetime NULL, `finished_at` datetime NULL, `lease_until` datetime NULL, `retry_at` datetime NULL, `runner` text NOT NULL DEFAULT (''), PRIMARY KEY (`id`));
-- create index "jobrun_job_occurrence" to table: "job_runs"
CREATE UNIQUE INDEX `jobrun_job_occurrence` ON `job_runs` (`job`, `occurrence`);
-- create index "jobrun_occurrence" to table: "job_runs"
CREATE INDEX `jobrun_occurrence` ON `job_runs` (`occurrence`);
-- create index "jobrun_state_retry_at" to table: "job_runs"
CREATE INDEX `jobrun_state_retry_at` ON `job_runs` (`state`, `retry_at`);
-- create "streams" table
CREATE TABLE `streams` (`id` uuid NOT NULL, `created_at` datetime NOT NULL, `position` integer NOT NULL DEFAULT (0), `items` integer NOT NULL DEFAULT (0), PRIMARY KEY (`id`));
-- create "stream_entries" table
CREATE TABLE `stream_entries` (`id` uuid NOT NULL, `created_at` datetime NOT NULL, `stream_id` uuid NOT NULL, `position` integer NOT NULL, `kind` text NOT NULL, `subject_id` uuid NULL, `data` text NOT NULL DEFAULT (''), `patient_id` uuid NULL, PRIMARY KEY (`id`));
-- create index "streamentry_stream_id_position" to table: "stream_entries"
CREATE UNIQUE INDEX `streamentry_stream_id_position` ON `stream_entries` (`stream_id`, `position`);
-- create index "streamentry_patient_id" to table: "stream_entries"
CREATE INDEX `streamentry_patient_id` ON `stream_entries` (`patient_id`);
