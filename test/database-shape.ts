import type { Sql } from "postgres";

/** A column as those who read and write it know it. */
export interface Column {
  type: string;
  nullable: boolean;
  hasDefault: boolean;
}

/** By table and column. */
export type DatabaseShape = Record<string, Record<string, Column>>;

/** Of the schema `public`. */
export async function readDatabaseShape(sql: Sql): Promise<DatabaseShape> {
  const rows = await sql<(Column & { table: string; column: string })[]>`
    select c.table_name as table, column_name as column, data_type as type,
      is_nullable = 'YES' as nullable, column_default is not null as "hasDefault"
    from information_schema.columns c join information_schema.tables t
      using (table_schema, table_name)
    where table_schema = 'public' and table_type = 'BASE TABLE' order by 1, 2`;
  const shape: DatabaseShape = {};
  for (const { table, column, type, nullable, hasDefault } of rows)
    (shape[table] ??= {})[column] = { type, nullable, hasDefault };
  return shape;
}

/** Types whose every value the other can hold, and that old code reads all the same. */
const WIDER: Record<string, string[]> = {
  smallint: ["integer", "bigint"],
  integer: ["bigint"],
  "character varying": ["text"],
};

/**
 * Why the released version cannot run on the next database, as it does while a roll-out is under
 * way and after it was rolled back; empty when it can. A column goes in two releases: the first no
 * longer uses it, the second drops it.
 */
export function faultsForReleased(released: DatabaseShape, next: DatabaseShape): string[] {
  return Object.entries(released).flatMap(([table, columns]) => {
    const now = next[table];
    if (!now) return [`${table} is gone`];
    const known = Object.entries(columns).flatMap(([name, column]) =>
      faultsOfColumn(`${table}.${name}`, column, now[name]),
    );
    const demanded = Object.entries(now).filter(
      ([name, column]) => !(name in columns) && !column.nullable && !column.hasDefault,
    );
    return [
      ...known,
      ...demanded.map(
        ([name]) =>
          `${table}.${name} is new and must be given: the released version does not know it`,
      ),
    ];
  });
}

function faultsOfColumn(name: string, released: Column, now: Column | undefined): string[] {
  if (!now) return [`${name} is gone`];
  const faults: string[] = [];
  if (now.type !== released.type && !WIDER[released.type]?.includes(now.type))
    faults.push(`${name} is ${now.type}, and was ${released.type}`);
  if (released.nullable && !now.nullable) faults.push(`${name} may no longer be null`);
  if (!released.nullable && now.nullable)
    faults.push(`${name} may be null, which the released version does not expect`);
  if (released.hasDefault && !now.hasDefault && !now.nullable)
    faults.push(`${name} has lost its default`);
  return faults;
}
