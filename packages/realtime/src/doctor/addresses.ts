/** Whether only this machine reaches a host: what is open there is open to nobody else. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, '').toLowerCase();
  return name === 'localhost' || name.endsWith('.localhost') || name === '::1' || /^127(?:\.\d{1,3}){3}$/.test(name);
}

/** The WebSocket address as one for plain requests, with another path. */
export function httpAddress(wsUrl: URL, path: string): URL {
  const url = new URL(wsUrl);
  url.protocol = wsUrl.protocol === 'wss:' ? 'https:' : 'http:';
  url.pathname = path;
  url.search = '';
  return url;
}

/** What was put before the paths of Centrifugo's client endpoints, by a proxy for instance; `null` where the address has another form. */
export function endpointPrefix(wsUrl: URL): string | null {
  const at = wsUrl.pathname.lastIndexOf('/connection/websocket');
  return at >= 0 ? wsUrl.pathname.slice(0, at) : null;
}
