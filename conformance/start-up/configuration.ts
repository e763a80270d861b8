/** Centrifugo's variables, without their prefix `CENTRIFUGO_`. */
export type Variables = Readonly<Record<string, string>>;

/** Variables, and whether a server starts with them. */
export interface Configuration {
  readonly variables: Variables;
  /** Whether Centrifugo starts: seen on 6.9.1, open source. */
  readonly starts: boolean;
  /** Why the embedded broker does not start where Centrifugo does. */
  readonly stopsHere: string | undefined;
}

/** Centrifugo starts, and warns of an unknown variable; of one inside JSON not even that. */
export const NOT_AN_OPTION = 'what is no option, or misspelt, stops the start';
/** Centrifugo has more. */
export const NOT_HERE = 'the embedded broker does not have it, and says so';
/** Centrifugo starts, and what is configured never does anything, or fails with every use. */
export const NEVER_WORKS = 'what can never work stops the start';

/** An address where nothing listens: nobody is asked while a server starts. */
export const APP_URL = 'http://127.0.0.1:9/app';

/** Centrifugo starts. @param stopsHere why the embedded broker does not */
export function starts(variables: Variables, stopsHere?: string): Configuration {
  return { variables, starts: true, stopsHere };
}

/** No server starts. */
export function refuses(variables: Variables): Configuration {
  return { variables, starts: false, stopsHere: undefined };
}

/** A namespace with options. */
export function news(options: Variables): Variables {
  return { CHANNEL_NAMESPACES: 'news', ...prefixed('CHANNEL_NAMESPACES_NEWS_', options) };
}

/** A connect proxy with options. */
export function connect(options: Variables): Variables {
  return prefixed('CLIENT_PROXY_CONNECT_', { ENABLED: 'true', ENDPOINT: APP_URL, ...options });
}

function prefixed(prefix: string, options: Variables): Variables {
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [prefix + name, value]));
}
