import type { Sql } from "postgres";

/** Properties of a column on which readers and writers depend. */
export interface Column {
  type: string;
  nullable: boolean;
  hasDefault: boolean;
}

/** Columns by table and name. */
export type DatabaseShape = Record<string, Record<string, Column>>;

/** Reads the tables of the schema `public`, without partitions. */
export async function readDatabaseShape(sql: Sql): Promise<DatabaseShape> {
  const rows = await sql<(Column & { table: string; column: string })[]>`
    select c.table_name as table, column_name as column, data_type as type,
      is_nullable = 'YES' as nullable, column_default is not null as "hasDefault"
    from information_schema.columns c join information_schema.tables t
      using (table_schema, table_name)
      join pg_class p on p.oid = to_regclass('public.' || c.table_name)
    where table_schema = 'public' and table_type = 'BASE TABLE' and not p.relispartition
    order by 1, 2`;
  const shape: DatabaseShape = {};
  for (const { table, column, type, nullable, hasDefault } of rows)
    (shape[table] ??= {})[column] = { type, nullable, hasDefault };
  return shape;
}

/** Wider types that can store all values, and that old code can still read. */
const WIDER: Record<string, string[]> = {
  smallint: ["integer", "bigint"],
  integer: ["bigint"],
  "character varying": ["text"],
};

/**
 * Reasons why the released version cannot run on the next database; empty if it can. It runs there
 * during a roll-out and after a rollback. Removing a column takes two releases: the first stops
 * using it, the second drops it.
 */
export function faultsForReleased(released: DatabaseShape, next: DatabaseShape): string[] {
  return Object.entries(released).flatMap(([table, columns]) => {
    const now = next[table];
    if (!now) return [`${table} was dropped`];
    const faults = Object.entries(columns).flatMap(([name, column]) =>
      faultsOfColumn(`${table}.${name}`, column, now[name]),
    );
    const required = Object.entries(now).filter(
      ([name, column]) => !(name in columns) && !column.nullable && !column.hasDefault,
    );
    return [
      ...faults,
      ...required.map(
        ([name]) =>
          `${table}.${name} is new and required, but the released version does not write it`,
      ),
    ];
  });
}

function faultsOfColumn(name: string, released: Column, now: Column | undefined): string[] {
  if (!now) return [`${name} was dropped`];
  const faults: string[] = [];
  if (now.type !== released.type && !WIDER[released.type]?.includes(now.type))
    faults.push(`${name} is ${now.type}, but was ${released.type}`);
  if (released.nullable && !now.nullable) faults.push(`${name} may not be null any more`);
  if (!released.nullable && now.nullable)
    faults.push(`${name} may be null, which the released version does not expect`);
  if (released.hasDefault && !now.hasDefault && !now.nullable)
    faults.push(`${name} has lost its default`);
  return faults;
}
