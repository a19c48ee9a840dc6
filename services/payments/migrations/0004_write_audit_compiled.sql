-- Tables that a payment's life writes record their writes in functions that know their columns.
select strongroom.compile_write_audit('public.payments', 'payment', 'id');
--> statement-breakpoint
select strongroom.compile_write_audit('public.refunds', 'payment', 'id');
--> statement-breakpoint
select strongroom.compile_write_audit('public.ledger_accounts', 'database_row', 'id');
--> statement-breakpoint
select strongroom.compile_write_audit('public.ledger_transactions', 'database_row', 'id');
--> statement-breakpoint
select strongroom.compile_write_audit('public.ledger_entries', 'database_row', 'id');
