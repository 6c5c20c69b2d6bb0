-- +goose Up
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
