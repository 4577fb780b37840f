export const ADMIN_PASSWORD = "the operators' password";

export interface OperatorAnswer {
  status: number;
  headers: Headers;
  text: string;
}

/** An operator's client; its requests look as if a page of the service made them. */
export interface OperatorClient {
  get(path: string, headers?: Record<string, string>): Promise<OperatorAnswer>;
  post(
    path: string,
    fields: Record<string, string>,
    headers?: Record<string, string>,
  ): Promise<OperatorAnswer>;
}

export function createOperatorClient(url: string): OperatorClient {
  const authorization = `Basic ${Buffer.from(`admin:${ADMIN_PASSWORD}`).toString("base64")}`;
  async function ask(
    path: string,
    init: RequestInit & { headers: Record<string, string> },
  ): Promise<OperatorAnswer> {
    const answer = await fetch(`${url}${path}`, {
      redirect: "manual",
      ...init,
      headers: { authorization, ...init.headers },
    });
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  }
  return {
    get: (path, headers = {}) => ask(path, { headers }),
    post: (path, fields, headers = { "sec-fetch-site": "same-origin" }) =>
      ask(path, { method: "POST", body: new URLSearchParams(fields), headers }),
  };
}
