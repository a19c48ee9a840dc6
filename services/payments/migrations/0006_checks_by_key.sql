-- What these look for, they look for by key, once for each row that a statement wrote. A plan is kept for as long as the
-- connection lives, and one that was made while a table had few rows would read all of it for each of them.
alter function money_differs(uuid[]) set enable_seqscan = off;
--> statement-breakpoint
alter function check_new_transactions() set enable_seqscan = off;
--> statement-breakpoint
alter function check_new_entries() set enable_seqscan = off;
