/** In it stand the schedulers of what recurs, and no hints. */
export const UPKEEP_QUEUE = "upkeep";
