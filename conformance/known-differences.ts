/**
 * Where the embedded broker differs from Centrifugo, by the name of the scenario that shows it, with the reason.
 * In runs with a real server an entry whose scenario passes on the embedded broker fails the run, so that the list stays true.
 */
const later = 'Not built yet: an environment with it is refused at the start.';

export const KNOWN_DIFFERENCES: Readonly<Record<string, string>> = {
  'connect over protobuf: *': later,
  'subscribe over protobuf: *': later,
  'publish over protobuf: *': later,
  'recovery over protobuf: *': later,
  'api over protobuf: *': later,
  'connect over http_stream: *': later,
  'subscribe over http_stream: *': later,
  'publish over http_stream: *': later,
  'recovery over http_stream: *': later,
  'api over http_stream: *': later,
  'connect over sse: *': later,
  'subscribe over sse: *': later,
  'publish over sse: *': later,
  'recovery over sse: *': later,
  'api over sse: *': later,
  'extras: *': later,
  'http_stream: *': later,
  'sse: *': later,
  'streams: *': later,
  'uni_sse: *': later,
  'uni_http_stream: *': later,
  'uni_websocket: *': later,
  'protobuf frames: *': later,
  'official client with Protobuf: *': later,
  'official client over http_stream: *': later,
  'proxies: *': later,
  'key sets: *': later,
};
