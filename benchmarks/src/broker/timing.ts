export const WARM_UP_MS = 700;
export const MEASURE_MS = 2500;
/** Publications that may be under way to one subscriber: far below what any server counts as a slow consumer. */
export const WINDOW = 64;
