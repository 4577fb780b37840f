import { available } from "../db/database.js";
import type { Database } from "../db/database.js";

export interface Duties {
  /** Whether `holder` has this duty for the next `seconds`: nobody had it, it had lapsed, or it is renewed. */
  hold(name: string, holder: string, seconds: number): Promise<boolean>;
}

/** One holder at a time, by a row and compare and set: nothing is locked while the work is done, and a dead holder is replaced in time. */
export function createDuties({ sql }: Database): Duties {
  return {
    hold: (name, holder, seconds) =>
      available(async () => {
        const rows = await sql`
          insert into duties (name, holder, held_until) values (${name}, ${holder}, clock_timestamp() + ${seconds} * interval '1 second')
          on conflict (name) do update set holder = excluded.holder, held_until = excluded.held_until
          where duties.holder = excluded.holder or duties.held_until < clock_timestamp() returning name`;
        return rows.length > 0;
      }),
  };
}
