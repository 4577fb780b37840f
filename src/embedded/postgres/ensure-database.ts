import postgres from "postgres";

/**
 * Makes the database that `url` names, unless it is there; throws when the server does not let us
 * in.
 */
export async function ensureDatabase(url: string): Promise<void> {
  try {
    await run(url, "select 1");
  } catch (error) {
    if (codeOf(error) !== "3D000") throw error;
    await create(url);
  }
}

async function create(url: string): Promise<void> {
  const name = new URL(url).pathname.slice(1);
  const server = new URL(url);
  server.pathname = "/postgres";
  await run(server.href, `create database "${name}"`);
}

async function run(url: string, statement: string): Promise<void> {
  const sql = postgres(url, { max: 1, connect_timeout: 10, onnotice: () => {} });
  try {
    await sql.unsafe(statement);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
