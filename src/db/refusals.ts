// The SQLSTATEs that the SQL function refuse() is called with.

/** The counter would pass its limit. */
export const OVER_QUOTA = "PS001";
/** A unique key was taken meanwhile; the row that has it is seen by the next statement only. */
export const ALREADY_THERE = "PS002";
/** A photo that is needed was deleted. */
export const PHOTO_GONE = "PS003";
/** What the user has in the database would pass its limit. */
export const OVER_RECORDED = "PS004";
