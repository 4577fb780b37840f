import { TokenError, UnauthenticatedError } from "../errors.js";

/** A token, or a function that returns the current one; it is asked before each request. */
export type Token = string | (() => string | Promise<string>);

/** Throws TokenError when the function fails or returns no text. */
export async function readToken(token: Token): Promise<string> {
  try {
    const value = typeof token === "function" ? await token() : token;
    if (typeof value === "string" && value !== "") return value;
  } catch (cause) {
    throw new TokenError(cause);
  }
  throw new TokenError("It is empty.");
}

/** Calls with the token; when the service refuses it, once more with a newer one if there is. */
export async function withToken<T>(token: Token, call: (token: string) => Promise<T>): Promise<T> {
  const first = await readToken(token);
  try {
    return await call(first);
  } catch (error) {
    if (!(error instanceof UnauthenticatedError)) throw error;
    const second = await readToken(token);
    if (second === first) throw error;
    return call(second);
  }
}
