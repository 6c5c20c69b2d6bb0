-- +goose Up
-- drop index "appointments_live_slot" from table: "appointments"
DROP INDEX "appointments_live_slot";
-- create index "appointments_live_slot" to table: "appointments"
CREATE UNIQUE INDEX "appointments_live_slot" ON "appointments" ("slot_id") WHERE ((status)::text = ANY ((ARRAY['PENDING'::character varying, 'BOOKED'::character varying, 'COMPLETED'::character varying, 'NO_SHOW'::character varying])::text[]));
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
