import { router } from "../../address/router.js";

/** Opens the sheet for a new job; on a phone it covers the view. */
export const compose = (): void => router.go({ isComposing: true, photo: null });
