import { refusalOf } from "./refusal-of.js";

/** Returns "done" or the code of the refusal; throws any other error. */
export async function outcomeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "done";
  } catch (error) {
    return (await refusalOf(Promise.reject(error))).code;
  }
}
