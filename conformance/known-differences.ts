/**
 * Where the embedded broker differs from Centrifugo, by the name of the scenario that shows it, with the reason.
 * In runs with a real server an entry whose scenario passes on the embedded broker fails the run, so that the list stays true.
 */
export const KNOWN_DIFFERENCES: Readonly<Record<string, string>> = {};
