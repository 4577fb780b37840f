import { refusalOf } from "./refusal-of.js";

/** "done", or the code with which the service refused; fails with what is no refusal. */
export async function outcomeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "done";
  } catch (error) {
    return (await refusalOf(Promise.reject(error))).code;
  }
}
