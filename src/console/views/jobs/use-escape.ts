import { useEffect } from "preact/hooks";
import { part } from "../../address/router.js";
import { isTyping } from "../frame/search-field.js";

const isViewing = part(({ photo }) => photo !== null);

/** Closes a part of the page by the Escape key; null while another part is closed first. */
export function useEscape(close: (() => void) | null): void {
  useEffect(() => {
    const receive = (event: KeyboardEvent): void => {
      if (event.key === "Escape" && !isViewing.peek() && !isTyping(event.target)) close?.();
    };
    addEventListener("keydown", receive);
    return () => removeEventListener("keydown", receive);
  }, [close]);
}
