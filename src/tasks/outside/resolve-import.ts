// A hook of Node's module loader. A task outside this repository finds no packages above its
// folder, so this repository provides zod and its own tasks' interface.

/** The part of a hook's context that is used here. */
interface Context {
  parentURL?: string | undefined;
}
type Next<Found> = (specifier: string, context: Context) => Found;

const SERVED = /^(zod(\/.*)?|photo-service\/tasks)$/;
const MISSING = ["ERR_MODULE_NOT_FOUND", "MODULE_NOT_FOUND"];

/** Resolves from this repository what does not resolve from the importing file. */
export function resolve<Found>(specifier: string, context: Context, next: Next<Found>): Found {
  if (!SERVED.test(specifier)) return next(specifier, context);
  const resolveHere = (error: unknown) => {
    if (!MISSING.includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    return next(specifier, { ...context, parentURL: import.meta.url });
  };
  try {
    const found = next(specifier, context);
    // Node 20 calls hooks in a thread, where `next` returns a promise.
    return found instanceof Promise ? (found.catch(resolveHere) as Found) : found;
  } catch (error) {
    return resolveHere(error);
  }
}
