-- With the arrays at hand PostgreSQL counts fewer rows than without, and so made a new plan at every call.
alter function strongroom.record_writes(text, text, text, text, text[], text[]) set plan_cache_mode = force_generic_plan;
