-- S7.2: what an anomaly calls for is done after it is stored, by whoever finds it undone; and who was told of it.
alter table anomaly add column enforce_time timestamptz, add column alert_time timestamptz;
--> statement-breakpoint
update anomaly set enforce_time = create_time;
--> statement-breakpoint
create index anomaly_unenforced on anomaly (id) where enforce_time is null;
