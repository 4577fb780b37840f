// SQLSTATEs that the SQL function refuse() raises.

/** A counter would exceed its limit. */
export const OVER_QUOTA = "PS001";
/** Another transaction took the unique key; only the next statement sees its row. */
export const ALREADY_THERE = "PS002";
/** A required photo was deleted. */
export const PHOTO_GONE = "PS003";
/** The user's recorded bytes would exceed their limit. */
export const OVER_RECORDED = "PS004";
/** The group is being deleted. */
export const GROUP_GONE = "PS005";
