import { migrate } from "../../../src/db/migrate.js";
import { createTestDatabase, type TestDatabase } from "../stores/test-database.js";
import { startTestService, type TestService } from "./test-service.js";

export const ADMIN_PASSWORD = "the operators' password";

export interface OperatedService {
  service: TestService;
  /** The service's, direct. */
  database: TestDatabase["database"];
  /** As the operator, from a page of the service's own. */
  get(path: string, headers?: Record<string, string>): Promise<Seen>;
  post(
    path: string,
    fields: Record<string, string>,
    headers?: Record<string, string>,
  ): Promise<Seen>;
  close(): Promise<void>;
}

export interface Seen {
  status: number;
  headers: Headers;
  text: string;
}

/** A service with operators' pages, on a database that has the role which reads it. */
export async function startOperatedService(
  options: { workers?: number; env?: Record<string, string> } = {},
): Promise<OperatedService> {
  const store = await createTestDatabase();
  await migrate(store.url);
  const service = await startTestService({
    workers: 0,
    ...options,
    store,
    env: { ADMIN_PASSWORD, ...options.env },
  });
  const authorization = `Basic ${Buffer.from(`admin:${ADMIN_PASSWORD}`).toString("base64")}`;
  const ask = async (
    path: string,
    init: RequestInit & { headers: Record<string, string> },
  ): Promise<Seen> => {
    const answer = await fetch(`${service.url}${path}`, {
      redirect: "manual",
      ...init,
      headers: { authorization, ...init.headers },
    });
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  };
  return {
    service,
    database: store.database,
    get: (path, headers = {}) => ask(path, { headers }),
    post: (path, fields, headers = { "sec-fetch-site": "same-origin" }) =>
      ask(path, { method: "POST", body: new URLSearchParams(fields), headers }),
    close: service.close,
  };
}
