import { signal } from "@preact/signals";

const KEY = "photo-service token";

/** Of this tab, and gone with it; null while nobody is signed in. */
export const token = signal<string | null>(null);
/** Why one has to sign in again. */
export const signedOutBecause = signal<string | null>(null);

/**
 * Takes the token of a sign-in link, and removes it from the address before anybody can copy it
 * from there.
 */
export function restoreSession(): void {
  const fromLink = new URLSearchParams(location.hash.slice(1)).get("token");
  if (fromLink !== null) history.replaceState(null, "", location.pathname + location.search);
  if (fromLink) signIn(fromLink);
  else token.value = sessionStorage.getItem(KEY);
}

export function signIn(text: string): void {
  const bare = tokenIn(text);
  sessionStorage.setItem(KEY, bare);
  signedOutBecause.value = null;
  token.value = bare;
}

export function signOut(why: string | null = null): void {
  sessionStorage.removeItem(KEY);
  signedOutBecause.value = why;
  token.value = null;
}

/** Of a bare token, of `Bearer …`, or of the whole link as it was printed. */
function tokenIn(text: string): string {
  const trimmed = text.trim();
  return /#token=([^&\s]+)/.exec(trimmed)?.[1] ?? trimmed.replace(/^Bearer\s+/i, "");
}
