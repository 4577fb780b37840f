-- Makes a statement fail with an SQLSTATE of our own, so that all it did goes with it: PS001 over quota, PS002 already there.
create function refuse(state text) returns integer language plpgsql as $$
begin
  raise exception 'refused' using errcode = state;
end
$$;
--> statement-breakpoint
-- RFC 3339 in UTC with milliseconds, as events and answers tell it.
create function rfc3339(instant timestamptz) returns text language sql stable as $$
  select to_char(instant at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;
--> statement-breakpoint
insert into histories default values;
