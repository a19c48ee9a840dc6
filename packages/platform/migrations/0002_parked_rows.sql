-- F29: a row that no bus can take, because it is too long, is set aside: it stays, and holds up nobody.
alter table strongroom.outbox add column parked_at timestamptz;
--> statement-breakpoint
drop index strongroom.outbox_unpublished;
--> statement-breakpoint
create index outbox_unpublished on strongroom.outbox (order_id) where published_at is null and parked_at is null;
